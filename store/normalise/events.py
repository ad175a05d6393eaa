"""Raw columns made into events: the four required fields, the fixed columns, the bounds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

import polars as pl

from store.event import EventIds, uuid7_time
from store.normalise.columns import extremes, free_name, longest
from store.normalise.decoded import Decoded
from store.normalise.fields import OURS, fitted, severities, subject_hash
from store.normalise.json_text import NotTakenError, loads
from store.normalise.sizes import ORIGINAL_BYTES, within
from store.normalise.times import instants, moments
from store.schema import ATTRIBUTE_PREFIX, FIXED, INSTANT, OVERFLOW, PART
from store.settings import Limits
from store.tally import Refusal
from store.timespan import AHEAD_MAX, OLDEST

OUT_OF_TIME: Final = "out_of_time"
"""The column that is true where the time cannot be: before 1990, or over two days ahead."""
DEFAULT_TYPE: Final = "log"
# Attributes that would be taken for something of the store's own.
_RESERVED: Final = frozenset({"", PART, OVERFLOW, "_date", OUT_OF_TIME, ORIGINAL_BYTES})
_OTHERS: Final = frozenset({"event_time", "severity"})
Place = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """When and how events came in."""

    received: datetime
    source: str
    ids: EventIds
    limits: Limits
    zone: tzinfo = UTC
    """Of times that have none."""
    strict: bool = False
    """All four required fields are wanted, as Rill's protocol has it."""


def normalised(
    raw: pl.DataFrame, arrival: Arrival, place: Place, *, small: bool = False
) -> Decoded:
    """Events out of flat raw columns, in their order; rows that are no events are refused.

    A missing id, time and type are filled in (a UUIDv7; the id's time if it is a UUIDv7, else the
    time received; `log`). What is not fit for its fixed column is kept as `attr.NAME`. `place`
    names a row in a refusal; `small` says that no event passes the limit for one.
    """
    making = _Making(raw, arrival, place)
    making.fit_names()
    making.fill_required()
    making.add_ours()
    events = making.events()
    if events.height and not small:
        events = within(events, arrival.limits.event_bytes_max)
    return Decoded(events, making.refusals(), making.kept())


@dataclass(slots=True)
class _Making:
    """The columns on their way, and the rows that will not make it."""

    raw: pl.DataFrame
    arrival: Arrival
    place: Place
    columns: dict[str, pl.Series] = field(default_factory=dict)
    refused: dict[int, Refusal] = field(default_factory=dict)
    """row -> why; the first reason stays."""
    taken: set[str] = field(default_factory=set)

    def fit_names(self) -> None:
        """Every raw column to its place: fixed ones fitted, the others under a name of theirs."""
        self.taken = set(self.raw.columns) | set(FIXED)
        for values in self.raw.get_columns():
            if values.null_count() == len(values):
                continue
            name = values.name
            if _is_attribute(name) or (name == OVERFLOW and _all_objects(values)):
                self.columns[name] = values
            elif name not in FIXED or name in OURS:
                self.keep_as_attribute(values)
            elif name in _OTHERS:
                self.columns[name] = values
            else:
                self.columns[name], misfit = fitted(name, values)
                self.keep_as_attribute(misfit)

    def keep_as_attribute(self, values: pl.Series | None) -> None:
        if values is not None:
            name = free_name(ATTRIBUTE_PREFIX + values.name, self.taken)
            self.columns[name] = values.alias(name)

    def fill_required(self) -> None:
        """The four required fields, or a refusal for the row."""
        self.check_texts()
        ids = self.column("event_id", pl.String())
        self.fill_times(ids)
        self.fill_ids(ids)
        kinds = self.column("event_type", pl.String())
        self.wanted("event_type", kinds)
        if kinds.null_count() == len(kinds):
            kinds = self.text("event_type", DEFAULT_TYPE)
        self.columns["event_type"] = kinds.fill_null(DEFAULT_TYPE) if kinds.null_count() else kinds

    def check_texts(self) -> None:
        """A name for every event, and no name, type or id past the limit."""
        names = self.column("event_name", pl.String())
        if names.null_count() or (names == "").any():
            fault = "it has no event_name; every event needs one, as text"
            self.refuse(names.is_null() | (names == ""), "no_name", fault)
        self.columns["event_name"] = names
        chars_max = self.arrival.limits.name_chars_max
        for name in ("event_name", "event_type", "event_id"):
            if name in self.columns and longest(self.columns[name]) > chars_max:
                fault = f"{name} is longer than {chars_max} characters"
                self.refuse(self.columns[name].str.len_chars() > chars_max, "name_too_long", fault)

    def fill_times(self, ids: pl.Series) -> None:
        given = self.column("event_time", INSTANT)
        times = instants(given, self.arrival.zone)
        if times.null_count() > given.null_count():
            unread = times.is_null() & given.is_not_null()
            self.refuse(unread, "bad_time", lambda row: _bad_time(given[row]))
        self.wanted("event_time", given)
        if given.null_count() == len(given):
            times = self.times_of(ids)
        elif given.null_count():
            times = times.zip_with(given.is_not_null(), self.times_of(ids))
        self.columns["event_time"] = times

    def times_of(self, ids: pl.Series) -> pl.Series:
        """The time inside a UUIDv7, else the time received."""
        if ids.null_count() == len(ids):
            return self.received("event_time")
        received = self.arrival.received
        found = [(uuid7_time(text) if text else None) or received for text in ids.to_list()]
        return moments("event_time", found)

    def received(self, name: str) -> pl.Series:
        """The time received, for every row."""
        return moments(name, [self.arrival.received]).new_from_index(0, self.raw.height)

    def fill_ids(self, ids: pl.Series) -> None:
        if not ids.null_count() and not (ids == "").any():
            self.columns["event_id"] = ids
            return
        if ids.null_count() == len(ids):
            self.wanted("event_id", ids)
            fresh_ids = self.arrival.ids.take(len(ids))
            self.columns["event_id"] = pl.Series("event_id", fresh_ids, dtype=pl.String)
            return
        missing = ids.is_null() | (ids == "")
        self.wanted("event_id", ids.set(missing, None))
        fresh = iter(self.arrival.ids.take(int(missing.sum())))
        filled = [text or next(fresh) for text in ids.to_list()]
        self.columns["event_id"] = pl.Series("event_id", filled, dtype=pl.String)

    def add_ours(self) -> None:
        """What no sender says: received when, by which intake, who, how severe, out of time."""
        made, misfit = severities(self.columns)
        self.columns |= made
        self.keep_as_attribute(misfit)
        self.columns["received_time"] = self.received("received_time")
        self.columns["source"] = self.text("source", self.arrival.source)
        if (hashes := subject_hash(self.columns)) is not None:
            self.columns["subject_hash"] = hashes
        times = self.columns["event_time"]
        latest = self.arrival.received + AHEAD_MAX
        first, last = extremes(times)
        if first is not None and not OLDEST <= first <= last <= latest:
            out = (times < OLDEST) | (times > latest)
            self.columns[OUT_OF_TIME] = out.set(~out, None).alias(OUT_OF_TIME)

    def text(self, name: str, value: str) -> pl.Series:
        """The same one for every row."""
        return pl.Series(name, [value], dtype=pl.String).new_from_index(0, self.raw.height)

    def column(self, name: str, kind: pl.DataType) -> pl.Series:
        """The column as given, or nulls."""
        found = self.columns.get(name)
        if found is not None:
            return found
        return pl.Series(name, [None], dtype=kind).new_from_index(0, self.raw.height)

    def wanted(self, name: str, given: pl.Series) -> None:
        if self.arrival.strict and given.null_count():
            self.refuse(
                given.is_null(), f"no_{name.removeprefix('event_')}", f"it has no {name} (strict=1)"
            )

    def refuse(self, rows: pl.Series, reason: str, fault: str | Callable[[int], str]) -> None:
        for row in rows.arg_true().to_list():
            said = fault if isinstance(fault, str) else fault(row)
            self.refused.setdefault(row, Refusal(self.place(row), said, reason))

    def events(self) -> pl.DataFrame:
        """The columns that stand for something, the fixed ones first, without the refused rows."""
        names: Iterable[str] = (*FIXED, *(name for name in self.columns if name not in FIXED))
        found = (self.columns[name].alias(name) for name in names if name in self.columns)
        events = pl.DataFrame([values for values in found if values.null_count() < len(values)])
        if not self.refused:
            return events
        kept = pl.Series([row not in self.refused for row in range(self.raw.height)])
        events = events.filter(kept)
        return pl.DataFrame([v for v in events.get_columns() if v.null_count() < len(v)])

    def kept(self) -> Sequence[int]:
        """The rows that were not refused."""
        rows = range(self.raw.height)
        return [row for row in rows if row not in self.refused] if self.refused else rows

    def refusals(self) -> list[Refusal]:
        return [self.refused[row] for row in sorted(self.refused)]


def _is_attribute(name: str) -> bool:
    return name not in _RESERVED and name.lower() not in FIXED


def _all_objects(values: pl.Series) -> bool:
    """Whether this is what we write into OVERFLOW, and not an attribute that is called so."""
    try:
        texts = values.cast(pl.String).drop_nulls().to_list()
        return all(type(loads(text.encode())) is dict for text in texts)
    except NotTakenError:
        return False


def _bad_time(value: object) -> str:
    shown = str(value)
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return f"event_time {shown!r} is no time; send ISO 8601 or Unix time"
