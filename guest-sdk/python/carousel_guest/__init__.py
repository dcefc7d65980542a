"""What the author of a Carousel site plugin in Python sees.

A plugin is a class with the hooks that are special about its site; the others are answered by the host, at no cost:

    from carousel_guest import SessionConfig, Verdict, site_plugin

    @site_plugin(include=["shop.example"])
    class Shop(SessionConfig):
        def check(self, response, request):
            return Verdict.keep_if(response.css(".zip::text") == request.location.get("postalCode"))

Every step of a request runs in a fresh instance: what must last goes into `session.set` or `shared`.
`carousel_guest.testing` runs the hooks in a unit test.
"""

import json
from dataclasses import dataclass, field

__all__ = [
    "DownloadError", "Edit", "Error", "LocationSessionConfig", "Request", "Response", "Session", "SessionConfig", "Verdict",
    "config", "default", "download", "log", "settings", "shared", "site_name", "site_plugin",
]


class Error(Exception):
    """Why a hook has no result. The message goes to the log."""

    def __init__(self, message="", kind="error", token=0):
        super().__init__(message)
        self.message, self.kind, self.token = message, kind, token

    @classmethod
    def close_crawl(cls, reason):
        """Ends the crawl; the reason becomes its close reason."""
        return cls(reason, "close-crawl")

    @classmethod
    def close_pool(cls, reason):
        """Ends this pool and leaves the rest of the crawl alone."""
        return cls(reason, "close-pool")

    @classmethod
    def defer(cls):
        """Asks the host to go on as if the plugin did not have this hook."""
        return cls("", "defer")


class DownloadError(Error):
    """Why a download failed. Raised out of a hook it reaches the host unchanged, which knows whether to try again."""

    def __init__(self, message, token=0, reason="api", status=0, problem_type=""):
        super().__init__(message, "download", token)
        self.reason, self.status, self.problem_type = reason, status, problem_type


@dataclass
class Verdict:
    """What a check thinks of an answer."""

    kind: str
    reason: str = ""
    delay: float = 0.0

    @classmethod
    def keep(cls):
        """Good session, good page."""
        return cls("keep")

    @classmethod
    def keep_if(cls, good):
        """Keeps the session if the condition holds and discards it otherwise."""
        return cls.keep() if good else cls.discard("check failed")

    @classmethod
    def discard(cls, reason):
        """Bad session: the page is tried again on another one."""
        return cls("discard", reason)

    @classmethod
    def throttled(cls, seconds):
        """Good session, but it rests for so many seconds before the page is tried again."""
        return cls("throttled", "throttled", float(seconds))

    @classmethod
    def reject(cls, reason):
        """Good session, bad page: it is not tried again."""
        return cls("reject", reason)

    @classmethod
    def close_pool(cls, reason):
        """Ends this pool and leaves the rest of the crawl alone."""
        return cls("close-pool", reason)

    @classmethod
    def close_crawl(cls, reason):
        """Ends the crawl; the reason becomes its close reason."""
        return cls("close-crawl", reason)

    @property
    def is_keep(self):
        return self.kind == "keep"


@dataclass
class Edit:
    """What `process_request` changes in a request that is about to be sent; nothing by default."""

    url: str | None = None
    set: dict = field(default_factory=dict)
    remove: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)

    def resolved(self, request):
        """The API parameters to set, with the headers merged into those of the request."""
        name = "customHttpRequestHeaders"
        if not self.headers:
            return dict(self.set)
        old = [] if name in self.remove else request.param(name) or []
        taken = {header.lower() for header in self.headers}
        kept = [header for header in self.set.get(name, old) if header["name"].lower() not in taken]
        return {**self.set, name: kept + [{"name": key, "value": value} for key, value in self.headers.items()]}


class _Unbound:
    def __getattr__(self, name):
        raise Error(f"there is no host to ask for {name}: in a test, start one with carousel_guest.testing.Host()")


# The host: `carousel_guest.component` binds the real one, `carousel_guest.testing` that of a test.
_host = _Unbound()


def _bind(host):
    global _host
    before, _host = _host, host
    return before


def _read(text):
    return None if text is None else json.loads(text)


class Session:
    """A session: an identity that several requests share. Its data lives in the host as long as the session does."""

    def __init__(self, raw):
        self._raw = raw

    @property
    def id(self):
        return self._raw.id()

    @property
    def pool(self):
        return self._raw.pool()

    def get(self, key, default=None):
        """What a hook stored for this session."""
        value = _read(self._raw.get(key))
        return default if value is None else value

    def set(self, key, value):
        """Stores a value for as long as the session lives; None removes it. Fails where the host's bound is reached."""
        _host.ask(self._raw.set, key, None if value is None else json.dumps(value))


class Request:
    """A request on its way, as the host sees it at this step."""

    def __init__(self, raw):
        self._raw = raw

    @property
    def url(self):
        return self._raw.url()

    @property
    def host(self):
        """Host name and port as in the URL, in lower case, without user name and password."""
        return self._raw.host()

    @property
    def params(self):
        """All API parameters, `url` included."""
        return _read(self._raw.params())

    def param(self, name):
        return _read(self._raw.param(name))

    @property
    def meta(self):
        """The request's metadata; on an initialisation only the session location and params."""
        return _read(self._raw.meta())

    def meta_value(self, name):
        return _read(self._raw.meta_value(name))

    @property
    def is_init(self):
        """Does this request initialise a session?"""
        return self._raw.is_init()

    @property
    def location(self):
        """The location in force, an address; an empty one if there is none."""
        return _read(self._raw.location()) or {}

    @property
    def session(self):
        """The session that this request uses or initialises; None before one is assigned."""
        raw = self._raw.session()
        return None if raw is None else Session(raw)


class Response:
    """An answer of the API. Nothing of it is decoded, parsed or copied before something asks for it."""

    def __init__(self, raw):
        self._raw = raw

    @property
    def url(self):
        """The page's URL after redirects."""
        return self._raw.url()

    @property
    def status(self):
        """The HTTP status of the page (not of the API); 0 if the answer has none."""
        return self._raw.status()

    @property
    def headers(self):
        return self._raw.headers()

    def header(self, name):
        """The first header of this name; names have no case."""
        return self._raw.header(name)

    @property
    def text(self):
        """The page as text."""
        return self._raw.text()

    @property
    def body(self):
        """The page as bytes."""
        return self._raw.body()

    @property
    def actions(self):
        """The results of the browser actions."""
        return _read(self._raw.actions())

    def field(self, pointer):
        """A member of the API's answer by JSON pointer (`/product/name`)."""
        return _read(self._raw.field(pointer))

    def css(self, selector):
        """The first match of a CSS selector, which may end in `::text` or `::attr(name)`."""
        return _host.ask(self._raw.css, selector)

    def css_all(self, selector):
        return _host.ask(self._raw.css_all, selector)

    def css_exists(self, selector):
        return self._exists("css", selector)

    def xpath(self, expression):
        """The first match of an XPath expression. What it computes comes as what it is: `count(//li) > 3` as True or False,
        `count(//li)` as a number, `string(//h1)` as text; None where it is not a number."""
        return _read(next(iter(self._select("xpath", expression, "value")), None))

    def xpath_all(self, expression):
        return _host.ask(self._raw.xpath_all, expression)

    def xpath_exists(self, expression):
        """Is there a match, or does XPath take for true what the expression computes?"""
        return self._exists("xpath", expression)

    def jmespath(self, expression):
        """The result of JMESPath on a JSON page."""
        return _read(_host.ask(self._raw.jmespath, expression))

    def jmespath_exists(self, expression):
        """Does JMESPath take its result for true: not None, False or an empty text, list or dict?"""
        return self._exists("jmespath", expression)

    def _exists(self, language, expression):
        return self._select(language, expression, "exists") == ["true"]

    def _select(self, language, expression, want):
        return _host.ask(_host.select, self._raw, language, expression, want)


def site_name():
    """The name of the site this call is for."""
    return _host.site_name()


def config():
    """The site's `config` from the settings file; None without one."""
    return _read(_host.config())


def settings():
    """The crawl's session settings (`[session]`)."""
    return _read(_host.settings())


def log(message, level="info"):
    """Writes to the host's log under the plugin's name: error, warn, info, debug or trace."""
    _host.log(level, str(message))


def download(params):
    """Runs one API call for the session being initialised and waits for its answer; in `params` and `init_session` only.

    The parameters get the session's id unless they say `"session": None`. A failure is a DownloadError.
    """
    return Response(_host.ask(_host.download, json.dumps(params)))


class shared:
    """A small key/value store that all calls for one site share. It outlives sessions, not the process."""

    @staticmethod
    def get(key):
        return _read(_host.shared_get(key))

    @staticmethod
    def set(key, value):
        _host.ask(_host.shared_set, key, None if value is None else json.dumps(value))

    @staticmethod
    def increment(key, by=1):
        """Adds to a number in one step and returns the sum."""
        return _host.ask(_host.shared_increment, key, by)


class default:
    """What the host would do if the plugin did not have the hook, for hooks that mean "as usual, but"."""

    @staticmethod
    def enabled(request):
        return _host.default_enabled(request._raw)

    @staticmethod
    def cookie_mode(request):
        return _host.default_cookie_mode(request._raw)

    @staticmethod
    def pool(request):
        return _read(_host.ask(_host.default_pool, request._raw))

    @staticmethod
    def location(request):
        return _read(_host.default_location(request._raw))

    @staticmethod
    def params(request):
        return _read(_host.default_params(request._raw))

    @staticmethod
    def check(response, request):
        raw = _host.ask(_host.default_check, response._raw, request._raw)
        return Verdict(raw.kind, raw.reason, raw.delay)


class SessionConfig:
    """How sessions work on one site. Every hook has the host's behaviour as its default."""

    def configure(self):
        """Looks at `config()` when a site that has one is loaded; an error refuses the site, with its message."""

    def enabled(self, request):
        """Are sessions used for this request?"""
        return default.enabled(request)

    def cookie_mode(self, request):
        """Do cookies of the initialisation replace API sessions?"""
        return default.cookie_mode(request)

    def pool(self, request):
        """Which pool? A name, or a dict of id, size, delay, randomize_delay and max_in_flight."""
        return default.pool(request)

    def location(self, request):
        """Which address is in force for this request?"""
        return default.location(request)

    def params(self, request):
        """Which API parameters has the request that initialises a session? May download."""
        return default.params(request)

    def check(self, response, request):
        """Is the session that fetched this answer good? Asked for initialisations and for pages."""
        return default.check(response, request)

    def process_request(self, request):
        """What changes in this request, just before it is sent on its session? An Edit; Edit() changes nothing."""
        return Edit()

    def init_session(self, session, request):
        """Initialises a session with as many downloads as it takes; False means that it is no good."""
        raise Error.defer()

    def __init_subclass__(cls, **named):
        super().__init_subclass__(**named)
        from carousel_guest.checks import check_class
        check_class(cls)

    @classmethod
    def hooks(cls):
        """The hooks that the class has: the host never asks another."""
        return [name for name in HOOKS if getattr(cls, name) is not getattr(SessionConfig, name)]


class LocationSessionConfig(SessionConfig):
    """Hooks for requests with a location, given that location; without one the host's defaults apply."""

    def location_params(self, request, location):
        return default.params(request)

    def location_check(self, response, request, location):
        return default.check(response, request)

    def params(self, request):
        location = request.location
        return self.location_params(request, location) if location else default.params(request)

    def check(self, response, request):
        location = request.location
        return self.location_check(response, request, location) if location else default.check(response, request)

    @classmethod
    def hooks(cls):
        own = lambda name: getattr(cls, name) is not getattr(LocationSessionConfig, name)
        asked = {name: own(name) or own(f"location_{name}") for name in ("params", "check")}
        return [name for name in super().hooks() if asked.get(name, True)]


HOOKS = ["enabled", "cookie_mode", "pool", "location", "params", "check", "process_request", "init_session"]


@dataclass
class _Plugin:
    config: SessionConfig
    include: list
    exclude: list
    priority: int
    instead_of: str | None
    name: str | None
    version: str | None


_plugins = []


def site_plugin(include=(), exclude=(), priority=500, instead_of=None, name=None, version=None):
    """Makes a class the site plugin of this project. Name and version are those of the project where they are not given.

    Without `include` it serves only the sites whose `[[site]]` table names it.
    """

    from carousel_guest.checks import patterns
    include, exclude = patterns("include", include), patterns("exclude", exclude)
    if not isinstance(priority, int):
        raise TypeError(f"site_plugin: priority is {priority!r}: expected a whole number, 500 where nothing is said")

    def register(cls):
        if not (isinstance(cls, type) and issubclass(cls, SessionConfig)):
            raise TypeError(f"{getattr(cls, '__name__', cls)} must be a SessionConfig or a LocationSessionConfig")
        _plugins.append(_Plugin(cls(), include, exclude, priority, instead_of, name, version))
        return cls

    return register
