"""What is kept of each point of a metric."""

import json
import math

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from store.otlp import bounds
from tests.store.collector.intake.samples.otlp import AT, SAMPLES, metrics_request, put

METRICS = next(sample for sample in SAMPLES if sample.name == "otlp metrics")
IN_JSON = next(sample for sample in SAMPLES if sample.name == "otlp metrics json")
START = AT - 10**9


def decoded(request):
    found = METRICS.decode(request.SerializeToString())
    assert not found.refusals
    return found.events


def scope_of(request):
    return request.resource_metrics[0].scope_metrics[0]


def point(number, sample=METRICS):
    """Without what is null, and what all of them have."""
    event = sample.decode().events.row(number, named=True)
    for name in ("event_id", "event_time", "received_time", "metric_stream", "source"):
        assert event.pop(name)
    return {name: value for name, value in event.items() if value is not None}


COMMON = {
    "event_type": "metric",
    "service_name": "shop",
    "otel.scope.name": "cart",
    "metric_start_unix_nano": START,
}


def test_a_gauge_has_a_value():
    assert point(0) == COMMON | {
        "event_name": "load",
        "value": 0.5,
        "unit": "1",
        "metric_kind": "gauge",
        "metric_description": "how busy it is",
        "metric_metadata": '{"origin":"host"}',
    }


def test_a_cumulative_sum_is_stored_as_it_came():
    assert point(1) == COMMON | {
        "event_name": "requests",
        "value": 7.0,
        "unit": "{request}",
        "metric_kind": "counter",
        "metric_temporality": "cumulative",
        "metric_is_monotonic": True,
        "route": "/cart",
    }


def test_a_histogram_keeps_its_buckets():
    assert point(2) == COMMON | {
        "event_name": "times",
        "unit": "ms",
        "metric_kind": "histogram",
        "metric_temporality": "delta",
        "metric_count": 3,
        "metric_sum": 30.0,
        "metric_min": 1.0,
        "metric_max": 20.0,
        "metric_bucket_counts": "[1,0,2]",
        "metric_explicit_bounds": "[5.0,10.0]",
        "metric_exemplars": (
            f'[{{"time_unix_nano":{AT},"value":20.0,"trace_id":"000102030405060708090a0b0c0d0e0f",'
            '"span_id":"0001020304050607","attributes":{"user":"ada"}}]'
        ),
    }


def test_an_exponential_histogram_keeps_its_buckets():
    assert point(3) == COMMON | {
        "event_name": "sizes",
        "unit": "By",
        "metric_kind": "exponential_histogram",
        "metric_temporality": "cumulative",
        "metric_count": 6,
        "metric_sum": 12.5,
        "metric_scale": 3,
        "metric_zero_count": 1,
        "metric_zero_threshold": 0.25,
        "metric_positive_offset": -2,
        "metric_positive_counts": "[1,3]",
        "metric_negative_offset": 4,
        "metric_negative_counts": "[1]",
    }


def test_a_summary_keeps_its_quantiles():
    assert point(4) == COMMON | {
        "event_name": "old",
        "metric_kind": "summary",
        "metric_count": 9,
        "metric_sum": 90.0,
        "metric_quantiles": '[[0.5,8.0],[0.99,"Infinity"]]',
    }


def test_points_in_json_say_the_same():
    first, second = point(0, IN_JSON), point(1, IN_JSON)
    assert (first["value"], first["metric_temporality"]) == (7.0, "delta")
    assert (second["metric_bucket_counts"], second["metric_explicit_bounds"]) == (
        "[1,2]",
        "[5.0,1000.0]",
    )
    assert "metric_sum" not in second


@pytest.mark.parametrize(
    ("is_monotonic", "temporality", "kind"),
    [
        (True, 1, "counter"),
        (True, 2, "counter"),
        (False, 1, "counter"),
        (False, 2, "gauge"),
        (False, 0, "gauge"),
    ],
)
def test_sums_are_counters_unless_they_are_levels(is_monotonic, temporality, kind):
    request = metrics_request()
    total = scope_of(request).metrics[1].sum
    total.is_monotonic, total.aggregation_temporality = is_monotonic, temporality
    assert decoded(request)["metric_kind"][1] == kind
    assert decoded(request)["metric_is_monotonic"][1] == is_monotonic


def test_a_stream_is_one_of_resource_scope_metric_and_attributes():
    request = metrics_request()
    first = decoded(request)["metric_stream"]
    assert first.n_unique() == 5
    point = scope_of(request).metrics[1].sum.data_points[0]
    point.time_unix_nano, point.as_int = AT + 1, 9
    assert decoded(request)["metric_stream"].equals(first)
    put(point.attributes, {"method": "GET"})
    changed = decoded(request)["metric_stream"]
    assert (changed == first).to_list() == [True, False, True, True, True]
    put(request.resource_metrics[0].resource.attributes, {"service.instance.id": "2"})
    assert not (decoded(request)["metric_stream"] == changed).any()


def test_a_stream_is_the_same_in_whatever_order_its_attributes_come():
    one, other = metrics_request(), metrics_request()
    for request, names in ((one, "ab"), (other, "ba")):
        put(scope_of(request).metrics[0].gauge.data_points[0].attributes, dict.fromkeys(names, 1))
    assert decoded(one)["metric_stream"].equals(decoded(other)["metric_stream"])


@pytest.mark.parametrize("value", [2**60 + 1, -(2**63)])
def test_an_integer_beyond_a_float_is_kept_exactly(value):
    request = metrics_request()
    scope_of(request).metrics[1].sum.data_points[0].as_int = value
    event = decoded(request).row(1, named=True)
    assert (event["value"], event["attr.value"]) == (None, value)


def test_a_point_that_is_not_a_number_is_kept():
    request = metrics_request()
    scope_of(request).metrics[0].gauge.data_points[0].as_double = math.nan
    assert math.isnan(decoded(request)["attr.value"][0])


def test_a_point_without_a_value_says_so():
    request = metrics_request()
    request.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points.add(flags=1)
    event = decoded(request).row(1, named=True)
    assert (event["value"], event["metric_flags"]) == (None, 1)


def test_a_metric_without_a_name_is_refused_and_one_without_points_is_nothing():
    request = metrics_request()
    scope_of(request).metrics.add(name="empty")
    scope_of(request).metrics[0].name = ""
    found = METRICS.decode(request.SerializeToString())
    assert [(r.place, r.reason) for r in found.refusals] == [("data point 1", "no_name")]
    assert found.events.height == 4


def exponential(**fields):
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="times")
    point = metric.exponential_histogram.data_points.add(time_unix_nano=AT, **fields)
    return request, point


def test_buckets_far_away_take_no_room():
    request, point = exponential(scale=20)
    point.positive.offset, point.negative.offset = 2**31 - 1, -(2**31)
    point.positive.bucket_counts.extend([1, 2**64 - 1])
    found = METRICS.decode(request.SerializeToString())
    event = found.events.row(0, named=True)
    assert (event["metric_positive_offset"], event["metric_negative_offset"]) == (
        2**31 - 1,
        -(2**31),
    )
    assert event["metric_positive_counts"] == f"[1,{2**64 - 1}]"


@pytest.mark.parametrize("count", [bounds.BUCKETS_MAX + 1, 12 * bounds.BUCKETS_MAX])
@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_a_histogram_of_too_many_buckets_is_refused_alone(count, sign):
    request, point = exponential()
    getattr(point, sign).bucket_counts.extend([0] * count)
    data = request.resource_metrics[0].scope_metrics[0].metrics.add(name="explicit").histogram
    data.data_points.add(bucket_counts=[0] * count)
    data.data_points.add(bucket_counts=[3], count=3)
    found = METRICS.decode(request.SerializeToString())
    assert [refusal.reason for refusal in found.refusals] == ["too_many_buckets"] * 2
    assert found.events["metric_count"].to_list() == [3]


def test_so_it_is_in_json():
    buckets = {"bucketCounts": ["0"] * (bounds.BUCKETS_MAX + 1)}
    metrics = [
        {"name": "a", "exponentialHistogram": {"dataPoints": [{"positive": buckets}]}},
        {"name": "b", "histogram": {"dataPoints": [buckets]}},
        {"name": "c", "histogram": {"dataPoints": [{"count": "3"}]}},
    ]
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
    found = IN_JSON.decode(json.dumps(body).encode())
    assert [refusal.reason for refusal in found.refusals] == ["too_many_buckets"] * 2
    assert found.events["metric_count"].to_list() == [3]
