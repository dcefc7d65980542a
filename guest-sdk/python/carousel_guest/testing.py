"""Runs the hooks of a plugin in plain unit tests, without a host and without the network.

    with testing.Host(config={"zip": "10001"}):
        page = testing.response("<p class=zip>10001</p>", css={".zip::text": "10001"})
        assert Shop().check(page, testing.request("https://shop.example/a")).is_keep

What a selector finds is said by the test (`css=`, `xpath=`, `jmespath=`); where the package parsel is installed it reads the page.
"""

import json
from urllib.parse import urlsplit

import carousel_guest as sdk


class _Session:
    def __init__(self, pool):
        self._pool, self.data = pool, {}

    def id(self):
        return "5e551017-0000-4000-8000-000000000001"

    def pool(self):
        return self._pool

    def get(self, key):
        return self.data.get(key)

    def set(self, key, value):
        self.data[key] = value


class _Request:
    def __init__(self, url, params, meta, init, location, session):
        self._url, self._params, self._meta = url, {"url": url, **params}, meta
        self._init, self._location, self._session = init, location, session

    def url(self):
        return self._url

    def host(self):
        return urlsplit(self._url).netloc.rpartition("@")[2].lower()

    def params(self):
        return json.dumps(self._params)

    def param(self, name):
        return json.dumps(self._params[name]) if name in self._params else None

    def meta(self):
        return json.dumps(self._meta)

    def meta_value(self, name):
        return json.dumps(self._meta[name]) if name in self._meta else None

    def is_init(self):
        return self._init

    def location(self):
        return json.dumps(self._location) if self._location else None

    def session(self):
        return self._session and self._session._raw


class _Response:
    def __init__(self, text, answer, headers, found):
        self._text, self._answer, self._headers, self._found = text, answer, headers, found

    def url(self):
        return self._answer["url"]

    def status(self):
        return self._answer["statusCode"]

    def headers(self):
        return list(self._headers.items())

    def header(self, name):
        return next((value for key, value in self._headers.items() if key.lower() == name.lower()), None)

    def text(self):
        return self._text

    def body(self):
        return self._text.encode()

    def actions(self):
        return json.dumps(self._answer.get("actions", []))

    def field(self, pointer):
        value = self._answer
        for step in pointer.split("/")[1:]:
            value = value.get(step) if isinstance(value, dict) else None
        return None if value is None else json.dumps(value)

    def css(self, selector):
        return next(iter(self.css_all(selector)), None)

    def css_all(self, selector):
        return self._matches("css", selector)

    def xpath_all(self, expression):
        return [found if isinstance(found, str) else json.dumps(found) for found in self._matches("xpath", expression)]

    def jmespath(self, expression):
        found = self._found["jmespath"].get(expression)
        return None if found is None else json.dumps(found)

    def select(self, language, expression, want):
        if language == "jmespath":
            found = self._found["jmespath"].get(expression)
            return [json.dumps(bool(found) or (found == 0 and found is not False))]
        found = self._matches(language, expression)
        if want == "exists":
            return [json.dumps(any(_is_match(value) for value in found[:1]))]
        return [json.dumps(value) for value in found[:1] if value == value]

    def _matches(self, language, expression):
        known = self._found[language]
        if expression in known:
            found = known[expression]
            if isinstance(found, (list, tuple)) or (language == "css" and found is not None):
                return [_Node(item) for item in ([found] if isinstance(found, str) else found)]
            return [] if found is None else [found]
        try:
            from parsel import Selector
        except ImportError:
            hint = f'{language}={{"{expression}": ...}}'
            raise sdk.Error(f"the test does not say what {expression!r} finds: give testing.response({hint}) or install parsel")
        page = Selector(self._text)
        if language == "xpath":
            computed = page.root.xpath(expression, namespaces=page.namespaces)
            if not isinstance(computed, list):
                return [int(computed) if isinstance(computed, float) and computed.is_integer() else computed]
        return [_Node(found) for found in getattr(page, language)(expression).getall()]


class _Node(str):
    """A match that the page has, rather than one that an expression computes."""


def _is_match(value):
    """Whether a value is there, or XPath takes it for true; what is no number differs from itself."""
    return isinstance(value, _Node) or bool(value and value == value)


def request(url, params=None, meta=None, init=False, location=None, session=None):
    """A request to this URL."""
    return sdk.Request(_Request(url, params or {}, meta or {}, init, location, session))


def response(text="", status=200, url="https://test.example/", headers=None, actions=None, answer=None, css=None, xpath=None,
             jmespath=None):
    """An answer with this page; `answer` has further members of the API's answer, `css` and its like what is found in it."""
    members = {"url": url, "statusCode": status, "browserHtml": text, "actions": actions or [], **(answer or {})}
    found = {"css": css or {}, "xpath": xpath or {}, "jmespath": jmespath or {}}
    return sdk.Response(_Response(text, members, headers or {}, found))


def session(pool="test"):
    """A session of this pool without data."""
    return sdk.Session(_Session(pool))


class Host:
    """The host of a test; use it with `with`.

    `downloads` is a function from parameters to a response; what was asked is in `downloaded`, what was logged in `log_lines`.
    """

    def __init__(self, config=None, settings=None, site_name="test", downloads=None, verdict=None):
        self._config, self._settings, self._site_name = config, settings or {}, site_name
        self._downloads, self._verdict, self._shared = downloads, verdict or sdk.Verdict.keep(), {}
        self.downloaded, self.log_lines = [], []

    def __enter__(self):
        self._before = sdk._bind(self)
        return self

    def __exit__(self, *_):
        sdk._bind(self._before)

    def ask(self, function, *arguments):
        return function(*arguments)

    def select(self, response, language, expression, want):
        return response.select(language, expression, want)

    def log(self, level, message):
        self.log_lines.append((level, message))

    def site_name(self):
        return self._site_name

    def config(self):
        return json.dumps(self._config)

    def settings(self):
        return json.dumps(self._settings)

    def download(self, params):
        self.downloaded.append(json.loads(params))
        if self._downloads is None:
            raise sdk.DownloadError(f"the test expects no download, got {params}", reason="refused")
        return self._downloads(self.downloaded[-1])._raw

    def shared_get(self, key):
        return self._shared.get(key)

    def shared_set(self, key, value):
        self._shared[key] = value

    def shared_increment(self, key, by):
        total = json.loads(self._shared.get(key) or "0") + by
        self._shared[key] = json.dumps(total)
        return total

    def default_enabled(self, request):
        return True

    def default_cookie_mode(self, request):
        return False

    def default_pool(self, request):
        return json.dumps(request.host())

    def default_location(self, request):
        return request.location() or "{}"

    def default_params(self, request):
        location = json.loads(request.location() or "null")
        actions = {"actions": [{"action": "setLocation", "address": location}]} if location else {}
        return json.dumps({"browserHtml": True, **actions})

    def default_check(self, response, request):
        return self._verdict
