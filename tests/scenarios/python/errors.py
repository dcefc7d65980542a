"""Sends requests through the official client and prints, as JSON, what each one came to.

Standard input: {"api_url": ..., "cases": [{"key": ..., "query": {...}, "policy": ...}]}. The client's pauses are taken out; its
decisions whether to ask again are its own.
"""

import asyncio
import json
import sys

from tenacity import wait_none
from zyte_api import AggressiveRetryFactory, AsyncZyteAPI, RequestError, RetryFactory


def without_pauses(factory):
    class Impatient(factory):
        throttling_wait = wait_none()
        network_error_wait = wait_none()
        download_error_wait = wait_none()
        undocumented_error_wait = wait_none()

    return Impatient().build()


POLICIES = {"default": RetryFactory, "aggressive": AggressiveRetryFactory}


async def outcome(api_url, case):
    policy = without_pauses(POLICIES[case.get("policy", "default")])
    client = AsyncZyteAPI(api_key=case["key"], api_url=api_url, retrying=policy)
    told = {}
    try:
        told["answer"] = await client.get(case["query"])
    except RequestError as error:
        told["error"] = {
            "status": error.status,
            "type": error.parsed.type,
            "title": (error.parsed.data or {}).get("title"),
            "request_id": error.request_id,
        }
    told["attempts"] = client.agg_stats.n_attempts
    told["status_codes"] = {str(status): count for status, count in client.agg_stats.status_codes.items()}
    return told


async def main():
    asked = json.load(sys.stdin)
    json.dump([await outcome(asked["api_url"], case) for case in asked["cases"]], sys.stdout)


asyncio.run(main())
