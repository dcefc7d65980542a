"""Answers with w3lib: the text of each body, or the labels of encodings that Python knows, each with bytes in that encoding."""

import json
import sys
from encodings.aliases import aliases

from w3lib.encoding import html_to_unicode

# Of these the first that an encoding can express stands for it.
SAMPLES = ("Привет", "日本語です", "中文字", "한글입니다", "ελληνικά", "שלום", "سلام", "ภาษาไทย", "ğüşİ ñ", "łąžš", "ķēģš", "façade ñ", "plain")


def sample(label):
    for text in SAMPLES:
        try:
            return text.encode(label)
        except (UnicodeError, LookupError, ValueError, TypeError, AttributeError):
            pass
    return None


def labels():
    known = sorted({*aliases, *aliases.values()})
    bodies = ((label, sample(label)) for label in known)
    return [[label, body.hex()] for label, body in bodies if body]


def decode(case):
    try:
        return html_to_unicode(case["header"], bytes.fromhex(case["body"]))[1]
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    asked = json.load(sys.stdin)
    json.dump(labels() if asked == "labels" else [decode(case) for case in asked], sys.stdout)


main()
