"""What is wrong with a plugin's class, and with what its hooks return: told where the plugin is built or tested, and where it runs."""

import difflib
import functools
import inspect
import json
import re
import types

import carousel_guest as sdk

# What each hook gets besides itself.
ARGUMENTS = {
    "configure": (), "enabled": ("request",), "cookie_mode": ("request",), "pool": ("request",), "location": ("request",),
    "params": ("request",), "check": ("response", "request"), "process_request": ("request",), "init_session": ("session", "request"),
    "location_params": ("request", "location"), "location_check": ("response", "request", "location"),
}

# Names of a class that are no hooks.
OTHERS = ["hooks"]

# How alike a name must be to that of a hook to be taken for a misspelt one.
ALIKE = 0.8

_VERDICT = "a Verdict, such as Verdict.keep() or Verdict.discard(\"why\"), or True or False"
_PARAMS = "a dict of API parameters, such as {\"browserHtml\": True}"
EXPECTED = {
    "enabled": "True or False", "cookie_mode": "True or False", "init_session": "True if the session is good, or False",
    "pool": "a name, or a dict with id, size, delay, randomize_delay and max_in_flight",
    "location": "an address, such as {\"postalCode\": \"10001\"}, or {} where there is none",
    "params": _PARAMS, "location_params": _PARAMS, "check": _VERDICT, "location_check": _VERDICT,
    "process_request": "an Edit; Edit() changes nothing",
}


def check_class(cls):
    """Refuses a class with something that would never be asked, and has its hooks watched."""
    for name, member in list(vars(cls).items()):
        if name in ARGUMENTS:
            setattr(cls, name, _watched(cls, name, member))
        elif not name.startswith("_") and name not in OTHERS and callable(getattr(cls, name)):
            _refuse_misspelt(cls, name)


def _refuse_misspelt(cls, name):
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    near = difflib.get_close_matches(snake, ARGUMENTS, 1, ALIKE)
    if near and not _is_used(cls, name):
        raise TypeError(f"{cls.__name__}.{name}: there is no such hook; did you mean {near[0]}? A helper's name begins with an underscore")


def _is_used(cls, name):
    functions = [getattr(member, "__func__", member) for member in vars(cls).values()]
    return any(name in function.__code__.co_names for function in functions if isinstance(function, types.FunctionType))


def _watched(cls, name, member):
    """The hook, with a look at what it returns."""
    function = getattr(member, "__func__", member)
    where = f"{cls.__name__}.{name}"
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"{where} is {member!r}: a hook is a method, def {name}({', '.join(('self', *ARGUMENTS[name]))})")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{where} ({place(function.__code__)}) is async: hooks are ordinary methods, write def instead of async def")
    if inspect.isgeneratorfunction(function):
        raise TypeError(f"{where} ({place(function.__code__)}) is a generator: return the answer instead of yielding it")
    given = ARGUMENTS[name] if isinstance(member, staticmethod) else ("self", *ARGUMENTS[name])
    try:
        inspect.signature(function).bind(*given)
    except TypeError:
        wanted = f"def {name}({', '.join(given)})"
        raise TypeError(f"{where} ({place(function.__code__)}) takes other arguments than it gets: write {wanted}") from None

    @functools.wraps(function)
    def hook(*arguments, **named):
        return answer(name, function(*arguments, **named), function.__code__)

    return type(member)(hook) if function is not member else hook


def answer(name, value, code):
    """What a hook returned, if it is of the right type."""
    if name == "configure":
        return value
    if name in ("check", "location_check") and isinstance(value, bool):
        return sdk.Verdict.keep_if(value)
    if not _is_right(name, value):
        raise TypeError(f"{name} returned {_shown(value)} ({place(code)}): return {EXPECTED[name]}")
    if not isinstance(value, (bool, sdk.Verdict)):
        try:
            json.dumps(vars(value) if isinstance(value, sdk.Edit) else value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} returned what cannot be written as JSON ({place(code)}): {error}: {_shown(value)}") from None
    return value


def _is_right(name, value):
    if name in ("enabled", "cookie_mode", "init_session"):
        return isinstance(value, bool)
    if name in ("check", "location_check"):
        return isinstance(value, sdk.Verdict)
    if name == "process_request":
        parts = isinstance(value, sdk.Edit) and isinstance(value.set, dict) and isinstance(value.headers, dict)
        return parts and isinstance(value.remove, (list, tuple, set)) and isinstance(value.url, (str, type(None)))
    if name == "pool" and isinstance(value, dict):
        return isinstance(value.get("id"), str)
    return isinstance(value, str if name == "pool" else dict)


def _shown(value):
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "…"


def place(code, line=None):
    """File and line, as the author knows them."""
    return f"{code.co_filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line or code.co_firstlineno}"


def patterns(name, given):
    """A list of URL patterns; one by itself is a list of one."""
    if isinstance(given, str):
        return [given]
    if isinstance(given, type):
        raise TypeError("write @site_plugin(include=[\"shop.example\"]), with parentheses")
    found = list(given) if isinstance(given, (list, tuple, set, frozenset)) else None
    wrong = next((item for item in found or () if not isinstance(item, str)), None)
    if found is None or wrong is not None:
        raise TypeError(f"site_plugin: {name} is {given!r}: expected a list of URL patterns, such as [\"shop.example\"]")
    return found
