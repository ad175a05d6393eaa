"""The collector over HTTP, as rude senders find it. The process is shared: counts are deltas."""

import base64
import gzip
import json
import re
import socket
import time
import zlib

import cramjam
import pytest
import zstandard

from store.collector.process import CONNECTIONS_MAX
from store.settings import MIB
from tests.collecting import ndjson, read_answer, request

EVENT = b'{"event_name": "x"}'


@pytest.fixture
def counted(collector):
    """What the tally grew by since the test began, without zeros."""
    before = collector.get("/v1/tally")

    def grown():
        after = collector.get("/v1/tally")
        numbers = {k: v - before[k] for k, v in after.items() if isinstance(v, int)}
        reasons = {k: v - before["reasons"].get(k, 0) for k, v in after["reasons"].items()}
        assert numbers["received"] == sum(v for k, v in numbers.items() if k != "received")
        return {k: v for k, v in {**numbers, **reasons}.items() if v and k != "received"}

    return grown


def test_events_come_in_and_are_counted(collector, counted):
    answer = collector.post(ndjson({"event_name": "a"}, {"event_name": "b"}))
    assert (answer.status, answer.json()["stored"]) == (200, 2)
    assert counted() == {"stored": 2}


def test_a_second_request_uses_the_same_connection(collector):
    with socket.create_connection(("127.0.0.1", collector.port), timeout=60) as connection:
        for _ in range(3):
            connection.sendall(request("POST", "/v1/events", EVENT))
            assert read_answer(connection).json()["stored"] == 1


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress)],
)
def test_packed_bodies_are_taken(collector, encoding, pack):
    answer = collector.post(pack(EVENT), Content_Encoding=encoding)
    assert answer.json()["stored"] == 1


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_an_offer_to_speak_another_protocol_is_not_taken(collector, protocol):
    offer = {"connection": "Upgrade, HTTP2-Settings", "UPGRADE": protocol, "HTTP2-Settings": "AAMA"}
    with socket.create_connection(("127.0.0.1", collector.port), timeout=60) as connection:
        for _ in range(2):
            connection.sendall(request("POST", "/v1/events", EVENT, offer))
            answer = read_answer(connection)
            assert (answer.status, answer.json()["stored"]) == (200, 1)
        body = b'{"event_name": "x",\r\nUpgrade: "h2c"}'.replace(b"Upgrade", b'"Upgrade"')
        connection.sendall(request("POST", "/v1/events", body))
        assert read_answer(connection).json()["stored"] == 1


def test_chunked_bodies_are_taken(collector):
    answer = collector.post(chunked(EVENT[:5], EVENT[5:]), Transfer_Encoding="chunked")
    assert answer.json()["stored"] == 1


def test_a_sender_that_asks_first_is_told_to_go_on(collector):
    with socket.create_connection(("127.0.0.1", collector.port), timeout=60) as connection:
        headers = {"Expect": "100-continue", "Content-Length": str(len(EVENT))}
        connection.sendall(request("POST", "/v1/events", b"", headers))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(EVENT)
        assert read_answer(connection).json()["stored"] == 1


def test_one_that_asks_first_to_send_too_much_is_told_not_to(collector):
    headers = {"Expect": "100-continue", "Content-Length": str(65 * MIB)}
    assert collector.ask("POST", "/v1/events", b"", headers).status == 413


def test_a_body_that_says_it_is_too_large_is_413_at_once(collector, counted):
    answer = collector.ask("POST", "/v1/events", b"", {"Content-Length": str(65 * MIB)})
    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert counted() == {"rejected": 1, "rejected.too_large": 1}


def test_a_sender_that_pours_in_too_much_still_reads_why(collector):
    chunk = bytes(MIB)
    answer = collector.post(chunked(*[chunk] * 70), Transfer_Encoding="chunked")
    assert answer.status == 413
    assert "64 MiB" in answer.json()["error"]


def test_a_bomb_stops_at_64_mib(collector, counted):
    bomb = zlib.compressobj(1, wbits=31)
    packed = b"".join(bomb.compress(bytes(MIB)) for _ in range(200)) + bomb.flush()
    assert collector.post(packed, Content_Encoding="gzip").status == 413
    assert counted() == {"rejected": 1, "rejected.too_large": 1}
    assert collector.get("/v1/stats")["bodies_bytes"] == 0


def declared(size):
    """What snappy says before its bytes."""
    found = bytearray()
    while size > 127:
        found.append(size & 127 | 128)
        size >>= 7
    return bytes([*found, size])


ZEROS = bytes(100 * MIB)
GZIP_BOMB = gzip.compress(ZEROS, 1)
BOMBS = {
    "gzip of many members": ("gzip", gzip.compress(ZEROS[:MIB], 1) * 100, {}),
    "deflate": ("deflate", zlib.compress(ZEROS, 1), {}),
    "zstd": ("zstd", zstandard.compress(ZEROS), {}),
    "zstd of many frames": ("zstd", zstandard.compress(ZEROS[:MIB]) * 100, {}),
    "snappy's word for it": ("snappy", declared(2**32 - 1) + b"\x00a", {}),
    "snappy": ("snappy", bytes(cramjam.snappy.compress_raw(ZEROS)), {}),
    "inside of Loki": (
        "",
        bytes(cramjam.snappy.compress_raw(ZEROS)),
        {"path": "/loki/api/v1/push", "Content_Type": "application/x-protobuf"},
    ),
    "inside of PostHog": (
        "",
        GZIP_BOMB,
        {"path": "/e/?compression=gzip-js", "Content_Type": "text/plain"},
    ),
    "inside of PostHog's form": (
        "",
        b"data=" + base64.urlsafe_b64encode(GZIP_BOMB),
        {"path": "/e/?compression=gzip-js", "Content_Type": "application/x-www-form-urlencoded"},
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_however_a_bomb_is_packed_it_stops_at_64_mib(collector, name):
    encoding, bomb, where = BOMBS[name]
    headers = {"Content_Encoding": encoding} if encoding else {}
    rss = collector.get("/v1/stats")["rss_bytes"]
    answer = collector.post(bomb, **headers, **where)
    assert answer.status == 413
    stats = collector.get("/v1/stats")
    assert stats["bodies_bytes"] == 0
    assert stats["rss_bytes"] - rss < 200 * MIB


def test_bytes_that_are_not_what_they_say_are_400_with_a_receipt(collector, counted):
    answer = collector.post(b"not gzip", Content_Encoding="gzip")
    assert answer.status == 400
    assert (answer.json()["rejected"], answer.json()["errors"][0]["place"]) == (1, "body")
    assert collector.post(gzip.compress(EVENT)[:-4], Content_Encoding="gzip").status == 400
    assert counted() == {"rejected": 2, "rejected.bad_encoding": 2}


def test_an_unknown_encoding_is_415(collector, counted):
    assert collector.post(EVENT, Content_Encoding="br").status == 415
    assert counted() == {"rejected": 1, "rejected.bad_encoding": 1}


def test_a_body_without_an_event_is_400_with_a_receipt(collector, counted):
    answer = collector.post(b"\x00\xffgarbage")
    assert answer.status == 400
    assert answer.json()["rejected"] == 1
    assert counted()["rejected"] == 1


def test_too_many_parameters_are_400(collector):
    assert collector.post(EVENT, "/v1/events?" + "a=1&" * 101).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "12", "Transfer-Encoding": "chunked"},
        {"Content-Length": "x"},
        {"Content-Length": "-1"},
        {"Bad Header": "x"},
        {"X": "a\x00b"},
    ],
)
def test_a_malformed_head_is_400_and_the_end(collector, headers):
    answer = collector.send(request("POST", "/v1/events", EVENT, headers))
    assert answer.status == 400
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("body", [b"zz\r\nabc\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n"])
def test_bad_chunking_stores_nothing(collector, counted, body):
    answer = collector.post(body, Transfer_Encoding="chunked")
    assert answer.status in (0, 400)
    assert counted() == {}


def test_a_body_cut_off_by_its_sender_stores_nothing(collector, counted):
    head = request("POST", "/v1/events", b"", {"Content-Length": "1000"})
    assert collector.send(head + EVENT, half_close=True).status == 0
    assert counted() == {}


@pytest.mark.parametrize(
    "line", [b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_not_http_is_400(collector, line):
    assert collector.send(line).status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost.evil.com"}, 421),
        ({"Host": "localhost."}, 421),
        ({"Host": "evil.com"}, 421),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.com"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://shop.example"}, 204),
    ],
)
def test_a_foreign_name_or_page_is_turned_away_before_its_body_is_read(
    collector, counted, headers, status
):
    text = {"Content-Type": "text/plain", **headers}
    assert collector.ask("POST", "/v1/events", EVENT, text).status == status
    let_in = status == 204
    assert collector.ask("GET", "/v1/tally", b"", headers).status == (200 if let_in else status)
    assert counted() == ({"stored": 1} if let_in else {})


def test_two_host_headers_are_400(collector):
    data = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"
    assert collector.send(data).status == 400
    assert collector.send(b"GET /healthz HTTP/1.1\r\n\r\n").status == 400
    assert collector.send(b"GET /healthz HTTP/1.0\r\n\r\n").status == 400


def test_an_absolute_uri_names_its_host_as_well(collector):
    assert collector.ask("GET", f"http://localhost:{collector.port}/healthz").status == 200
    assert collector.ask("GET", "http://evil.com/healthz").status == 421
    assert collector.ask("CONNECT", "evil.com:80").status in (400, 421)


def test_a_listed_origin_may_read_the_answer_and_no_other(collector):
    asked = {"Origin": "http://shop.example", "Access-Control-Request-Method": "POST"}
    answer = collector.ask("OPTIONS", "/v1/events", b"", asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "http://shop.example"
    assert answer.headers["access-control-allow-methods"] == "POST"
    sent = collector.post(EVENT, Origin="http://shop.example")
    assert sent.headers["access-control-allow-origin"] == "http://shop.example"
    refused = collector.ask("OPTIONS", "/v1/events", b"", {"Origin": "http://evil.com"})
    assert refused.status == 403
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    "path",
    [
        *("/v1", "/v1/event", "/v1/events/", "//v1/events", "/v1/events/../tally", "/%2e%2e"),
        *("/v1/%65vents", "/%2fv1/events", "/v1%2fevents", "/v1/events%00", "/v1/events;a=1"),
        *("/V1/events", "/v1\\events", "/_bulk/", "//_bulk", "/a/../_bulk", "/1/batch/"),
    ],
)
def test_an_unknown_path_is_404(collector, path):
    assert collector.post(EVENT, path).status == 404


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a%2Fb", "%00", "CON", "a%20=b", "x" * 300])
def test_a_name_in_the_path_is_a_value_and_never_a_place(collector, name):
    before = files(collector)
    body = b'[{"data":{"n":1}}]'
    assert collector.post(body, f"/1/batch/{name}").status == 200
    lines = b'{"index":{}}\n{"n":1}\n'
    assert collector.ask("PUT", f"/{name}/_bulk", lines).status == 200
    assert files(collector) - before <= OURS


# What a store makes for itself, when it comes to it.
OURS = {
    *("events", "staged", "rollups", "volumes", "quarantine", "dead_letter", "store.json"),
    *("collector.json", "collector.lock", "writers.lock", "maintenance.lock", "maintenance.json"),
}


def files(collector):
    """What stands in the folder of the store, beside and inside it."""
    root = collector.settings.store
    days = {day.name for day in (root / "events").glob("*")}
    assert all(re.fullmatch(r"_date=\d{4}-\d\d-\d\d", day) for day in days)
    assert {path.name for path in root.parent.iterdir()} == {root.name}
    return {path.name for path in root.iterdir()}


def test_a_method_that_the_path_does_not_take_is_405(collector):
    for method, path, allowed in (
        ("GET", "/v1/events", "POST"),
        ("PUT", "/v1/events", "POST"),
        ("POST", "/", "GET, HEAD"),
        ("POST", "/v1/tally", "GET, HEAD"),
        ("OPTIONS", "/v1/events", "POST"),
    ):
        answer = collector.ask(method, path)
        assert (answer.status, answer.headers["allow"]) == (405, allowed)


def test_pages_answer_head_without_a_body(collector):
    answer = collector.ask("HEAD", "/healthz")
    assert (answer.status, answer.body) == (200, b"")


def test_health_and_stats_say_how_it_goes(collector):
    collector.post(EVENT)
    assert collector.get("/healthz") == {"status": "ok"}
    stats = collector.get("/v1/stats")
    assert stats["queue"] == {
        "deliveries": 0,
        "events": 0,
        "events_max": 10_000,
        "oldest_seconds": 0.0,
    }
    assert 0 < stats["commits"]["p50_ms"] <= stats["commits"]["p99_ms"]
    assert stats["commits"]["parts"] > 0
    assert stats["commits"]["bytes"] > 0
    assert stats["rss_bytes"] > MIB
    assert "native" in stats["intakes"]


def test_requests_turned_away_are_counted_by_reason(collector):
    before = collector.get("/v1/stats")["refused"].get("host", 0)
    collector.ask("GET", "/healthz", b"", {"Host": "evil.com"})
    assert collector.get("/v1/stats")["refused"]["host"] == before + 1


def test_hostile_text_in_a_refusal_comes_back_as_json(collector):
    answer = collector.post(b'{"event_name": "\x1b]2;owned\x07"}', Content_Encoding="\x80\x9b31m")
    assert answer.status == 415
    assert answer.json()["rejected"] == 1
    answer = collector.post(b'\x1b]2;owned\x07"\xff')
    assert b"\x1b" not in answer.body
    assert json.loads(answer.body)["rejected"] == 1


def test_more_connections_than_are_served_are_told_to_come_again(collector):
    idle = [
        socket.create_connection(("127.0.0.1", collector.port)) for _ in range(CONNECTIONS_MAX + 8)
    ]
    try:
        answer = collector.post(EVENT)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    finally:
        for connection in idle:
            connection.close()
    deadline = time.monotonic() + 60
    while collector.post(EVENT).status != 200:
        assert time.monotonic() < deadline
