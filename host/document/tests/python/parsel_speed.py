"""Times parsel: seconds of processor time for parsing each page and asking one thing, and for asking all queries of a parsed page."""

import gc
import json
import sys
from time import thread_time

from parsel import Selector


def seconds(work):
    start = thread_time()
    result = work()
    return thread_time() - start, result


def first(text, expression):
    selector = Selector(text, type="html")
    selector.css(expression).get()
    return selector


def many(selector, queries):
    for language, expression in queries:
        getattr(selector, language)(expression).getall()


def main():
    asked = json.load(sys.stdin)
    gc.disable()
    timed = []
    for path in asked["pages"]:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8", "replace")
        parsing, selector = seconds(lambda: first(text, asked["first"]))
        asking, _ = seconds(lambda: many(selector, asked["queries"]))
        timed.append([parsing, asking])
    json.dump(timed, sys.stdout)


main()
