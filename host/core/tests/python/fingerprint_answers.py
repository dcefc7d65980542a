"""Answers with scrapy-zyte-api's fingerprints; the pool comes from the question instead of a session middleware."""

import json
import logging
import sys

from scrapy import Request, Spider
from scrapy.utils.test import get_crawler
from scrapy_zyte_api import ScrapyZyteAPIRequestFingerprinter

logging.disable(logging.CRITICAL)


class Pools:
    pool = None

    def get_pool(self, request):
        return self.pool


def main():
    crawler = get_crawler(Spider, {"ZYTE_API_KEY": "none", "TELNETCONSOLE_ENABLED": False})
    fingerprinter = ScrapyZyteAPIRequestFingerprinter.from_crawler(crawler)
    pools = Pools()
    fingerprinter._session_mw = pools
    answers = []
    for case in json.load(sys.stdin):
        params = case["params"]
        url = params.pop("url")
        pools.pool = case["pool"]
        answers.append(fingerprinter.fingerprint(Request(url, meta={case["key"]: params})).hex())
    json.dump(answers, sys.stdout)


main()
