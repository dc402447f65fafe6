"""What the spy puts in the place of something of the service's, of a framework's or of Python's.

Whoever looks at it sees what was there: its class, its signature, its attributes, what it equals.
Only what it was made for goes another way.
"""

from __future__ import annotations

import sys

from nomock_spy.hints import Any, Callable, FunctionType

CO_COROUTINE = 0x80  # inspect.CO_COROUTINE, which takes long to load
# As functools has them, which takes long to load.
_KNOWN_OF_A_FUNCTION = (
    *("__module__", "__name__", "__qualname__", "__doc__", "__type_params__"),
    "__annotate__" if sys.version_info >= (3, 14) else "__annotations__",
)


def replace(owner: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
    """Put what ``make`` returns for a function of a module or class in the function's place.

    Raises AttributeError where there is none of this name.
    """
    if isinstance(owner, type) and not any(name in vars(kind) for kind in owner.__mro__):
        raise AttributeError(f"{owner.__qualname__} has no {name}")  # its own type may have one
    original = getattr(owner, name)
    replacement = make(original)
    # A function is bound to instances where it is found in a class, and a builtin is not.
    if isinstance(owner, type) or type(original) is FunctionType:
        setattr(owner, name, known_as(original, replacement))
    else:
        setattr(owner, name, called_as(original, replacement))


def replace_argument(owner: Any, name: str, parameter: str, change: Callable[[Any], Any]) -> None:
    """Let a method of a class be given what ``change`` returns for one of its arguments.

    Where the argument is left out nothing is changed. Raises AttributeError or ValueError where
    there is no such method or parameter.
    """

    def make(original: Any) -> Callable[..., Any]:
        code = original.__code__
        at = code.co_varnames[: code.co_argcount].index(parameter)

        def with_changed(*arguments: Any, **named: Any) -> Any:
            if parameter in named:
                named[parameter] = change(named[parameter])
            elif len(arguments) > at:
                arguments = (*arguments[:at], change(arguments[at]), *arguments[at + 1 :])
            return original(*arguments, **named)

        return with_changed

    replace(owner, name, make)


def known_as(original: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function the name, the signature and all else that is known of another one."""
    for name in _KNOWN_OF_A_FUNCTION:
        try:
            setattr(function, name, getattr(original, name))
        except (AttributeError, TypeError):  # a callable that has none, or one that is no name
            continue
    vars(function).update(getattr(original, "__dict__", ()))
    # As functools.wraps does it, which is slow to load.
    function.__wrapped__ = original  # type: ignore[attr-defined]
    return function


def check_is_async(function: Any) -> None:
    """Raise TypeError where a function is not a coroutine function, as what replaces it will be."""
    if not function.__code__.co_flags & CO_COROUTINE:
        raise TypeError(f"{function.__qualname__} is no coroutine function")


class _StandIn:
    """Is in the place of an object of any kind. The classes below have what Python asks a type."""

    __slots__ = ("__weakref__", "_nomock_call", "_nomock_doing", "_nomock_original")
    _nomock_original: Any
    _nomock_call: Callable[..., Any]
    _nomock_doing: dict[str, Callable[..., Any]]


# Past __getattribute__.
_original: Callable[[Any], Any] = vars(_StandIn)["_nomock_original"].__get__
_doing: Callable[[Any], dict[str, Callable[..., Any]]] = vars(_StandIn)["_nomock_doing"].__get__
_call: Callable[[Any], Callable[..., Any]] = vars(_StandIn)["_nomock_call"].__get__
_set_call: Callable[[Any, Any], None] = vars(_StandIn)["_nomock_call"].__set__
_new = object.__new__
_set_original: Callable[[Any, Any], None] = vars(_StandIn)["_nomock_original"].__set__
_set_doing: Callable[[Any, Any], None] = vars(_StandIn)["_nomock_doing"].__set__

# What concerns the type alone, and what would be asked of the stand-in and of the original.
_NOT_HANDED_ON = {
    *("__class__", "__class_getitem__", "__init_subclass__", "__subclasshook__", "__new__"),
    *("__init__", "__del__", "__getattr__", "__reduce__", "__getstate__"),
}
# Of as many types as there are; a service that makes one for each request must not fill these.
_MOST_TYPES = 256
_types: dict[tuple[Any, ...], type] = {}
_callable_types: dict[type, type] = {}
_NOTHING: dict[str, Callable[..., Any]] = {}


def stand_in(original: Any, **doing: Callable[..., Any]) -> Any:
    """Return an object like the original that does otherwise what is given: ``__iter__=…``."""
    key = (type(original), *doing)
    kind = _types.get(key)
    if kind is None:
        if len(_types) > _MOST_TYPES:
            _types.clear()
        kind = _types[key] = _type_like(type(original), doing)
    made: Any = _new(kind)
    _set_original(made, original)
    _set_doing(made, doing)
    return made


def called_as(original: Any, call: Callable[..., Any]) -> Any:
    """Return an object like the original that is called otherwise; cheap: one for each request.

    What is asked for by name as ``app.__call__`` is the original's: by that frameworks decide
    what kind of application they have.
    """
    kind = _callable_types.get(type(original))
    if kind is None:
        if len(_callable_types) > _MOST_TYPES:
            _callable_types.clear()
        kind = _type_like(type(original), {"__call__": call})
        _callable_types[type(original)] = kind
    made: Any = _new(kind)
    _set_original(made, original)
    _set_doing(made, _NOTHING)
    _set_call(made, call)
    return made


def is_stand_in(thing: object) -> bool:
    """Tell whether something is a stand-in; it does not say so itself."""
    return issubclass(type(thing), _StandIn)


def _type_like(kind: type, doing: dict[str, Callable[..., Any]]) -> type:
    """Return a type with the special methods of another: Python looks for them in types alone."""
    methods: dict[str, Any] = {"__slots__": (), "__module__": kind.__module__}
    for name in dir(kind):
        if name[:2] == "__" and name[-2:] == "__" and name not in _NOT_HANDED_ON:
            method = getattr(kind, name, None)
            if callable(method):
                methods[name] = known_as(method, _handed_on(method))
            elif name == "__hash__":  # None: it cannot be hashed
                methods[name] = method
    for name in doing:
        if name[:2] == "__":
            function = _calling() if name == "__call__" else _done(name)
            methods[name] = known_as(methods[name], function) if name in methods else function
    methods["__getattribute__"] = _get
    methods.update(__copy__=_copy, __deepcopy__=_deepcopy)
    return type(kind.__name__, (_StandIn,), methods)


def _handed_on(method: Any) -> Callable[..., Any]:
    def special(self: Any, *arguments: Any, **named: Any) -> Any:
        return method(_original(self), *arguments, **named)

    return special


def _calling() -> Callable[..., Any]:
    def special(self: Any, *arguments: Any, **named: Any) -> Any:
        return _call(self)(*arguments, **named)

    return special


def _done(name: str) -> Callable[..., Any]:
    def special(self: Any, *arguments: Any, **named: Any) -> Any:
        return _doing(self)[name](*arguments, **named)

    return special


def _get(self: Any, name: str) -> Any:
    if name[:2] != "__":
        done = _doing(self).get(name)
        return getattr(_original(self), name) if done is None else done
    if name == "__reduce_ex__":
        return lambda protocol: _reduce(self)
    original = _original(self)
    if name == "__signature__" and isinstance(original, type):
        # Of a class inspect asks its type's __call__, else, which is one of ours.
        return _signature(original)
    return getattr(original, name)


def _signature(kind: type) -> Any:
    from inspect import signature

    try:
        return signature(kind)
    except (TypeError, ValueError) as error:
        raise AttributeError("__signature__") from error


def _reduce(self: Any) -> Any:
    original = _original(self)
    name = getattr(original, "__name__", None)
    module = sys.modules.get(str(getattr(original, "__module__", None)))
    if isinstance(name, str) and getattr(module, name, None) is self:
        return name  # it is found there in another process, too, and is the original if need be
    # Another process gets the original, and need not have the spy: the greatest of one is that one.
    return max, ([original],)


def _copy(self: Any) -> Any:
    from copy import copy

    return copy(_original(self))


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    from copy import deepcopy

    return deepcopy(_original(self), memo)
