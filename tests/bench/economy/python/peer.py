"""One workload through scrapy-zyte-api: a JSON object on standard input, what came of it on standard output."""

import asyncio
import json
import sys
import time
from base64 import b64decode

from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from tenacity import stop_after_attempt
from tenacity.wait import wait_base
from zyte_api import RetryFactory

JOB = json.load(sys.stdin)
SCALE = JOB["scale"]
FOUND = {"right": 0, "wrong": 0, "done": 0.0}


class PlaceChecker:
    def check(self, response, request):
        location = request.meta.get("zyte_api_session_location") or {}
        place = location.get("postalCode")
        if place is None or "httpResponseBody" not in response.raw_api_response:
            return True
        return shows(response, place)


class Scaled(wait_base):
    """A pause in scaled-down time."""

    def __init__(self, wait):
        self.wait = wait

    def __call__(self, retry_state):
        return self.wait(retry_state) / SCALE


class SessionRetryFactory(RetryFactory):
    """What scrapy-zyte-api uses for requests with sessions, in scaled-down time."""

    throttling_wait = Scaled(RetryFactory.throttling_wait)
    network_error_wait = Scaled(RetryFactory.network_error_wait)
    download_error_stop = stop_after_attempt(1)


def shows(response, place):
    page = b64decode(response.raw_api_response["httpResponseBody"]).decode()
    return f'<span id="store-postal">{place}</span>' in page


class Peer(Spider):
    name = "peer"
    start_time = None

    async def start(self):
        self.start_time = time.monotonic()
        for line in JOB["lines"]:
            pause = self.start_time + line["at"] / SCALE - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            request = dict(line["request"])
            meta = request.pop("meta", {})
            url = request.pop("url")
            place = (request.get("tags") or {}).get("place")
            yield Request(url, meta={**meta, "zyte_api": request}, cb_kwargs={"place": place}, dont_filter=True, callback=self.page, errback=self.lost)

    def page(self, response, place):
        FOUND["right" if place is None or shows(response, place) else "wrong"] += 1
        FOUND["done"] = time.monotonic() - self.start_time

    def lost(self, failure):
        FOUND["done"] = time.monotonic() - self.start_time


settings = {
    "ADDONS": {"scrapy_zyte_api.Addon": 500},
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "ZYTE_API_KEY": "any",
    "ZYTE_API_URL": JOB["api_url"],
    "ZYTE_API_SESSION_ENABLED": True,
    "ZYTE_API_SESSION_QUEUE_WAIT_TIME": 1.0 / SCALE,
    "ZYTE_API_SESSION_RETRY_POLICY": SessionRetryFactory().build(),
    "CONCURRENT_REQUESTS": JOB["concurrency"],
    "CONCURRENT_REQUESTS_PER_DOMAIN": JOB["concurrency"],
    "DOWNLOAD_DELAY": 0,
    "LOG_LEVEL": "CRITICAL",
    "TELNETCONSOLE_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    **JOB["settings"],
}
if JOB["checks_place"]:
    settings["ZYTE_API_SESSION_CHECKER"] = PlaceChecker
process = CrawlerProcess(settings)
crawler = process.create_crawler(Peer)
process.crawl(crawler)
process.start()
prefix = "scrapy-zyte-api/sessions/init/"
inits = sum(count for name, count in crawler.stats.get_stats().items() if name.startswith(prefix))
FOUND["lost"] = len(JOB["lines"]) - FOUND["right"] - FOUND["wrong"]
print(json.dumps({**FOUND, "inits": inits, "seconds": FOUND["done"] * SCALE}))
