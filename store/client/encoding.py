"""One recorded event as one line of JSON, whatever its values are.

The usual event takes the fast way: one dict, one `dumps`. What that refuses (objects, cycles, NaN,
lone surrogates, values of megabytes) is made plain first, within a budget, so that a line stays
below the 256 KiB that collectors read.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from itertools import islice
from typing import Any, Final, NamedTuple

# In escaped UTF-8 a character takes at most 6 bytes: with names and brackets, below 256 KiB.
TEXT_CHARS_MAX: Final = 24 * 1024
NAMES_CHARS_MAX: Final = 8 * 1024
ITEMS_MAX: Final = 2_000
LINE_BYTES_MAX: Final = 128 * 1024
NAME_CHARS_MAX: Final = 256
DEPTH_MAX: Final = 16
_LONG_NUMBER: Final = re.compile(r"\d{19}")
_SIZED: Final = (str, bytes, bytearray, list, tuple, dict, set, frozenset)


class Recorded(NamedTuple):
    """What `Client.record` puts aside: nothing is copied, made or checked in the caller."""

    time_ns: int
    context: Mapping[str, Any]
    event_type: Any
    event_name: Any
    attributes: Mapping[str, Any]


def stdlib_dumps(value: Any) -> bytes:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    if _LONG_NUMBER.search(text):
        raise ValueError("an integer beyond 64 bits, perhaps")
    return text.encode()


try:
    import orjson
except ImportError:
    dumps: Callable[[Any], bytes] = stdlib_dumps
else:
    dumps = orjson.dumps  # a third of the background thread's time


def encode(recorded: Recorded, event_id: str, dumps: Callable[[Any], bytes]) -> bytes:
    """The event as JSON without a line break. Never raises: what has no JSON becomes its text.

    Attributes may bring an `event_id` and `event_time` of their own; times go out as whole Unix
    microseconds.
    """
    time_ns, context, event_type, event_name, attributes = recorded
    wire = {
        "event_id": event_id,
        "event_time": time_ns // 1000,
        **context,
        **attributes,
        "event_type": event_type,
        "event_name": event_name,
    }
    if type(event_name) is str and not _oversized(wire.values()):
        try:
            line = dumps(wire)
        except BaseException:  # noqa: BLE001 - a __str__ or a cycle of the host's may raise anything
            line = b""
        if 0 < len(line) <= LINE_BYTES_MAX:
            return line
    return json.dumps(_Plainer().plain_event(wire), ensure_ascii=False).encode()


def _oversized(values: Iterable[Any]) -> bool:
    """Told before encoding, which holds the interpreter's lock for as long as it takes."""
    for value in values:
        if isinstance(value, _SIZED) and len(value) > (
            TEXT_CHARS_MAX if isinstance(value, str) else ITEMS_MAX
        ):
            return True
    return False


class _Plainer:
    """Makes values plain JSON within one event's budget of items and characters."""

    def __init__(self) -> None:
        self._items_left = ITEMS_MAX
        self._chars_left = TEXT_CHARS_MAX

    def plain_event(self, wire: Mapping[str, Any]) -> dict[str, Any]:
        """The required fields first; then each attribute may use half of what is left."""
        event = {
            "event_id": self._half(wire["event_id"]),
            "event_time": self._half(wire["event_time"]),
            "event_type": self._name(wire["event_type"]),
            "event_name": self._name(wire["event_name"]),
        }
        names_left = NAMES_CHARS_MAX
        for given, value in wire.items():
            name = self._name(given)
            names_left -= len(name)
            if names_left >= 0 and given not in event:
                event[name] = self._half(value)
        return event

    def _half(self, value: Any) -> Any:
        items, chars = self._items_left // 2, self._chars_left // 2
        self._items_left -= items
        self._chars_left -= chars
        plain = self._plain(value, 0)
        self._items_left += items
        self._chars_left += chars
        return plain

    def _plain(self, value: Any, depth: int) -> Any:
        self._items_left -= 1
        try:
            return self._converted(value, depth)
        except BaseException:  # noqa: BLE001 - properties and iterators of the host's may raise anything
            return self._text(text_of(value))

    def _converted(self, value: Any, depth: int) -> Any:
        plain: Any
        match value:
            case None | bool():
                plain = value
            case Enum():
                plain = self._plain(value.value, depth + 1)
            case str():
                plain = self._text(value)
            case int() if -(2**63) <= value < 2**63:  # beyond, readers would make it a float
                plain = int(value)
            case float():
                plain = float(value) if math.isfinite(value) else None
            case bytes() | bytearray():
                plain = self._text(bytes(value[:TEXT_CHARS_MAX]).decode(errors="replace"))
            case datetime() | date() | time():
                plain = value.isoformat()
            case timedelta():
                plain = value.total_seconds()
            case Mapping() | list() | tuple() | set() | frozenset() if depth < DEPTH_MAX:
                plain = self._container(value, depth)
            case _:
                plain = self._text(text_of(value))
        return plain

    def _container(self, value: Any, depth: int) -> Any:
        room = max(self._items_left, 0)
        if not isinstance(value, Mapping):
            return [self._plain(item, depth + 1) for item in islice(value, room)]
        plain = {}
        for given, item in islice(value.items(), room):
            name = self._name(given)
            self._chars_left -= len(name)
            if self._chars_left < 0:
                break
            plain[name] = self._plain(item, depth + 1)
        return plain

    def _name(self, given: Any) -> str:
        name = given if isinstance(given, str) else text_of(given)
        return name[:NAME_CHARS_MAX].encode(errors="replace").decode()

    def _text(self, text: str) -> str:
        room = max(self._chars_left, 1)
        cut = text if len(text) <= room else text[: room - 1] + "…"
        self._chars_left -= len(cut)
        return cut.encode(errors="replace").decode()


def text_of(value: Any) -> str:
    """The value's text; its type's name when it cannot give one."""
    try:
        return str(value)
    except BaseException:  # noqa: BLE001 - a __str__ of the host's may raise anything
        return f"<{type(value).__name__} without text>"
