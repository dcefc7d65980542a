"""The way from the component's exports to the hooks of the plugin; used by `carousel plugin build`."""

import json
import logging
import random
import sys

import carousel_guest as sdk
from carousel_guest.checks import place
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import defaults, host, shared, types


class _Host:
    """The real host, whose errors become exceptions of the SDK."""

    log = staticmethod(host.log)
    site_name = staticmethod(host.site_name)
    config = staticmethod(host.config)
    settings = staticmethod(host.settings)
    download = staticmethod(host.download)
    shared_get = staticmethod(shared.get)
    shared_set = staticmethod(shared.set)
    shared_increment = staticmethod(shared.increment)
    default_enabled = staticmethod(defaults.enabled)
    default_cookie_mode = staticmethod(defaults.cookie_mode)
    default_pool = staticmethod(defaults.pool)
    default_location = staticmethod(defaults.location)
    default_params = staticmethod(defaults.params)
    default_check = staticmethod(defaults.check)

    @staticmethod
    def select(response, language, expression, want):
        return response.select([types.Query(language, expression, want)])[0]

    @staticmethod
    def ask(function, *arguments):
        try:
            return function(*arguments)
        except Err as error:
            raise _exception(error.value) from None


def _exception(value):
    if isinstance(value, types.DownloadError):
        return sdk.DownloadError(value.message, value.token, value.kind, value.status, value.problem_type)
    if isinstance(value, types.Failure):
        return sdk.Error(value.message, value.kind, value.token)
    return sdk.Error(str(value))


_is_fresh = True


def _begin():
    """All instances begin with what was in memory when the plugin was built, and must not draw the same numbers from it."""
    global _is_fresh
    if _is_fresh:
        _is_fresh = False
        random.seed()


def _asked(hook):
    """Runs a hook; whatever it raises becomes a failure that the host understands."""
    _begin()
    try:
        return hook()
    except sdk.Error as error:
        raise Err(types.Failure(error.kind, error.message, error.token)) from None
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        frames = _frames(error.__traceback__)
        host.log("error", message + "".join(f"\n  at {where} in {name}" for where, name in frames))
        if frames and frames[-1][0] not in message:
            (where, function), (_, hook) = frames[-1], frames[0]
            message += f" ({where} in {function})" if function == hook else f" ({where} in {function}, called by {hook})"
        raise Err(types.Failure("error", message, 0)) from None
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _frames(traceback):
    """Where an exception came by in the plugin's own code. The module traceback would look into source files, and there are none."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if "carousel_guest" not in code.co_filename:
            frames.append((place(code, traceback.tb_lineno), code.co_name))
        traceback = traceback.tb_next
    return frames


class _Log(logging.Handler):
    """Brings what the module logging is told to the host, at its level."""

    def emit(self, record):
        levels = [(logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"), (logging.DEBUG, "debug")]
        level = next((word for least, word in levels if record.levelno >= least), "trace")
        host.log(level, self.format(record))


class Hooks(exports.Hooks):
    """What the component exports."""

    def describe(self):
        return _asked(_describe)

    def enabled(self, request):
        return _asked(lambda: _config().enabled(sdk.Request(request)))

    def cookie_mode(self, request):
        return _asked(lambda: _config().cookie_mode(sdk.Request(request)))

    def pool(self, request):
        return _asked(lambda: json.dumps(_config().pool(sdk.Request(request))))

    def location(self, request):
        return _asked(lambda: json.dumps(_config().location(sdk.Request(request))))

    def params(self, request):
        return _asked(lambda: json.dumps(_config().params(sdk.Request(request))))

    def check(self, response, request):
        def check():
            verdict = _config().check(sdk.Response(response), sdk.Request(request))
            return types.Verdict(verdict.kind, verdict.reason, verdict.delay)

        return _asked(check)

    def process_request(self, request):
        def process_request():
            edit = _config().process_request(sdk.Request(request))
            return types.Edit(edit.url, json.dumps(edit.resolved(sdk.Request(request))), list(edit.remove))

        return _asked(process_request)

    def init_session(self, session, request):
        return _asked(lambda: _config().init_session(sdk.Session(session), sdk.Request(request)))


_project = {}


def serve(name, version):
    """Makes the registered class the plugin; what is wrong with it stops the build."""
    if len(sdk._plugins) != 1:
        raise TypeError(f"plugin.py must have one class with @site_plugin, it has {len(sdk._plugins)}")
    _project.update(name=name, version=version)
    sdk._bind(_Host)
    # Handlers that the plugin has set write to the standard streams, which have no levels.
    logging.root.handlers = [_Log()]
    if logging.root.level == logging.WARNING:
        logging.root.setLevel(logging.INFO)


def _config():
    return sdk._plugins[0].config


def _describe():
    plugin = sdk._plugins[0]
    if sdk.config() is not None:
        plugin.config.configure()
    rule = types.Rule(plugin.include, plugin.exclude, plugin.priority, plugin.instead_of)
    hooks = [hook.replace("_", "-") for hook in type(plugin.config).hooks()]
    name, version = plugin.name or _project["name"], plugin.version or _project["version"]
    return types.Description(name, version, [rule] if plugin.include else [], hooks)
