"""Answers with parsel: what each query finds on each page, on lxml's own tree or on another one that tells why answers
differ: `html5` is the tree of an HTML5 parser, or XML without namespaces, or JSON in order of names; in `caseless`, values
that HTML compares without case are in lower case."""

import json
import sys

import html5lib
from parsel import Selector
from parsel.utils import extract_regex

CASELESS = ("type", "rel", "method", "lang", "http-equiv", "media", "checked", "selected", "charset", "target", "dir", "align")


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def declared(root):
    """The prefixes that a page declares; the first declaration wins."""
    prefixes = {}
    for element in root.iter():
        for prefix, address in element.nsmap.items():
            if prefix:
                prefixes.setdefault(prefix, address)
    return prefixes


def html5(text, tree):
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
    root = parser.parse(text, scripting=False).getroot()
    for element in root.iter():
        # The builder leaves texts of no length where it moved one away.
        element.text, element.tail = element.text or None, element.tail or None
        if tree == "caseless" and isinstance(element.tag, str):
            for name in CASELESS:
                if name in element.attrib:
                    element.set(name, element.get(name).lower())
    return Selector(root=root, type="html")


def select(text, kind, tree):
    if kind == "html" and tree != "own":
        return html5(text, tree)
    if kind == "json" and tree != "own":
        text = json.dumps(json.loads(text), sort_keys=True)
    selector = Selector(text, type=kind)
    if kind == "xml" and tree != "own":
        selector.remove_namespaces()
    elif kind == "xml":
        selector.namespaces.update(declared(selector.root))
    return selector


def answer(selector, text, language, expression):
    try:
        if language == "regex":
            return extract_regex(expression, text, replace_entities=False)
        if language == "jmespath":
            return [json.dumps(found.root) for found in selector.jmespath(expression)]
        return [str(found) for found in getattr(selector, language)(expression).getall()]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main():
    answers = []
    for page in json.load(sys.stdin):
        answered = []
        if page["queries"]:
            text = read(page["path"])
            selector = select(text, page["kind"], page["tree"])
            answered = [answer(selector, text, language, expression) for language, expression in page["queries"]]
        answers.append(answered)
    json.dump(answers, sys.stdout)


main()
