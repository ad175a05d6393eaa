"""Nested objects to flat ones: dots in the names, lists as JSON text, within the bounds."""

from typing import Any, Final

from store.normalise.json_text import TOO_DEEP, UNSAFE_FLOAT_MIN, NotTakenError, dumps
from store.schema import ATTRIBUTE_PREFIX, FIXED

_NESTED: Final = frozenset({dict, list})


class InexactError(Exception):
    """orjson may have rounded an integer here: the text must be read the exact way."""


def flat(event: dict[str, Any], depth_max: int, *, exact: bool) -> dict[str, Any]:
    """`{"a": {"b": [1]}}` as `{"a.b": "[1]"}`; NotTakenError past `depth_max`.

    Nothing is lost: of two values that meet in one name, the later is `attr.` before it; an empty
    object is the text `{}`. Without `exact`, InexactError where a list may hold a rounded integer.
    """
    if _NESTED.isdisjoint(map(type, event.values())):
        return event
    found: dict[str, Any] = {}
    _flatten(event, "", depth_max, exact, found)
    return found


def _flatten(
    branch: dict[str, Any], prefix: str, depth_left: int, exact: bool, found: dict[str, Any]
) -> None:
    if depth_left <= 0:
        raise NotTakenError(TOO_DEEP)
    for key, value in branch.items():
        name = prefix + key
        kind = type(value)
        if kind in _NESTED:
            if value and kind is dict:
                _flatten(value, f"{name}.", depth_left - 1, exact, found)
                continue
            value = list_text(value, depth_left - 1, exact)  # noqa: PLW2901
            if name in FIXED:
                name = ATTRIBUTE_PREFIX + name
        while name in found:
            name = ATTRIBUTE_PREFIX + name
        found[name] = value


def list_text(value: Any, depth_left: int, exact: bool) -> str:
    """A list (or an empty object) as JSON text; NotTakenError, InexactError as `flat` has them."""
    _check(value, depth_left, exact)
    return dumps(value)


def _check(value: Any, depth_left: int, exact: bool) -> None:
    if depth_left <= 0:
        raise NotTakenError(TOO_DEEP)
    items = value.values() if type(value) is dict else value
    for item in items:
        kind = type(item)
        if kind in _NESTED:
            _check(item, depth_left - 1, exact)
        elif kind is float and not exact and abs(item) >= UNSAFE_FLOAT_MIN:
            raise InexactError
