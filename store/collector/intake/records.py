"""What intakes of JSON records share: from a vendor's objects to events, refusals by place.

An intake says where the records are and what one record is in our terms; types, nested values
and bounds are those of the native intake.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

from store.normalise import Arrival, Decoded, raw_objects
from store.normalise.json_lines import Objects, Refusals, not_an_object, placed
from store.normalise.json_text import Fault, NotTakenError, exact_loads, loads
from store.otlp.bounds import check_json
from store.schema import ATTRIBUTE_PREFIX, FIXED
from store.tally import Receipt, Refusal

Record = dict[str, Any]
Load = Callable[[bytes], Any]
"""Reads one JSON text; NotTakenError."""
Find = Callable[[Load, Refusals], Objects]
"""The events of a body, flat or nested. What it raises (NotTakenError) refuses the whole body; it
may be called twice, and then reads exactly.
"""

BODY: Final = "body"
"""The place of a refusal that is about a body as a whole."""
TOO_LARGE: Final = "too_large"
BAD_TYPE: Final = "bad_type"
_STATUSES: Final[Mapping[str, int]] = {TOO_LARGE: 413, BAD_TYPE: 415}
# What a program may say of itself by the name that it has here. Any other attribute called like a
# fixed column is kept apart: an `event_id` among the properties would make duplicates.
_THEIRS: Final = frozenset(
    {
        *("service_name", "service_version", "service_commit", "is_dev", "component"),
        *("session_id", "duration_ms", "value", "message", "severity", "severity_text"),
        *("trace_id", "span_id", "parent_span_id"),
    }
)
_OURS: Final = frozenset(FIXED) - _THEIRS


def decode_records(find: Find, arrival: Arrival) -> Decoded:
    """The events that `find` gives, and a refusal for each record that is none; never raises for
    what a sender sent. `Decoded.numbers` are those of the records that became events.
    """

    def read(exact: bool, refusals: Refusals) -> Objects:
        return find(exact_loads if exact else loads, refusals)

    try:
        return raw_objects(read, arrival.limits).decoded(arrival)
    except NotTakenError as refused:
        return refused_body(refused.fault)


def refused_body(fault: Fault) -> Decoded:
    """Nothing of the body is taken; it counts as one."""
    return Decoded(pl.DataFrame(), [Refusal(BODY, fault.text, fault.reason)])


def body_fault(receipt: Receipt) -> tuple[int, str] | None:
    """The status (4xx) and the fault of a body that was refused as a whole, or of which no record
    could be read.
    """
    if not receipt.errors or receipt.rejected < receipt.received:
        return None
    first = receipt.errors[0]
    status = _STATUSES.get(first.reason, 400) if first.place == BODY else 400
    return status, first.fault


def events_of(
    records: Sequence[Any],
    event_of: Callable[[Record], Record],
    refusals: Refusals,
    *,
    where: str,
    body_bytes: int,
    record_bytes_max: int | None = None,
) -> Objects:
    """Each record as an event; `where` is what goes before its number from 0 (`batch[`).

    `event_of` may raise NotTakenError: then it is refused, as is one that is no object or takes
    more than `record_bytes_max` as JSON.
    """
    rows: list[Record] = []
    numbers: list[int] = []
    bytes_max = record_bytes_max if record_bytes_max and body_bytes > record_bytes_max else None
    for number, record in enumerate(records):
        try:
            if type(record) is not dict:
                raise NotTakenError(not_an_object(record))  # noqa: TRY301  as event_of does
            if bytes_max is not None:
                _check_size(record, bytes_max)
            rows.append(event_of(record))
        except NotTakenError as refused:
            refusals.add(placed(where, number), refused.fault)
            continue
        numbers.append(number)
    return Objects(rows, numbers, where, bytes_max=body_bytes)


def check_body(body: bytes, bytes_max: int) -> None:
    """NotTakenError: it is larger than the vendor takes, or holds more than anyone needs."""
    if len(body) > bytes_max:
        fault = f"the body has {len(body):,} bytes, {bytes_max:,} are this protocol's limit"
        raise NotTakenError(Fault(TOO_LARGE, fault))
    check_json(body)


def _check_size(record: Record, bytes_max: int) -> None:
    try:
        size = len(orjson.dumps(record))
    except (orjson.JSONEncodeError, TypeError):  # too deep, or an integer past 64 bits
        return
    if size > bytes_max:
        fault = f"it has {size:,} bytes, {bytes_max:,} are this protocol's limit"
        raise NotTakenError(Fault(TOO_LARGE, fault))


class Adopted:
    """Fields of ours, and by what names a vendor's programs call each; the first there counts."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._fields = {theirs: ours for ours, those in names.items() for theirs in those}
        self._ranks = {theirs: rank for rank, theirs in enumerate(self._fields)}

    def found(self, record: Record) -> list[tuple[str, str]]:
        """(ours, theirs) for each such name in the record, the better of two before the other."""
        there = sorted(record.keys() & self._fields.keys(), key=self._ranks.__getitem__)
        return [(self._fields[theirs], theirs) for theirs in there]


def object_of(value: Any, what: str) -> Record:
    """`value`, or NotTakenError when it is no object; null is an empty one."""
    if value is None:
        return {}
    if type(value) is not dict:
        raise NotTakenError(Fault("not_an_object", f"{what} is not written as an object"))
    return value


def list_of(value: Any, what: str) -> list[Any]:
    """`value`, or NotTakenError when it is no array."""
    if type(value) is not list:
        raise NotTakenError(Fault("not_an_array", f"{what} is not written as an array"))
    return value


def attributes_of(value: Any, name: str) -> Record:
    """An object's own; what is no object is the attribute `name`."""
    if type(value) is dict:
        return value
    return {} if value is None else {name: value}


def joined(attributes: Mapping[str, Any], fields: Record) -> Record:
    """An event of both. An attribute that is called like one of `fields`, or like a fixed column
    that is not for programs to say, gets `attr.` before its name.
    """
    names = attributes.keys()
    if names.isdisjoint(_OURS) and names.isdisjoint(fields):
        return {**attributes, **fields}
    event = dict(fields)
    for name, value in attributes.items():
        called = ATTRIBUTE_PREFIX + name if name in _OURS else name
        while called in event or (called != name and called in attributes):
            called = ATTRIBUTE_PREFIX + called
        event[called] = value
    return event
