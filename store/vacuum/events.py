"""Lines that may hold an event, made into events; what carries the flag and is none is refused."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from store.normalise import Raw, raw_objects
from store.normalise.json_lines import Object, Objects, Refusals
from store.normalise.json_text import Fault, NotTakenError, exact_loads, loads
from store.normalise.raw_columns import NamesOf, same_name
from store.settings import Limits
from store.vacuum.logfmt import pairs_of
from store.vacuum.logs import event_of_log
from store.vacuum.sieve import FLAGGED, Found, Sieve

_KEY: Final = "_e"
# What becomes a required field when that is not there; the first of them that is.
_TIMES: Final = ("timestamp", "Timestamp")
_NAMES: Final = ("event", "name", "type")
_BLANK: Final = b" \t\r"
_NUMBERS: Final = frozenset({int, float})
_NOT_ALONE: Final = Fault(
    "not_alone", "something stands before the event; print it on a line of its own"
)
_Load = Callable[[bytes], Any]


class Vacuum:
    """An output in pieces of any size, and the events in it so far; memory is bounded."""

    def __init__(self, limits: Limits, *, where: str = "line ", logs: bool = False) -> None:
        """`where` goes before a line's number in a refusal; with `logs` ordinary logs count too."""
        self._sieve = Sieve(limits.line_bytes_max, logs=logs)
        self._limits = limits
        self._where = where
        self._logs = logs

    def feed(self, data: bytes) -> Raw:
        """The rows of the lines that end in this piece."""
        return self._raw(self._sieve.feed(data))

    def close(self) -> Raw:
        """The row of the last line, when nothing ended it."""
        return self._raw(self._sieve.close())

    def _raw(self, found: Found) -> Raw:
        return raw_events(found, self._limits, where=self._where, logs=self._logs)


def raw_events(
    found: Found,
    limits: Limits,
    names: NamesOf = same_name,
    *,
    where: str = "line ",
    logs: bool = False,
) -> Raw:
    """The rows of the lines that hold an event. A line that carries the flag and is broken or too
    long is refused by its number; any other is left aside. `names` are the columns of a key.
    """

    def read(exact: bool, refusals: Refusals) -> Objects:
        bytes_max = max(map(len, found.lines), default=0)
        quick = None if exact or bytes_max > limits.line_bytes_max else _at_once(found)
        taken = _Taken(where)
        for place, number in enumerate(found.numbers):
            try:
                if quick is not None:
                    event = _event_in(quick[place], logs=logs)
                else:
                    event = _event_on(found.lines[place], limits, logs=logs, exact=exact)
            except NotTakenError as refused:
                refusals.add(f"{where}{number}", refused.fault)
                continue
            if event is not None:
                taken.add(event, number)
        return taken.objects(bytes_max)

    return raw_objects(read, limits, names)


class _Taken:
    def __init__(self, where: str) -> None:
        self._rows: list[Object] = []
        self._numbers: list[int] = []
        self._where = where

    def add(self, event: Object, number: int) -> None:
        self._rows.append(event)
        self._numbers.append(number)

    def objects(self, bytes_max: int) -> Objects:
        return Objects(self._rows, self._numbers, self._where, bytes_max=bytes_max)


def _at_once(found: Found) -> list[Object] | None:
    """All lines in one call, as most are sound; None unless each is one object."""
    try:
        rows: list[Any] = orjson.loads(b"[" + b"\n,".join(found.lines) + b"]")
    except orjson.JSONDecodeError:
        return None
    return rows if len(rows) == len(found.lines) and set(map(type, rows)) <= {dict} else None


def _event_on(line: bytes, limits: Limits, *, logs: bool, exact: bool) -> Object | None:
    if len(line) > limits.line_bytes_max:
        fault = f"it is longer than {limits.line_bytes_max:,} bytes"
        raise NotTakenError(Fault("too_large", fault))
    text = line.strip(_BLANK)
    load = exact_loads if exact else loads
    if text.startswith(b"{"):
        return _event_in_braces(text, load, logs=logs)
    if FLAGGED.search(text):
        _refuse_what_follows(text, load)
    pairs = pairs_of(text) if logs else None
    return None if pairs is None else event_of_log(pairs)


def _event_in_braces(text: bytes, load: _Load, *, logs: bool) -> Object | None:
    try:
        value = load(text)
    except NotTakenError:
        if FLAGGED.search(text):
            raise
        return None
    return _event_in(value, logs=logs) if type(value) is dict else None


def _refuse_what_follows(text: bytes, load: _Load) -> None:
    """An event behind a prompt or a bar of progress is a loss that must be said; a text that
    speaks of such events is not.
    """
    start = text.find(b"{")
    try:
        value = load(text[start:]) if start > 0 else None
    except NotTakenError:
        return
    if type(value) is dict and _is_flagged(value):
        raise NotTakenError(_NOT_ALONE)


def _event_in(value: Object, *, logs: bool) -> Object | None:
    if _is_flagged(value):
        return _unflagged(value)
    return event_of_log(value) if logs else None


def _is_flagged(value: Object) -> bool:
    flag = value.get(_KEY)
    return flag == 1 and type(flag) in _NUMBERS


def _unflagged(value: Object) -> Object:
    """As the native intake takes it. Its source, sequence and context stay what they are."""
    del value[_KEY]
    if "event_time" not in value:
        for name in _TIMES:
            if name in value:
                value["event_time"] = value.pop(name)
                break
    if "event_name" not in value:
        for name in _NAMES:
            if type(value.get(name)) is str:
                value["event_name"] = value.pop(name)
                break
    return value
