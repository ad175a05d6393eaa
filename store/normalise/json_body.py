"""A JSON body (one object, an array, or lines) to events."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl

from store.normalise.columns import raw_columns
from store.normalise.decoded import Decoded
from store.normalise.events import Arrival, normalised
from store.normalise.flatten import InexactError, flat
from store.normalise.json_lines import (
    Objects,
    Refusals,
    foreign_encoding,
    objects_of_body,
    objects_of_lines,
)
from store.normalise.json_text import Fault, NotTakenError, loads
from store.normalise.united import united
from store.settings import Limits

_BOM: Final = b"\xef\xbb\xbf"
# Lines are read in blocks of this size, so that a large body costs its own size and little more.
_BLOCK_BYTES: Final = 1024 * 1024
_Read = Callable[[bool, Refusals], Objects]


def decode_json(body: bytes, arrival: Arrival, *, lines: bool = False) -> Decoded:
    """The events of a native body, and a refusal for each line or element that is none.

    With `lines`, each line is an event by itself; without, also one object over many lines, and
    an array. Values come through exactly, but for floats past the precision of a double and
    halves of characters (U+FFFD).
    """
    text = body.removeprefix(_BOM)
    start = text[:64].lstrip()[:1] or text.lstrip()[:1]
    fault = foreign_encoding(text) if start else Fault("empty", "it is empty; send a JSON object")
    if fault is not None:
        refusals = Refusals()
        refusals.add("body", fault)
        return Decoded(pl.DataFrame(), refusals.all)
    if not lines and (start == b"[" or _is_one_object(text)):
        return _decode(
            lambda exact, into: objects_of_body(text.strip(), into, exact=exact), arrival
        )
    return decode_lines(text, arrival)


def _is_one_object(text: bytes) -> bool:
    """Whether an object goes on past the end of its first line, as printed for people."""
    first = text.lstrip().split(b"\n", 1)[0]
    try:
        loads(first)
    except NotTakenError:
        pass
    else:
        return False
    try:
        loads(text)
    except NotTakenError:
        return False
    return True


def decode_lines(text: bytes, arrival: Arrival, first: int = 1) -> Decoded:
    """The events of complete lines, the number of the first being `first`."""
    if len(text) <= _BLOCK_BYTES:
        return _decode(_lines_of(text, first, arrival.limits), arrival)
    decoded: list[Decoded] = []
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + _BLOCK_BYTES) + 1 or len(text)
        block = text[start:end]
        decoded.append(_decode(_lines_of(block, first, arrival.limits), arrival))
        first += block.count(b"\n")
        start = end
    refusals = [refusal for each in decoded for refusal in each.refusals]
    return Decoded(united([each.events for each in decoded]), refusals)


def _lines_of(block: bytes, first: int, limits: Limits) -> _Read:
    def read(exact: bool, refusals: Refusals) -> Objects:
        return objects_of_lines(block, first, limits.line_bytes_max, refusals, exact=exact)

    return read


def _decode(read: _Read, arrival: Arrival) -> Decoded:
    try:
        return _decoded(read, arrival, exact=False)
    except InexactError:
        return _decoded(read, arrival, exact=True)


def _decoded(read: _Read, arrival: Arrival, *, exact: bool) -> Decoded:
    refusals = Refusals()
    objects = read(exact, refusals)
    events, numbers, names = _within_bounds(objects, arrival.limits, refusals, exact=exact)
    if not events:
        return Decoded(pl.DataFrame(), refusals.all)
    columns = raw_columns(events, names, exact=exact)
    raw = pl.DataFrame(columns or [pl.Series("event_name", [None] * len(events), dtype=pl.String)])
    small = objects.bytes_max is not None and objects.bytes_max <= arrival.limits.event_bytes_max
    made = normalised(raw, arrival, lambda row: f"{objects.kind} {numbers[row]}", small=small)
    return Decoded(made.events, [*refusals.all, *made.refusals])


def _within_bounds(
    objects: Objects, limits: Limits, refusals: Refusals, *, exact: bool
) -> tuple[list[dict[str, Any]], Sequence[int], set[str]]:
    """The objects made flat, without those that pass a bound; their numbers; all names."""
    if objects.flat:
        names: set[str] = set().union(*objects.rows)
        longest = max(map(len, names), default=0)
        if len(names) <= limits.keys_max and longest <= limits.name_chars_max:
            return objects.rows, objects.numbers, names
    kept: list[dict[str, Any]] = []
    numbers: list[int] = []
    for row, number in zip(objects.rows, objects.numbers, strict=True):
        try:
            event = flat(row, limits.depth_max, exact=exact)
            _check_names(event, limits)
        except NotTakenError as refused:
            refusals.add(f"{objects.kind} {number}", refused.fault)
            continue
        kept.append(event)
        numbers.append(number)
    return kept, numbers, set().union(*kept)


def _check_names(event: dict[str, Any], limits: Limits) -> None:
    if len(event) > limits.keys_max:
        fault = f"it has {len(event):,} keys, {limits.keys_max:,} are the limit"
        raise NotTakenError(Fault("too_many_keys", fault))
    longest = max(map(len, event), default=0)
    if longest > limits.name_chars_max:
        fault = f"a key has {longest:,} characters, {limits.name_chars_max} are the limit"
        raise NotTakenError(Fault("name_too_long", fault))
