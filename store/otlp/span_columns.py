"""Spans and their events as columns: what store.otlp.traces makes of them one by one."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from store.normalise.columns import longest
from store.otlp.attribute_columns import TEXT, Attributes, attributes_of
from store.otlp.columnar import Columns, Groups, Records, Table, among, raw_of, repeated
from store.otlp.forms import PROTOBUF
from store.otlp.messages import lean
from store.otlp.texts import Flags, but, hex_of, instants_of, merged, text_of, whole_of
from store.otlp.traces import (
    ERROR,
    EXCEPTION,
    KINDS,
    NAME_CHARS_MAX,
    SAID,
    SPAN,
    SPAN_EVENT,
    STATUS_CODES,
    WHERE,
    links_text,
)
from store.otlp.wire import Fields, Messages, UnusualError, Whole, fields
from store.settings import Limits

_TRACE, _SPAN, _STATE, _PARENT, _NAME, _KIND = 1, 2, 3, 4, 5, 6
_START, _END, _ATTRIBUTES, _DROPPED, _EVENTS = 7, 8, 9, 10, 11
_DROPPED_EVENTS, _LINKS, _DROPPED_LINKS, _STATUS, _FLAGS = 12, 13, 14, 15, 16
_EVENT_TIME, _EVENT_NAME, _EVENT_ATTRIBUTES, _EVENT_DROPPED = 1, 2, 3, 4
_STATUS_MESSAGE, _STATUS_CODE = 2, 3
# Differences up to here are exact as floats.
_NANOSECONDS_MAX: Final = 2**53
_LINK: Final = lean("opentelemetry.proto.trace.v1.Span.Link")


@dataclass(frozen=True, slots=True)
class _Spans:
    """One row for each span, then one for each event of theirs."""

    count: int
    spans: Fields
    events: Fields
    statuses: Fields
    owners: Whole
    """The span of each row."""

    @classmethod
    def of(cls, messages: Messages) -> "_Spans":
        spans = fields(messages)
        within, events = spans.messages(_EVENTS)
        height = len(messages) + len(within)
        spans = replace(spans, count=height)
        rows = np.arange(height)
        with_status, statuses = spans.messages(_STATUS)
        return cls(
            len(messages),
            spans,
            fields(events, rows[len(messages) :], height),
            fields(statuses, with_status, height),
            np.concatenate((rows[: len(messages)], within)),
        )

    def of_both(self, number: int, event_number: int) -> tuple[Whole, Messages]:
        """The messages in these fields, in the order of their bytes."""
        rows, found = self.spans.messages(number)
        event_rows, event_found = self.events.messages(event_number)
        if not len(event_rows):
            return rows, found
        starts = np.concatenate((found.starts, event_found.starts))
        order = np.argsort(starts)
        ends = np.concatenate((found.ends, event_found.ends))
        both = Messages(found.data, starts[order], ends[order])
        return np.concatenate((rows, event_rows))[order], both

    def is_event(self) -> Flags:
        return np.arange(len(self.owners)) >= self.count


def span_columns(groups: Groups, limits: Limits) -> Table:
    """UnusualError: to be read one by one."""
    records = Records.of(groups, limits)
    found = _Spans.of(records.messages)
    attributes = attributes_of(*found.of_both(_ATTRIBUTES, _EVENT_ATTRIBUTES))
    own = _ids(found) | _times(found) | _texts(found, attributes, limits) | _counts(found)
    counts = np.bincount(found.owners[found.count :], minlength=found.count)
    ends = np.cumsum([count for _, count in records.contexts])
    within = [int(part.sum()) for part in np.split(counts, ends[:-1])]
    contexts = [(c, n) for (c, _), n in zip(records.contexts, within, strict=True) if n]
    records = replace(records, contexts=[*records.contexts, *contexts], rows=found.owners)
    return raw_of(WHERE, own, attributes, records, limits)


def _ids(found: _Spans) -> Columns:
    """UnusualError: a span without."""
    columns: Columns = {"parent_span_id": hex_of(found.spans, _PARENT, 8)}
    for name, number, size in (("trace_id", _TRACE, 16), ("span_id", _SPAN, 8)):
        ids = hex_of(found.spans, number, size)
        if ids is None or ids.null_count() > len(ids) - found.count:
            raise UnusualError
        columns[name] = ids.gather(found.owners) if found.count < len(ids) else ids
    return columns


def _times(found: _Spans) -> Columns:
    starts, ends = found.spans.fixed64(_START), found.spans.fixed64(_END)
    times = np.where(starts == 0, ends, starts)[found.owners]
    own = found.events.fixed64(_EVENT_TIME)
    is_none = (starts == 0) | (ends == 0)
    nanoseconds = np.where(is_none, 0, ends - starts)
    if (starts < 0).any() or (ends < 0).any() or (np.abs(nanoseconds) > _NANOSECONDS_MAX).any():
        raise UnusualError
    return {
        "event_time": instants_of(np.where(own == 0, times, own)),
        "duration_ms": but(pl.Series(nanoseconds / 1_000_000), is_none),
    }


def _texts(found: _Spans, attributes: Attributes, limits: Limits) -> Columns:
    codes = found.statuses.varints(_STATUS_CODE)
    event_names = text_of(found.events, _EVENT_NAME)
    names = merged(text_of(found.spans, _NAME), event_names)
    kinds = repeated((SPAN, SPAN_EVENT), (found.count, len(found.owners) - found.count))
    if names is None or longest(names) > NAME_CHARS_MAX:
        raise UnusualError
    is_error = codes == 2
    if event_names is not None:
        is_error |= (event_names == EXCEPTION).fill_null(value=False).to_numpy()
    return {
        "event_type": kinds,
        "event_name": merged(names, kinds),
        "severity": whole_of(np.where(is_error, ERROR, 0), np.int64),
        "message": merged(
            text_of(found.statuses, _STATUS_MESSAGE), _said(found, attributes, limits)
        ),
        "span.kind": among(found.spans.varints(_KIND), KINDS),
        "otel.status_code": among(codes, STATUS_CODES),
        "links": _links(found.spans),
        "trace_state": text_of(found.spans, _STATE),
    }


def _said(found: _Spans, attributes: Attributes, limits: Limits) -> pl.Series | None:
    """What an exception says, of events alone."""
    said = attributes.get(SAID)
    if said is None or found.count == len(found.owners):
        return None
    if (said.tags != TEXT).any():
        raise UnusualError
    return but(said.columns(SAID, len(found.owners), limits)[0], ~found.is_event())


def _counts(found: _Spans) -> Columns:
    spans = found.spans
    dropped = spans.varints(_DROPPED) + found.events.varints(_EVENT_DROPPED)
    return {
        "trace_flags": whole_of(spans.fixed32(_FLAGS)),
        "otel.dropped_attributes_count": whole_of(dropped),
        "otel.dropped_events_count": whole_of(spans.varints(_DROPPED_EVENTS)),
        "otel.dropped_links_count": whole_of(spans.varints(_DROPPED_LINKS)),
    }


def _links(spans: Fields) -> pl.Series | None:
    """As JSON text."""
    rows, messages = spans.messages(_LINKS)
    if not len(rows):
        return None
    texts: list[str | None] = [None] * spans.count
    links = list(map(_LINK.FromString, messages))
    places, firsts = np.unique(rows, return_index=True)
    for place, first, end in zip(places, firsts, [*firsts[1:], len(links)], strict=True):
        texts[place] = links_text(links[first:end], PROTOBUF)
    return pl.Series(texts, dtype=pl.String)
