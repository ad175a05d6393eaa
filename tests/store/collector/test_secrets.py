"""What a sender must say to be let in, and what it says by mistake, is on no disk afterwards."""

import base64
import json
import socket

import polars as pl

from tests.collecting import collecting, settings
from tests.store.collector.intake.samples.sample import all_samples

SECRET = "pl4nted-s3cret"
BASIC = base64.b64encode(f"me:{SECRET}".encode()).decode()
HEADERS = {
    "authorization": f"Bearer {SECRET}",
    "cookie": f"session={SECRET}",
    "dd-api-key": SECRET,
    "proxy-authorization": f"Basic {BASIC}",
    "x-api-key": SECRET,
    "x-honeycomb-team": SECRET,
    "x-sentry-auth": f"Sentry sentry_key={SECRET}",
}
PARAMETERS = f"api_key={SECRET}&sentry_key={SECRET}&dd-api-key={SECRET}&token={SECRET}"
SECRETS = {"password": SECRET, "nested": {"apiKey": SECRET}, "list": [{"auth_token": SECRET}]}
AS_JSON = json.dumps(SECRETS)
BODIES = (
    ("/v1/events", "application/json", json.dumps({"event_name": "a", **SECRETS})),
    ("/v1/events", "text/plain", json.dumps({"event_name": "a", "text": AS_JSON})),
    (
        "/v1/events",
        "application/cloudevents+json",
        json.dumps({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": SECRETS}),
    ),
    ("/_bulk", "application/x-ndjson", '{"index":{}}\n' + AS_JSON + "\n"),
    (
        "/loki/api/v1/push",
        "application/json",
        json.dumps(
            {
                "streams": [
                    {
                        "stream": {"db_password": SECRET},
                        "values": [["1763800000000000000", AS_JSON, {"cookie": SECRET}]],
                    }
                ]
            }
        ),
    ),
)


def test_no_secret_of_a_request_is_on_disk(tmp_path):
    with collecting(settings(tmp_path / "store", statsd_port=0)) as collector:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            line = f"a:1|c|#api_key:{SECRET},password:{SECRET}\n{SECRET}\n"
            sender.sendto(line.encode(), ("127.0.0.1", collector.statsd_port))
        for sample in all_samples():
            if not sample.path:
                continue
            target = f"{sample.target}{'&' if '?' in sample.target else '?'}{PARAMETERS}"
            collector.ask(sample.method, target, sample.body, {**sample.all_headers, **HEADERS})
            collector.ask(sample.method, target, b"\xff", {**sample.all_headers, **HEADERS})
        for path, content_type, body in BODIES:
            answer = collector.post(body.encode(), path, Content_Type=content_type)
            assert answer.status < 300
        tally = collector.get("/v1/tally")
        stored = tally["stored"]
        assert tally["intakes"]["statsd"] == 2
        collector.stop()
    assert stored > len(BODIES)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    parts = [path for path in files if path.suffix == ".parquet"]
    assert sum(pl.read_parquet(part).height for part in parts) >= stored
    for path in files:
        kept = path.read_bytes().decode("latin-1")
        if path in parts:
            kept += str(pl.read_parquet(path).rows())
        assert SECRET not in kept, path
        assert BASIC not in kept, path
