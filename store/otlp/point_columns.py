"""Points of gauges and sums as columns: what store.otlp.metrics makes of them one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from store.otlp.attribute_columns import Attributes, attributes_of
from store.otlp.columnar import GROWTH, Columns, Groups, Records, Table, raw_of, repeated, same
from store.otlp.forms import PROTOBUF
from store.otlp.messages import lean
from store.otlp.metrics import METRIC, WHERE, Metric, exemplars_text
from store.otlp.rows import Row
from store.otlp.texts import instants_of, present, whole_of
from store.otlp.wire import FIXED64, Fields, UnusualError, fields, fixed
from store.schema import EXACT_FLOAT_MAX
from store.settings import Limits

_START, _TIME, _DOUBLE, _EXEMPLARS, _INTEGER, _ATTRIBUTES, _FLAGS = 2, 3, 4, 5, 6, 7, 8
_EXEMPLAR: Final = lean("opentelemetry.proto.metrics.v1.Exemplar")
_KINDS: Final = frozenset({"gauge", "sum"})


@dataclass(frozen=True, slots=True)
class _Group:
    """The points of one metric."""

    metric: Metric
    context: Row
    points: Sequence[bytes]


def point_columns(groups: Groups, limits: Limits) -> Table:
    """UnusualError: to be read one by one."""
    found = [_group(metric, context) for context, metrics in groups for metric in metrics]
    found = [group for group in found if group.points]
    records = Records.of([(group.context, group.points) for group in found], limits)
    shared = max(len(repr(group.metric)) for group in found)
    records = replace(records, bytes_max=records.bytes_max + GROWTH * shared)
    points = fields(records.messages)
    attributes = attributes_of(*points.messages(_ATTRIBUTES))
    own = _shared(found) | _own(points)
    own["metric_stream"] = _streams(found, attributes, points.count, limits)
    return raw_of(WHERE, own, attributes, records, limits)


def _group(metric: Any, context: Row) -> _Group:
    kind = metric.WhichOneof("data")
    if kind not in _KINDS:
        raise UnusualError
    data = getattr(metric, kind)
    return _Group(Metric.of(metric, kind, data, PROTOBUF), context, data.data_points)


def _shared(groups: Sequence[_Group]) -> Columns:
    counts = [len(group.points) for group in groups]
    names = ("name", "kind", "unit", "temporality", "is_monotonic", "description", "metadata")
    columns = zip(*(group.metric for group in groups), strict=True)
    found = {name: repeated(values, counts) for name, values in zip(names, columns, strict=True)}
    return {
        "event_type": same(METRIC, sum(counts)),
        "event_name": found.pop("name"),
        "unit": found.pop("unit"),
        **{f"metric_{name}": values for name, values in found.items()},
    }


def _own(points: Fields) -> Columns:
    return {
        "event_time": instants_of(points.fixed64(_TIME)),
        "value": _values(points),
        "metric_start_unix_nano": whole_of(points.fixed64(_START)),
        "metric_flags": whole_of(points.varints(_FLAGS)),
        "metric_exemplars": _exemplars(points),
    }


def _values(points: Fields) -> pl.Series:
    """UnusualError: a point without one, or integers that are none as floats beside floats."""
    whole = points.one_of_each(_INTEGER, FIXED64)
    floats = points.one_of_each(_DOUBLE, FIXED64)
    is_whole = present(points.owners[whole], points.count)
    if len(whole) + len(floats) != points.count or is_whole[points.owners[floats]].any():
        raise UnusualError
    integers = points.fixed64(_INTEGER)
    if len(whole) == points.count:
        return pl.Series(integers)
    if ((integers > EXACT_FLOAT_MAX) | (integers < -EXACT_FLOAT_MAX)).any():
        raise UnusualError
    values = integers.astype(np.float64)
    values[points.owners[floats]] = fixed(points.data, points.starts[floats], "<f8")
    return pl.Series(values)


def _streams(
    groups: Sequence[_Group], attributes: Attributes, height: int, limits: Limits
) -> pl.Series:
    rows: list[Row] = [{} for _ in range(height)]
    for name, values in attributes.items():
        for row, value in zip(values.rows.tolist(), values.said(limits), strict=True):
            rows[row][name] = value
    streams: list[str] = []
    for group in groups:
        first = len(streams)
        streams += map(
            group.metric.stream_of(group.context), rows[first : first + len(group.points)]
        )
    return pl.Series(streams, dtype=pl.String)


def _exemplars(points: Fields) -> pl.Series | None:
    """As JSON text."""
    rows, messages = points.messages(_EXEMPLARS)
    if not len(rows):
        return None
    texts: list[str | None] = [None] * points.count
    exemplars = list(map(_EXEMPLAR.FromString, messages))
    places, firsts = np.unique(rows, return_index=True)
    for place, first, end in zip(places, firsts, [*firsts[1:], len(rows)], strict=True):
        texts[place] = exemplars_text(exemplars[first:end], PROTOBUF)
    return pl.Series(texts, dtype=pl.String)
