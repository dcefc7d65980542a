"""Drives the retry policies of zyte-api and scrapy-zyte-api through scripted failures in virtual time."""

import json
import logging
import random
import sys
import time

from aiohttp import ServerDisconnectedError
from scrapy_zyte_api import SESSION_AGGRESSIVE_RETRY_POLICY, SESSION_DEFAULT_RETRY_POLICY
from scrapy_zyte_api._session import SessionRetryFactory
from zyte_api import RequestError, aggressive_retrying, stop_on_count, zyte_api_retrying
from zyte_api.__main__ import DontRetryErrorsFactory

logging.disable(logging.CRITICAL)


class ThreeDownloads(SessionRetryFactory):
    download_error_stop = stop_on_count(3)


POLICIES = {
    "default": zyte_api_retrying,
    "aggressive": aggressive_retrying,
    "session-default": SESSION_DEFAULT_RETRY_POLICY,
    "session-aggressive": SESSION_AGGRESSIVE_RETRY_POLICY,
    "only-throttling": DontRetryErrorsFactory().build(),
    "custom-download-x3": ThreeDownloads().build(),
}


class Clock:
    now = 0.0


def error(status):
    if status == 0:
        return ServerDisconnectedError()
    return RequestError(request_info=None, history=(), status=status, query={}, response_content=b"")


async def drive(policy, failures):
    pauses = []
    left = iter(failures)

    async def call():
        status, took = next(left, (None, 0))
        Clock.now += took
        if status is not None:
            raise error(status)

    async def sleep(seconds):
        pauses.append(float(seconds))
        Clock.now += seconds

    try:
        await POLICIES[policy].copy(sleep=sleep)(call)
    except Exception:
        return {"pauses": pauses, "end": "gave up"}
    return {"pauses": pauses, "end": "used up"}


async def main():
    asked = json.load(sys.stdin)
    time.monotonic = lambda: Clock.now
    answers = []
    for case in asked:
        high = case["random"] == 1
        random.random = lambda: float(high)
        random.uniform = lambda a, b: b if high else a
        Clock.now = 0.0
        answers.append(await drive(case["policy"], case["failures"]))
    json.dump(answers, sys.stdout)


def run(coroutine):
    """Runs what never really waits, without a loop whose clock would be patched."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("a real wait")


run(main())
