"""Answers with url-matcher: which pairs match, and which rule each URL gets."""

import json
import sys

from url_matcher import Patterns, URLMatcher
from url_matcher.patterns import PatternMatcher


def matches(pattern, url):
    try:
        return PatternMatcher(pattern).match(url)
    except ValueError:
        return False


def resolve(case):
    matcher = URLMatcher()
    for position, rule in enumerate(case["rules"]):
        patterns = Patterns(rule["include"], rule["exclude"], rule["priority"])
        try:
            matcher.add_or_update(position, patterns)
        except ValueError:
            return "refused"
    answers = []
    for url in case["urls"]:
        try:
            answers.append(list(dict.fromkeys(matcher.match_all(url))))
        except ValueError:
            answers.append([])
    return answers


def main():
    asked = json.load(sys.stdin)
    json.dump(
        {
            "pairs": [matches(pattern, url) for pattern, url in asked["pairs"]],
            "resolutions": [resolve(case) for case in asked["resolutions"]],
        },
        sys.stdout,
    )


main()
