"""Attributes and values of OTLP, out of protobuf or JSON, as plain values.

A list stays a list, a kvlist becomes an object, bytes become base64 as in OTLP's JSON. What
nests deeper than an event may is left for the caller to refuse (store.normalise.flatten).
"""

import base64
import binascii
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from store.normalise.json_text import TOO_DEEP, Fault, NotTakenError
from store.otlp.messages import AnyValue, KeyValue
from store.schema import ATTRIBUTE_PREFIX, FIXED

Pair = tuple[str, Any]

# So deep values are read; below it, a setting may refuse single records.
DEPTH_MAX: Final = 64
# Semantic conventions that are fixed columns here.
# https://opentelemetry.io/docs/specs/semconv/registry/attributes/
ADOPTED: Final[Mapping[str, str]] = {
    "service.name": "service_name",
    "service.version": "service_version",
    "vcs.ref.head.revision": "service_commit",
    "session.id": "session_id",
    "user.id": "user_id",
    "app.installation.id": "install_id",
}
# What a program may say by the name that it has here.
_OURS: Final = (
    *("service_name", "service_version", "service_commit", "session_id", "user_id"),
    *("install_id", "is_dev", "user_bucket", "component"),
)
# Any other attribute that is called like a fixed column is kept apart from it: an `event_id` of
# Windows' log would make duplicates out of all events of one kind.
_NAMES: Final = {
    **{name: ATTRIBUTE_PREFIX + name for name in FIXED if name not in _OURS},
    **ADOPTED,
}


def name_of(key: str) -> str:
    """The name of the column that an attribute goes to."""
    return _NAMES.get(key, key)


_DOUBLE: Final = struct.Struct("<d")


class Pairs(dict[bytes, Pair]):
    """The bytes of a KeyValue -> its column's name and its value; remembers up to a bound.

    DecodeError or UnicodeDecodeError for bytes that are none, NotTakenError past DEPTH_MAX.
    """

    REMEMBERED_MAX: Final = 50_000
    REMEMBERED_BYTES_MAX: Final = 128

    def __missing__(self, data: bytes) -> Pair:
        size = len(data)
        # As all senders write them: the key, then the value; read here, half of the time is saved.
        value_at = data[1] + 4 if 4 < size < 128 and data[0] == 0x0A else size
        if value_at < size and data[value_at - 2 : value_at] == bytes((0x12, size - value_at)):
            key, value = _KEYS[data[2 : value_at - 2]], data[value_at:]
        else:
            message = KeyValue.FromString(data)
            key, value = name_of(message.key), message.value
        pair = (key, value_of(value))
        # Floats hardly ever come again.
        if size <= self.REMEMBERED_BYTES_MAX and type(pair[1]) is not float:
            if len(self) >= self.REMEMBERED_MAX:
                self.clear()
            self[data] = pair
        return pair


class _Keys(dict[bytes, str]):
    """A key in UTF-8 -> the name of its column; remembers up to a bound."""

    REMEMBERED_MAX: Final = 10_000

    def __missing__(self, data: bytes) -> str:
        if len(self) >= self.REMEMBERED_MAX:
            self.clear()
        key = data.decode()
        name = self[data] = name_of(key)
        return name


_KEYS: Final = _Keys()
PAIRS: Final = Pairs()


def pairs_of(attributes: Iterable[bytes]) -> Iterable[Pair]:
    """Of protobuf."""
    return map(PAIRS.__getitem__, attributes)


def value_of(data: bytes, depth_left: int = DEPTH_MAX) -> Any:
    """What the bytes of an AnyValue say; None for nothing."""
    if not data:
        return None
    tag, size = data[0], len(data)
    if tag == 0x0A and size < 130 and data[1] == size - 2:
        return data[2:].decode()
    if tag == 0x18 and size == 2 and data[1] < 128:
        return data[1]
    if tag == 0x21 and size == 9:
        return _DOUBLE.unpack_from(data, 1)[0]
    message = AnyValue.FromString(data)
    kind = message.WhichOneof("value")
    if kind is None:
        return None
    return _nested(kind, getattr(message, kind), depth_left)


def _nested(kind: str, value: Any, depth_left: int) -> Any:
    if kind == "bytes_value":
        return base64.b64encode(value).decode()
    if kind not in {"array_value", "kvlist_value"}:
        return value
    if depth_left <= 0:
        raise NotTakenError(TOO_DEEP)
    if kind == "array_value":
        return [listed(value_of(item, depth_left - 1)) for item in value.values]
    messages = map(KeyValue.FromString, value.values)
    return united([(m.key, value_of(m.value, depth_left - 1)) for m in messages])


def listed(value: Any) -> Any:
    """JSON has no infinite numbers and none that is no number; OTLP's writes them as text."""
    if type(value) is not float or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def united(pairs: Iterable[Pair]) -> dict[str, Any]:
    """An object of all pairs; a name that comes again, as none should, gets `attr.` before it."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        name = key
        while name in found:
            name = ATTRIBUTE_PREFIX + name
        found[name] = value
    return found


def json_pairs_of(attributes: Iterable[Any]) -> Iterable[Pair]:
    """Of JSON; NotTakenError for what is no KeyValue."""
    for item in attributes:
        key, value = _key_value(item, DEPTH_MAX)
        yield name_of(key), value


def json_value_of(data: Any, depth_left: int = DEPTH_MAX) -> Any:
    """What an AnyValue in JSON says; None for nothing. NotTakenError for what is no AnyValue."""
    if type(data) is not dict:
        if data is None:
            return None
        raise _wrong('a value is not an object such as {"stringValue": …}')
    for key, value in data.items():
        read = _JSON_VALUES.get(key)
        if read is not None and value is not None:
            return read(value, depth_left)
    return None


def _key_value(item: Any, depth_left: int) -> Pair:
    if type(item) is not dict or type(item.get("key", "")) is not str:
        raise _wrong("an attribute is not an object with a key and a value")
    return item.get("key", ""), json_value_of(item.get("value"), depth_left)


def _wrong(fault: str) -> NotTakenError:
    return NotTakenError(Fault("bad_otlp", fault))


def text(value: Any) -> str:
    """NotTakenError: it is none."""
    if type(value) is not str:
        raise _wrong("a text is not written as one")
    return value


def boolean(value: Any) -> bool:
    """NotTakenError: it is none."""
    if type(value) is not bool:
        raise _wrong("a boolean is not written as one")
    return value


def integer_of(least: int, most: int) -> Callable[[Any], int]:
    """A reader of integers in this range, as numbers or as text."""

    def read(value: Any) -> int:
        try:
            whole = value if type(value) is int else int(value)
        except (TypeError, ValueError, OverflowError):
            raise _wrong("an integer is not written as one") from None
        if type(value) is bool or (type(value) is float and whole != value):
            raise _wrong("an integer is not written as one")
        if not least <= whole <= most:
            raise _wrong("an integer is out of range")
        return whole

    return read


INT64: Final = integer_of(-(2**63), 2**63 - 1)


def double(value: Any) -> float:
    """A number, or its text: `NaN`, `Infinity`, `-Infinity` among them. NotTakenError: none."""
    try:
        if type(value) in {float, int, str}:
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise _wrong("a number is not written as one")


def binary(value: Any) -> bytes:
    """Out of base64, of either alphabet, padded or not. NotTakenError: it is none."""
    standard = text(value).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("bytes are not written in base64") from None


def _values(value: Any, depth_left: int) -> list[Any]:
    items = value.get("values") if type(value) is dict else value
    if items is not None and type(items) is not list:
        raise _wrong("values are not written as an array")
    if depth_left <= 0:
        raise NotTakenError(TOO_DEEP)
    return items or []


def _array(value: Any, depth_left: int) -> list[Any]:
    items = _values(value, depth_left)
    return [listed(json_value_of(item, depth_left - 1)) for item in items]


def _kvlist(value: Any, depth_left: int) -> dict[str, Any]:
    return united(_key_value(item, depth_left - 1) for item in _values(value, depth_left))


_JSON_VALUES: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "stringValue": lambda value, _: text(value),
    "boolValue": lambda value, _: boolean(value),
    "intValue": lambda value, _: INT64(value),
    "doubleValue": lambda value, _: double(value),
    "bytesValue": lambda value, _: base64.b64encode(binary(value)).decode(),
    "arrayValue": _array,
    "kvlistValue": _kvlist,
}
