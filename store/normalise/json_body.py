"""A JSON body (one object, an array, or lines) to events."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl

from store.normalise.decoded import Decoded, Shared
from store.normalise.events import Arrival, normalised
from store.normalise.flatten import InexactError, flat
from store.normalise.json_lines import (
    EVENT,
    Lines,
    Objects,
    Refusals,
    foreign_encoding,
    objects_of_body,
    objects_of_lines,
    placed,
)
from store.normalise.json_text import Fault, NotTakenError, loads
from store.normalise.raw_columns import NamesOf, raw_columns, same_name, spread_columns
from store.normalise.spread import spread
from store.normalise.united import united
from store.settings import Limits
from store.tally import Refusal

_BOM: Final = b"\xef\xbb\xbf"
# Lines are read in blocks of this size, so that a large body costs its own size and little more.
_BLOCK_BYTES: Final = 1024 * 1024
Read = Callable[[bool, Refusals], Objects]


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows that are not events yet, and what was refused on the way."""

    frame: pl.DataFrame
    """Flat columns, as `normalised` takes them."""
    numbers: Sequence[int] = ()
    """Of each row's line or element."""
    where: str = ""
    refusals: Sequence[Refusal] = ()
    is_small: bool = False
    """True: no row can pass the limit for an event."""

    def place(self, row: int) -> str:
        return placed(self.where, self.numbers[row])

    def decoded(self, arrival: Arrival) -> Decoded:
        """The events in it."""
        if not self.frame.height:
            return Decoded(pl.DataFrame(), self.refusals)
        made = normalised(self.frame, arrival, self.place, small=self.is_small)
        whole = len(made.numbers) == self.frame.height
        numbers = self.numbers if whole else [self.numbers[row] for row in made.numbers]
        return Decoded(made.events, [*self.refusals, *made.refusals], numbers)


def decode_json(body: bytes, arrival: Arrival, *, lines: bool = False) -> Decoded:
    """The events of a native body, and a refusal for each line or element that is none.

    With `lines`, each line is an event by itself; without, also one object over many lines, and
    an array. Values come through exactly, but for floats past the precision of a double and
    halves of characters (U+FFFD).
    """
    text = body.removeprefix(_BOM)
    is_small = len(text) <= _BLOCK_BYTES
    if is_small or _unreadable(text) or not (lines or _are_lines(text)):
        return _raw_json(text, arrival.limits, lines=lines).decoded(arrival)
    blocks = [raw_lines(block, arrival.limits).decoded(arrival) for block in _blocks(text)]
    refused = [refusal for block in blocks for refusal in block.refusals]
    return Decoded(united([block.events for block in blocks]), refused)


def decode_json_together(
    bodies: Sequence[bytes], arrival: Arrival, *, lines: Sequence[bool]
) -> list[Decoded]:
    """What `decode_json` makes of each body, none of which is large; those of the same columns
    are made into events at once, which takes hardly longer than it does for one.
    """
    given = zip(bodies, lines, strict=True)
    raws = [_raw_json(body.removeprefix(_BOM), arrival.limits, lines=own) for body, own in given]
    schemas = [raw.frame.schema for raw in raws]
    if not any(raw.refusals for raw in raws) and schemas.count(schemas[0]) == len(raws):
        frames = [raw.frame for raw in raws]
        heights = [frame.height for frame in frames]
        numbers, small = range(1, sum(heights) + 1), all(raw.is_small for raw in raws)
        whole = Raw(pl.concat(frames, rechunk=True), numbers, is_small=small).decoded(arrival)
        if not whole.refusals:
            return Shared(whole.events, heights).apart()
    return [raw.decoded(arrival) for raw in raws]


def _raw_json(text: bytes, limits: Limits, *, lines: bool) -> Raw:
    fault = _unreadable(text)
    if fault is not None:
        return Raw(pl.DataFrame(), refusals=[Refusal("body", fault.text, fault.reason)])
    if lines or _are_lines(text):
        return raw_lines(Lines(text), limits)
    return raw_body(text.strip(), limits)


def _unreadable(text: bytes) -> Fault | None:
    if not text[:64].lstrip() and not text.lstrip():
        return Fault("empty", "it is empty; send a JSON object")
    return foreign_encoding(text)


def _are_lines(text: bytes) -> bool:
    """Rather than an array, or an object over many lines."""
    start = text[:64].lstrip()[:1] or text.lstrip()[:1]
    return start != b"[" and not is_one_object(text)


def raw_body(body: bytes, limits: Limits, names: NamesOf = same_name, where: str = EVENT) -> Raw:
    """The rows of one object or an array of them; `where` goes before an element's number."""

    def read(exact: bool, refusals: Refusals) -> Objects:
        return objects_of_body(body, refusals, where, exact=exact)

    return raw_objects(read, limits, names)


def raw_lines(lines: Lines, limits: Limits, names: NamesOf = same_name) -> Raw:
    """The rows of complete lines. `names` are the columns that a key goes to."""

    def read(exact: bool, refusals: Refusals) -> Objects:
        return objects_of_lines(lines, limits.line_bytes_max, refusals, exact=exact)

    return raw_objects(read, limits, names)


def _blocks(text: bytes) -> Iterator[Lines]:
    start, first = 0, 1
    while start < len(text):
        end = text.find(b"\n", start + _BLOCK_BYTES) + 1 or len(text)
        block = text[start:end]
        yield Lines(block, first)
        first += block.count(b"\n")
        start = end


def is_one_object(text: bytes) -> bool:
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


def raw_objects(read: Read, limits: Limits, names: NamesOf = same_name) -> Raw:
    """The rows of the objects that `read` gives. It is called again, to read exactly, when a
    float among them may be an integer that was rounded.
    """
    try:
        return _rows(read, limits, names, exact=False)
    except InexactError:
        return _rows(read, limits, names, exact=True)


def _rows(read: Read, limits: Limits, names_of: NamesOf, *, exact: bool) -> Raw:
    refusals = Refusals()
    objects = read(exact, refusals)
    events: Sequence[dict[str, Any]] = objects.rows
    numbers = objects.numbers
    cells = None if objects.flat else spread(events, limits, exact=exact)
    if cells is not None:
        columns = spread_columns(cells, names_of, exact=exact)
    else:
        events, numbers, names = within_bounds(objects, limits, refusals, exact=exact)
        columns = raw_columns(events, names, names_of, exact=exact)
    if not events:
        return Raw(pl.DataFrame(), refusals=refusals.all)
    frame = pl.DataFrame(columns or [pl.Series("event_name", [None] * len(events), pl.String)])
    is_small = objects.bytes_max is not None and objects.bytes_max <= limits.event_bytes_max
    return Raw(frame, numbers, objects.where, refusals.all, is_small)


def within_bounds(
    objects: Objects, limits: Limits, refusals: Refusals, *, exact: bool
) -> tuple[Sequence[dict[str, Any]], Sequence[int], set[str]]:
    """The objects made flat, without those that pass a bound; their numbers; all names.

    InexactError as `flat` has it.
    """
    events, numbers = objects.rows, objects.numbers
    if not objects.flat:
        depth_max = limits.depth_max
        flatten = partial(flat, depth_max=depth_max, exact=exact)
        events, numbers = _taken(events, numbers, objects.where, refusals, flatten)
    names: set[str] = set().union(*events)
    if len(names) <= limits.keys_max and max(map(len, names), default=0) <= limits.name_chars_max:
        return events, numbers, names
    check = partial(check_names, limits=limits)
    events, numbers = _taken(events, numbers, objects.where, refusals, check)
    return events, numbers, set().union(*events)


def _taken(
    events: Sequence[dict[str, Any]],
    numbers: Sequence[int],
    where: str,
    refusals: Refusals,
    step: Callable[[dict[str, Any]], dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[int]]:
    """What `step` makes of the events, without those that it does not take."""
    kept: list[dict[str, Any]] = []
    kept_numbers: list[int] = []
    for event, number in zip(events, numbers, strict=True):
        try:
            kept.append(step(event))
        except NotTakenError as refused:
            refusals.add(placed(where, number), refused.fault)
            continue
        kept_numbers.append(number)
    return kept, kept_numbers


def check_names(event: dict[str, Any], limits: Limits) -> dict[str, Any]:
    if len(event) > limits.keys_max:
        fault = f"it has {len(event):,} keys, {limits.keys_max:,} are the limit"
        raise NotTakenError(Fault("too_many_keys", fault))
    longest = max(map(len, event), default=0)
    if longest > limits.name_chars_max:
        fault = f"a key has {longest:,} characters, {limits.name_chars_max} are the limit"
        raise NotTakenError(Fault("name_too_long", fault))
    return event
