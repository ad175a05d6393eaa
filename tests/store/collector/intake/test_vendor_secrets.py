"""Vendors' credentials never reach the disk, wherever their clients put them."""

import base64
import json
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.collector.processors.mask import Mask
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.tally import Tally
from tests.collecting import collecting
from tests.collecting import settings as collector_settings
from tests.decoding import RECEIVED
from tests.store.collector.intake.samples.honeycomb import LOG, SPAN
from tests.store.collector.intake.samples.posthog import EVENTS, V1_EVENT
from tests.store.collector.intake.samples.sample import Sample
from tests.store.collector.intake.samples.segment import CALLS
from tests.store.collector.intake.samples.sentry import ALL, HEADER

SECRET = "s3cr3t-0123456789abcdef"
BASIC = base64.b64encode(f"{SECRET}:".encode()).decode()
NAMES = (
    "writeKey",
    "api_key",
    "token",
    "DD-API-KEY",
    "X-Sentry-Auth",
    "authorization",
    "sentry_key",
)
HEADERS = {
    "authorization": f"Basic {BASIC}",
    "x-honeycomb-team": SECRET,
    "dd-api-key": SECRET,
    "x-sentry-auth": f"Sentry sentry_key={SECRET}, sentry_version=7",
}
QUERY = {"sentry_key": SECRET, "dd-api-key": SECRET, "api_key": SECRET, "token": SECRET}


def honeycomb(planted):
    return "/1/batch/shop", [{**SPAN, **planted, "data": SPAN["data"] | planted}, LOG]


def datadog(planted):
    tags = f"env:prod,api_key:{SECRET},token:{SECRET}"
    return "/api/v2/logs", [{"message": "x", "ddtags": tags, **planted, "http": {"x": planted}}]


def segment(planted):
    calls = [
        call | planted | {"traits": planted, "properties": planted, "context": {"x": planted}}
        for call in CALLS.values()
    ]
    return "/v1/batch", {"batch": calls, "writeKey": SECRET, **planted}


def posthog(planted):
    events = [
        event | planted | {"properties": event["properties"] | planted, "$set": planted}
        for event in EVENTS
    ]
    return "/batch/", {"batch": events, "api_key": SECRET, **planted}


def posthog_v1(planted):
    event = V1_EVENT | planted | {"properties": {"x": [planted]}, "options": planted}
    return "/i/v1/analytics/events", {"batch": [event], **planted}


def sentry(planted):
    header = {**HEADER, "dsn": f"http://{SECRET}@localhost/1", **planted}
    lines = [header]
    for kind, payload in ALL:
        whole = {**payload, **planted, "extra": planted, "request": {"headers": planted}}
        lines += [{"type": kind, **planted}, whole]
    return "/api/1/envelope/", lines


VENDORS = (honeycomb, datadog, segment, posthog, posthog_v1, sentry)


def body_of(document, vendor):
    if vendor is sentry:
        return b"\n".join(json.dumps(line).encode() for line in document)
    return json.dumps(document).encode()


def sample_of(vendor, planted):
    path, document = vendor(planted)
    intake = vendor.__name__.removesuffix("_v1")
    return Sample("", intake, path, body_of(document, vendor), 0, headers=HEADERS, parameters=QUERY)


HELD = st.recursive(
    st.just(SECRET),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2),
        st.dictionaries(st.sampled_from(["x", "y"]), inner, min_size=1),
        st.builds(json.dumps, inner),
    ),
    max_leaves=3,
)


@pytest.mark.parametrize("vendor", VENDORS)
@given(planted=st.dictionaries(st.sampled_from(NAMES), HELD, max_size=3))
@settings(max_examples=12)
def test_planted_secrets_are_in_no_byte_of_a_part(vendor, planted):
    decoded = sample_of(vendor, planted).decode()
    assert decoded.events.height
    with tempfile.TemporaryDirectory() as root:
        folder = StoreFolder.open(Path(root), create=True)
        events = Mask()(decoded.events).events
        PartWriter(folder, now=lambda: RECEIVED).commit(events, Tally())
        assert_clean(Path(root))
    assert SECRET not in str(decoded.refusals)
    assert SECRET not in str(decoded.note)


def assert_clean(root):
    for path in filter(Path.is_file, root.rglob("*")):
        held = path.read_bytes()
        if path.suffix == ".parquet":
            held += str(pq.read_table(path).to_pylist()).encode()
        assert SECRET.encode() not in held, path
        assert BASIC.encode() not in held, path


def test_of_all_that_was_sent_nothing_on_disk_and_no_answer_holds_a_credential(tmp_path):
    """Broken bodies among it, and what the collector says on its standard error."""
    with collecting(collector_settings(tmp_path / "store")) as collector:
        for vendor in VENDORS:
            sample = sample_of(vendor, {"token": SECRET})
            for body in (sample.body, sample.body[:-20], sample.body.replace(b"{", b"[", 1)):
                answer = collector.ask("POST", sample.target, body, sample.all_headers)
                assert answer.status < 500
                assert SECRET.encode() not in answer.body
        assert collector.get("/v1/tally")["stored"] > 10
        collector.process.terminate()
        assert SECRET.encode() not in collector.process.stderr.read()
        collector.end()
    assert_clean(tmp_path)
