"""StatsD over UDP: real clients, floods and garbage against a collector, read back."""

import contextlib
import signal
import socket
import time
from collections import Counter

import pytest
from datadog.dogstatsd import DogStatsd
from statsd import StatsClient

from store.settings import OFF, STATSD_PORT
from tests.collecting import Collecting, collecting, settings
from tests.reading import stored


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Shared, as a start takes a second: events and counts are those since a test began."""
    store = tmp_path_factory.mktemp("statsd") / "store"
    with collecting(settings(store, statsd_port=0)) as collector:
        yield collector


@pytest.fixture
def grown(running):
    """grown(n): what the tally grew by, once n more lines have been received."""
    before = running.get("/v1/tally")

    def wait(received):
        deadline = time.monotonic() + 60
        while (tally := running.get("/v1/tally"))["received"] - before["received"] < received:
            assert time.monotonic() < deadline, tally
            time.sleep(0.05)
        reasons = Counter(tally["reasons"])
        reasons.subtract(before["reasons"])
        fates = {fate: tally[fate] - before[fate] for fate in ("stored", "rejected", "dropped")}
        return {name: count for name, count in {**fates, **reasons}.items() if count}

    return wait


def rows(running, count, *columns):
    """The last events, in the order in which they came."""
    events = stored(running.settings.store, "event_id", *columns).sort("event_id")
    return events.tail(count).select(columns).rows()


def send(collector, *datagrams):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", collector.statsd_port))


COLUMNS = ("event_name", "metric_kind", "value", "sample_rate", "metric_member", "source")


def test_what_a_statsd_client_sends_is_stored(running, grown):
    client = StatsClient("127.0.0.1", running.statsd_port, prefix="shop")
    client.incr("hits", 3)
    client.decr("hits")
    client.gauge("queue", 12)
    client.gauge("queue", -4, delta=True)
    client.gauge("queue", -7)
    client.timing("load", 320.5)
    client.set("users", "ada")
    with client.pipeline() as pipe:
        pipe.incr("packed")
        pipe.timing("packed.load", 2)
    client.close()
    assert grown(10) == {"stored": 10}
    assert rows(running, 10, *COLUMNS) == [
        ("shop.hits", "counter", 3.0, None, None, "statsd"),
        ("shop.hits", "counter", -1.0, None, None, "statsd"),
        ("shop.queue", "gauge", 12.0, None, None, "statsd"),
        ("shop.queue", "gauge", 8.0, None, None, "statsd"),
        ("shop.queue", "gauge", 0.0, None, None, "statsd"),
        ("shop.queue", "gauge", -7.0, None, None, "statsd"),
        ("shop.load", "timing", 320.5, None, None, "statsd"),
        ("shop.users", "set", None, None, "ada", "statsd"),
        ("shop.packed", "counter", 1.0, None, None, "statsd"),
        ("shop.packed.load", "timing", 2.0, None, None, "statsd"),
    ]


def test_what_a_dogstatsd_client_sends_is_stored(running, grown):
    client = DogStatsd(
        "127.0.0.1",
        running.statsd_port,
        constant_tags=["env:prod", "service:web"],
        disable_telemetry=True,
        disable_buffering=False,
        origin_detection_enabled=False,
    )
    client.increment("hits", 2, tags=["route:/cart", "cached"])
    client.gauge("load", 0.75)
    client.histogram("size", 10)
    client.distribution("wait", 1.5)
    client.timing("db", 7)
    client.set("users", "ada")
    client.event("Deployed", "one\ntwo", alert_type="warning", tags=["by:ada"])
    client.service_check("db.up", DogStatsd.CRITICAL, message="down", hostname="web-1")
    client.flush()
    client.stop()
    assert grown(8) == {"stored": 8}
    columns = (
        *("event_type", "event_name", "metric_kind", "value", "metric_member", "message"),
        *("severity_text", "route", "cached", "by", "host.name"),
    )
    assert set(rows(running, 8, "env", "service_name")) == {("prod", "web")}
    metric = ("metric",)
    assert rows(running, 8, *columns) == [
        (*metric, "hits", "counter", 2.0, None, None, None, "/cart", True, None, None),
        (*metric, "load", "gauge", 0.75, *[None] * 7),
        (*metric, "size", "histogram", 10.0, *[None] * 7),
        (*metric, "wait", "histogram", 1.5, *[None] * 7),
        (*metric, "db", "timing", 7.0, *[None] * 7),
        (*metric, "users", "set", None, "ada", *[None] * 6),
        ("event", "Deployed", *[None] * 3, "one\ntwo", "warning", None, None, "ada", None),
        (
            *("service_check", "db.up", None, 2.0, None, "down", "error"),
            *(None, None, None, "web-1"),
        ),
    ]


def test_every_line_ends_in_the_tally_by_its_reason(running, grown):
    before = running.get("/v1/tally")["intakes"].get("statsd", 0)
    send(running, b"a:1|c\nb:2|g\n", b"junk\r\na:x|c\r\n", b"\xff\xfe", b"", b"a:1:2|ms")
    assert grown(7) == {
        "stored": 4,
        "rejected": 3,
        "rejected.bad_line": 1,
        "rejected.bad_value": 1,
        "rejected.bad_encoding": 1,
    }
    assert running.get("/v1/tally")["intakes"]["statsd"] == before + 7


def test_a_flood_is_bounded_and_counted_and_others_are_served(tmp_path):
    """Small datagrams as fast as they can be sent; the sum of what is told is what was sent."""
    datagram = b"\n".join([b"flood:1|c|#route:/a"] * 20)
    with collecting(settings(tmp_path / "store", statsd_port=0)) as running:
        before = running.get("/v1/stats")["rss_bytes"]
        sent, begun, slowest = 0, time.monotonic(), 0.0
        while time.monotonic() - begun < 2:
            send(running, *[datagram] * 500)
            sent += 500
            asked = time.monotonic()
            assert running.post(b'{"event_name": "x"}').status == 200
            slowest = max(slowest, time.monotonic() - asked)
        deadline = time.monotonic() + 60
        tally = running.get("/v1/tally")
        while True:
            time.sleep(1.2)
            last, tally = tally, running.get("/v1/tally")
            if last == tally or time.monotonic() > deadline:
                break
        assert slowest < 20
        assert running.get("/v1/stats")["rss_bytes"] - before < 200 * 1024 * 1024
        lost = tally["reasons"].get("dropped.socket_full", 0)
        kept = tally["intakes"]["statsd"] - lost
        assert kept % 20 == 0
        assert kept > 0
        assert kept + 20 * lost <= 20 * sent
        assert tally["received"] == tally["stored"] + tally["dropped"]


def test_what_has_come_in_is_stored_before_it_stops(tmp_path):
    running = Collecting(settings(tmp_path / "store", statsd_port=0))
    send(running, *[b"a:1|c"] * 50)
    assert running.get("/healthz") == {"status": "ok"}
    assert running.stop(signal.SIGTERM) == 0
    assert stored(tmp_path / "store", "event_time", "event_name").height == 50


def test_statsd_stays_on_loopback_where_http_does_not(tmp_path):
    config = settings(tmp_path / "store", statsd_port=0, host="0.0.0.0", token="t")
    with collecting(config) as running:
        assert running.statsd == f"127.0.0.1:{running.statsd_port}"


def test_a_usual_port_that_is_taken_is_said_and_any_other_is_an_error(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        with pytest.raises(AssertionError, match="address already in use"):
            Collecting(settings(tmp_path / "store", statsd_port=taken))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        with contextlib.suppress(OSError):  # taken by another: that is as good
            agent.bind(("127.0.0.1", STATSD_PORT))
        running = Collecting(settings(tmp_path / "store", statsd_port=STATSD_PORT))
        assert running.statsd is None
        running.process.send_signal(signal.SIGTERM)
        said = running.process.stderr.read().decode()
        running.end()
    assert "it goes on without StatsD" in said


def test_off_means_that_nothing_listens(tmp_path):
    with collecting(settings(tmp_path / "store", statsd_port=OFF)) as running:
        assert running.statsd is None
