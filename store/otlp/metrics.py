"""Points of metrics: gauges, sums, histograms, exponential histograms and summaries.

All are stored as they came. A point of a cumulative sum is no increase: analyses make increases
of the points that share `metric_stream`, and `metric_start_unix_nano` tells of resets.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

import orjson
import polars as pl
import xxhash

from store.normalise.json_text import Fault, NotTakenError, dumps
from store.otlp.attributes import listed
from store.otlp.bounds import check_buckets
from store.otlp.fields import instants_of, whole_of
from store.otlp.messages import BUCKETS, lean
from store.otlp.rows import Form, Found, Row, Values

WHERE: Final = "data point "
METRIC: Final = "metric"
_BUCKETS: Final = lean(BUCKETS)
# A tag and 64 bits, when counts are not packed.
_COUNT_BYTES_MAX: Final = 11
_TEMPORALITIES: Final = {1: "delta", 2: "cumulative"}


class Metric(NamedTuple):
    """What all points of a metric share."""

    name: str
    kind: str
    """`metric_kind`; a sum that may fall and is cumulative is a gauge."""
    unit: str | None
    temporality: str | None
    is_monotonic: bool | None
    """None for what is no sum."""
    description: str | None
    metadata: str | None

    @classmethod
    def of(cls, metric: Any, kind: str, data: Any, form: Form) -> "Metric":
        monotonic = data.is_monotonic if kind == "sum" else None
        temporality = _TEMPORALITIES.get(getattr(data, "aggregation_temporality", 0))
        if kind == "sum":
            kind = "counter" if monotonic or temporality == "delta" else "gauge"
        metadata = dumps(_values(metric.metadata, form)) if len(metric.metadata) else None
        return cls(
            metric.name,
            kind,
            metric.unit or None,
            temporality,
            monotonic,
            metric.description or None,
            metadata,
        )

    def stream_of(self, context: Row) -> Callable[[Row], str]:
        """A point's attributes -> what is the same for points of one resource, scope, metric and
        attributes, and no others.
        """
        begun = b"%b\n%b\n" % (_sorted(context), repr(self[:5]).encode())
        return lambda row: xxhash.xxh3_64_hexdigest(begun + _sorted(row))


def _sorted(row: Row) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def metrics(groups: Sequence[tuple[Row, Sequence[Any]]], form: Form) -> Found:
    """`groups` are the metrics of each resource and scope, and what these are.

    A point of a gauge or a sum has a `value`; what any other holds is in columns of its own, all
    of it: lists as JSON.
    """
    points: list[Any] = []
    shared: list[Metric] = []
    streams: list[str] = []
    rows: list[Row] = []
    extras: list[Row] = []
    contexts: list[tuple[Row, int]] = []
    faults: dict[int, Fault] = {}
    for context, group in groups:
        first = len(points)
        for metric in group:
            kind = metric.WhichOneof("data")
            if kind is None:
                continue
            data = getattr(metric, kind)
            found = Metric.of(metric, kind, data, form)
            new = [form.row(point.attributes) for point in data.data_points]
            rows += new
            streams += map(found.stream_of(context), new)
            points += data.data_points
            shared += repeat(found, len(new))
            for number, point in enumerate(data.data_points, len(extras) + 1):
                try:
                    extras.append(_EXTRAS[kind](point, form))
                except NotTakenError as refused:
                    extras.append({})
                    faults[number] = refused.fault
        contexts.append((context, len(points) - first))
    return Found(WHERE, rows, _fields(points, shared, streams, extras), contexts, faults)


def _fields(
    points: Sequence[Any],
    shared: Sequence[Metric],
    streams: Sequence[str],
    extras: Sequence[Row],
) -> dict[str, Values]:
    fields: dict[str, Values] = {
        "event_time": instants_of(point.time_unix_nano for point in points),
        "event_type": [METRIC] * len(points),
        "event_name": [metric.name for metric in shared],
        "metric_kind": [metric.kind for metric in shared],
        "unit": [metric.unit for metric in shared],
        "metric_temporality": [metric.temporality for metric in shared],
        "metric_is_monotonic": [metric.is_monotonic for metric in shared],
        "metric_description": [metric.description for metric in shared],
        "metric_metadata": [metric.metadata for metric in shared],
        "metric_stream": pl.Series(streams, dtype=pl.String),
        "metric_start_unix_nano": whole_of(point.start_time_unix_nano for point in points),
        "metric_flags": whole_of(point.flags for point in points),
    }
    for name in sorted(set().union(*extras)):
        fields[name] = [extra.get(name) for extra in extras]
    return fields


def _number(point: Any, form: Form) -> Row:
    return {"value": _value(point)} | _exemplars(point, form)


def _histogram(point: Any, form: Form) -> Row:
    check_buckets(max(len(point.bucket_counts), len(point.explicit_bounds)))
    return {
        **_counted(point),
        "metric_bucket_counts": dumps(list(point.bucket_counts)),
        "metric_explicit_bounds": dumps([listed(bound) for bound in point.explicit_bounds]),
        **_exemplars(point, form),
    }


def _exponential(point: Any, form: Form) -> Row:
    positive, negative = form.buckets_of(point.positive), form.buckets_of(point.negative)
    return {
        **_counted(point),
        "metric_scale": point.scale,
        "metric_zero_count": point.zero_count,
        "metric_zero_threshold": point.zero_threshold,
        "metric_positive_offset": positive.offset,
        "metric_positive_counts": dumps(list(positive.bucket_counts)),
        "metric_negative_offset": negative.offset,
        "metric_negative_counts": dumps(list(negative.bucket_counts)),
        **_exemplars(point, form),
    }


def buckets_of(data: bytes) -> Any:
    """Of protobuf. NotTakenError: too many of them."""
    check_buckets(len(data) // _COUNT_BYTES_MAX)
    buckets = _BUCKETS.FromString(data)
    check_buckets(len(buckets.bucket_counts))
    return buckets


def json_buckets_of(buckets: Any) -> Any:
    """Of JSON."""
    check_buckets(len(buckets.bucket_counts))
    return buckets


def _summary(point: Any, _form: Form) -> Row:
    quantiles = [[listed(each.quantile), listed(each.value)] for each in point.quantile_values]
    return {
        "metric_count": point.count,
        "metric_sum": point.sum,
        "metric_quantiles": dumps(quantiles),
    }


def _counted(point: Any) -> Row:
    row: Row = {"metric_count": point.count}
    for name in ("sum", "min", "max"):
        if point.HasField(name):
            row[f"metric_{name}"] = getattr(point, name)
    return row


_EXTRAS: Final[Mapping[str, Callable[[Any, Form], Row]]] = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
    "summary": _summary,
}


def _value(point: Any) -> int | float | None:
    kind = point.WhichOneof("value")
    return None if kind is None else getattr(point, kind)


def _exemplars(point: Any, form: Form) -> Row:
    if not len(point.exemplars):
        return {}
    return {"metric_exemplars": exemplars_text(point.exemplars, form)}


def exemplars_text(exemplars: Sequence[Any], form: Form) -> str:
    """As JSON text."""
    return dumps([_exemplar(each, form) for each in exemplars])


def _exemplar(exemplar: Any, form: Form) -> Row:
    found = {
        "time_unix_nano": exemplar.time_unix_nano,
        "value": listed(_value(exemplar)),
        "trace_id": exemplar.trace_id.hex(),
        "span_id": exemplar.span_id.hex(),
        "attributes": _values(exemplar.filtered_attributes, form),
    }
    return {name: value for name, value in found.items() if value or name == "value"}


def _values(attributes: Sequence[Any], form: Form) -> Row:
    """For JSON."""
    return {name: listed(value) for name, value in form.row(attributes).items()}
