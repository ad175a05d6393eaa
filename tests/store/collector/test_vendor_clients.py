"""Vendors' own clients, unmodified, against a collector; what they sent is read back."""

import uuid
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import sentry_sdk
import sentry_sdk.logger
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

from store.analytics.stickiness import Stickiness
from store.event_store import EventStore
from tests.collecting import collecting, settings
from tests.reading import stored
from tests.vendor_clients import closed, datadog_to, honey_to, posthog_to, segment_to, sentry_to

AT = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with collecting(settings(tmp_path_factory.mktemp("vendors") / "store")) as collector:
        yield collector


@pytest.fixture
def running(shared):
    """A test's own events are those that came since it began."""
    shared.begun = datetime.now(UTC)
    return shared


def rows(collector, *columns):
    wanted = dict.fromkeys(("event_time", "received_time", *columns))
    found = stored(collector.settings.store, *wanted)
    return found.filter(pl.col("received_time") >= collector.begun).select(columns).rows()


def test_libhoney_sends_spans_and_logs_and_is_told_of_each(running):
    client = honey_to(running)
    span = client.new_event(
        {
            "name": "GET /cart",
            "service.name": "cart",
            "trace.trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "trace.span_id": "00f067aa0ba902b7",
            "duration_ms": 12.5,
            "user.id": "ada",
            "ok": True,
            "tags": ["a", "b"],
        }
    )
    span.created_at = AT
    span.sample_rate = 4
    span.send_presampled()
    log = client.new_event({"message": "almost empty", "n": 1})
    log.created_at = AT.replace(second=1)
    log.send()
    assert [(a["status_code"], a["error"]) for a in closed(client)] == [(202, None)] * 2
    columns = (
        *("event_type", "event_name", "service_name", "trace_id", "span_id", "duration_ms"),
        *("sample_rate", "user_id", "ok", "tags", "message", "n", "source"),
    )
    assert rows(running, *columns) == [
        (
            *("span", "GET /cart", "cart", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"),
            *(12.5, 4.0, "ada", True, '["a","b"]', None, None, "honeycomb"),
        ),
        ("log", "shop", "shop", *[None] * 3, 1.0, *[None] * 3, "almost empty", 1, "honeycomb"),
    ]


def test_datadogs_client_sends_logs(running):
    log = HTTPLogItem(
        message="no money",
        ddsource="python",
        ddtags="env:prod,version:1.2",
        hostname="web-1",
        service="shop",
        status="error",
        timestamp=AT.isoformat(),
        http={"status_code": 500},
    )
    with datadog_to(running) as client:
        LogsApi(client).submit_log(HTTPLog([log]), ddtags="team:a", content_encoding="gzip")
    columns = (
        *("event_type", "severity", "severity_text", "message", "service_name", "hostname"),
        *("service_version", "env", "ddsource", "http.status_code", "source"),
    )
    assert rows(running, *columns) == [
        (
            *("log", 17, "error", "no money", "shop", "web-1"),
            *("1.2", "prod", "python", 500, "datadog"),
        )
    ]
    assert rows(running, "event_time") == [(AT,)]


@pytest.mark.parametrize("gzip", [False, True])
def test_segments_client_sends_calls_of_all_kinds(running, gzip):
    client = segment_to(running, gzip=gzip)
    who = {"user_id": "ada", "anonymous_id": "device-1"}
    context = {"app": {"name": "shop", "version": "1.2"}}
    at = iter(AT.replace(second=n) for n in range(6))
    bought = {"price": 9.5, "items": [1, 2], "ok": True}
    client.track(event="bought", properties=bought, context=context, timestamp=next(at), **who)
    client.identify(traits={"plan": "pro"}, timestamp=next(at), **who)
    client.page(category="shop", name="cart", properties={"n": 1}, timestamp=next(at), **who)
    client.screen(name="home", properties={"n": 2}, timestamp=next(at), **who)
    client.group(group_id="acme", traits={"size": 3}, timestamp=next(at), **who)
    client.alias(previous_id="device-0", user_id="ada", timestamp=next(at))
    client.shutdown()
    columns = (
        *("event_type", "event_name", "user_id", "install_id", "service_name", "service_version"),
        *("price", "items", "ok", "traits.plan", "category", "name", "n", "group_id"),
        *("traits.size", "context.library.name", "source"),
    )
    library = ("analytics-python", "segment")
    ada = ("ada", "device-1", None, None)
    kind = "behavioral"
    assert rows(running, *columns) == [
        (
            *(kind, "bought", "ada", "device-1", "shop", "1.2", 9.5, "[1,2]", True),
            *(*[None] * 6, *library),
        ),
        (kind, "identify", *ada, *[None] * 3, "pro", *[None] * 5, *library),
        (kind, "page", *ada, *[None] * 4, "shop", "cart", 1, *[None] * 2, *library),
        (kind, "screen", *ada, *[None] * 4, None, "home", 2, *[None] * 2, *library),
        (kind, "group", *ada, *[None] * 7, "acme", 3, *library),
        (kind, "alias", "ada", "device-0", *[None] * 11, *library),
    ]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gzip": True},
        *({"capture_mode": "v1", "capture_compression": c} for c in ("none", "gzip", "deflate")),
    ],
)
def test_posthogs_client_sends_what_users_do(running, options):
    client = posthog_to(running, **options)
    at = iter(AT.replace(second=n) for n in range(4))
    bought = {"price": 9.5, "items": [1, 2], "ok": True, "$session_id": "session-1"}
    client.capture("bought", distinct_id="ada", properties=bought, timestamp=next(at))
    client.set(distinct_id="ada", properties={"plan": "pro"}, timestamp=next(at))
    client.alias(previous_id="device-0", distinct_id="ada", timestamp=next(at))
    client.capture("seen", timestamp=next(at))
    client.shutdown()
    columns = (
        *("event_type", "event_name", "user_id", "install_id", "session_id", "price", "items"),
        *("ok", "$set.plan", "$lib", "source"),
    )
    found = rows(running, *columns)
    library = ("posthog-python", "posthog")
    kind = "behavioral"
    assert found[:3] == [
        (kind, "bought", "ada", None, "session-1", 9.5, "[1,2]", True, None, *library),
        (kind, "$set", "ada", *[None] * 5, "pro", *library),
        (kind, "$create_alias", "ada", "device-0", *[None] * 5, *library),
    ]
    assert found[3][:3] == (kind, "seen", None)
    assert uuid.UUID(found[3][3])


def caught():
    try:
        raise ValueError("no money")  # noqa: TRY301
    except ValueError as error:
        return sentry_sdk.capture_exception(error)


def test_sentrys_sdk_sends_errors_spans_and_logs(running):
    options = {"enable_logs": True, "data_collection": {"user_info": True}}
    with sentry_to(running, traces_sample_rate=1.0, **options):
        sentry_sdk.set_user({"id": "ada", "email": "ada@example.org"})
        sentry_sdk.set_tag("plan", "pro")
        event_id = caught()
        sentry_sdk.capture_message("hello", level="warning")
        with (
            sentry_sdk.start_transaction(op="http.server", name="GET /cart") as transaction,
            sentry_sdk.start_span(op="db", name="SELECT 1") as span,
        ):
            span.set_data("rows", 3)
        sentry_sdk.logger.warning("almost empty: {n}", n=2)
        sentry_sdk.get_client().flush(timeout=5)
    columns = (
        *("event_type", "event_name", "severity", "message", "service_name", "service_version"),
        *("user_id", "environment", "plan", "trace_id"),
    )
    shop = ("shop", "1.2")
    found = {row[1] if row[1] != "log" else row[3]: row for row in rows(running, *columns)}
    assert set(found) == {"ValueError", "hello", "GET /cart", "SELECT 1", "almost empty: 2"}
    ada = ("ada", "prod", "pro")
    assert found["ValueError"][:-1] == ("error", "ValueError", 17, "no money", *shop, *ada)
    assert found["hello"][:-1] == ("log", "log", 13, "hello", *shop, *ada)
    whole = ("span", "GET /cart", None, None, *shop, *ada, transaction.trace_id)
    assert found["GET /cart"] == whole
    inner = ("span", "SELECT 1", None, None, *shop, "ada", "prod", None, transaction.trace_id)
    assert found["SELECT 1"] == inner
    log = ("log", "log", 13, "almost empty: 2", *shop, "ada", "prod")
    assert found["almost empty: 2"][: len(log)] == log
    columns = ("event_name", "event_id", "span_id", "parent_span_id", "rows", "n", "exception.type")
    details = {row[0]: row[1:] for row in rows(running, *columns)}
    assert details["ValueError"][0] == event_id
    assert details["SELECT 1"][1:4] == (span.span_id, transaction.span_id, 3)
    assert sum(duration is not None for (duration,) in rows(running, "duration_ms")) == 2


def users(collector):
    """How many there are, each device a user's once it was linked to one."""
    query = Stickiness(interval=timedelta(days=1))
    rows = EventStore(collector.settings.store).run(query).result.rows
    return sum(row.values["users"] for row in rows)


def test_identify_and_alias_make_a_device_and_a_user_one(tmp_path):
    with collecting(settings(tmp_path / "store")) as collector:
        one, other = segment_to(collector), posthog_to(collector)
        one.track(anonymous_id="device-1", event="seen", timestamp=AT)
        one.track(user_id="ada", event="bought", timestamp=AT)
        first = {"distinct_id": "device-2", "properties": {"$process_person_profile": False}}
        other.capture("seen", timestamp=AT, **first)
        other.capture("bought", distinct_id="bob", timestamp=AT)
        one.flush()
        other.flush()
        assert users(collector) == 4
        one.identify(anonymous_id="device-1", user_id="ada", timestamp=AT)
        other.alias(previous_id="device-2", distinct_id="bob", timestamp=AT)
        one.shutdown()
        other.shutdown()
        assert users(collector) == 2
