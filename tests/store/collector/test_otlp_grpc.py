"""OTLP over gRPC at the wire: what it refuses, and how it says so."""

import contextlib
import gzip
import signal
import socket
import zlib
from pathlib import Path

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Detail
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from store.collector import grpc_door
from store.settings import GRPC_PORT, MIB, Limits, Settings
from tests.collecting import Collecting, collecting, settings
from tests.reading import stored
from tests.store.collector.intake.samples.otlp import any_value, logs_request

LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with collecting(settings(tmp_path_factory.mktemp("grpc") / "store", grpc_port=0)) as collector:
        yield collector


def call(collector, body, method=LOGS, **metadata):
    """The answer's bytes; raises grpc.RpcError."""
    with grpc.insecure_channel(collector.grpc, [("grpc.max_send_message_length", -1)]) as channel:
        return channel.unary_unary(method)(body, timeout=120, metadata=list(metadata.items()))


def refused(collector, body, method=LOGS, **metadata):
    with pytest.raises(grpc.RpcError) as caught:
        call(collector, body, method, **metadata)
    return caught.value


def body_of(count, **attributes):
    return logs_request(count, **attributes).SerializeToString()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress])
def test_an_acknowledged_request_is_stored(running, pack):
    before = running.get("/v1/tally")["stored"]
    assert call(running, pack(body_of(3))) == b""
    assert running.get("/v1/tally")["stored"] == before + 3
    assert stored(running.settings.store, "source")["source"].unique().to_list() == ["otlp"]


def test_an_empty_request_is_none_of_anything(running):
    assert call(running, b"") == b""


def test_some_records_rejected_is_success_that_says_so(running):
    request = logs_request(2)
    request.resource_logs[0].scope_logs[0].log_records[1].event_name = "n" * 300
    answer = ExportLogsServiceResponse.FromString(call(running, request.SerializeToString()))
    assert answer.partial_success.rejected_log_records == 1
    assert "log record 2" in answer.partial_success.error_message


@pytest.mark.parametrize(
    "body",
    [b"\xff\xff", b"\x0a\x05ab", gzip.compress(b"\x0a\x05"), b"\x1f\x8b"],
    ids=["no message", "cut off", "cut off and packed", "no gzip"],
)
def test_what_cannot_be_read_is_an_invalid_argument(running, body):
    error = refused(running, body)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details()


def test_deep_values_are_an_answer_and_no_crash(running):
    request = logs_request(1)
    value = request.resource_logs[0].scope_logs[0].log_records[0].body
    for _ in range(90):
        value = value.array_value.values.add()
    any_value(value, 1)
    error = refused(running, request.SerializeToString())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert call(running, body_of(1)) == b""


def test_an_unknown_method_is_unimplemented(running):
    assert refused(running, b"", "/x.Y/Export").code() is grpc.StatusCode.UNIMPLEMENTED


def test_more_than_four_mebibytes_are_taken(running):
    assert call(running, body_of(200, long="x" * 30_000)) == b""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_past_the_limit_the_resource_is_exhausted(tmp_path, pack):
    config = settings(tmp_path / "store", grpc_port=0)
    small = Settings(config.store, config.collector, Limits(body_bytes_max=MIB))
    with collecting(small) as collector:
        error = refused(collector, pack(bytes(80 * MIB)))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert call(collector, body_of(1)) == b""
        said = Path(f"/proc/{collector.process.pid}/status").read_text(encoding="utf-8")
    assert int(said.split("VmHWM:")[1].split()[0]) < 600 * 1024


def test_without_room_it_is_unavailable_and_says_when_to_come_back(tmp_path):
    with collecting(settings(tmp_path / "store", grpc_port=0, bodies_bytes_max=1000)) as collector:
        error = refused(collector, body_of(100))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    status = dict(error.trailing_metadata())["grpc-status-details-bin"]
    detail = Detail.FromString(status[status.index(RETRY_INFO.encode()) - 2 :])
    assert (detail.type_url, detail.value) == (RETRY_INFO, b"\x0a\x02\x08\x01")


def test_the_token_is_wanted_as_over_http(tmp_path):
    with collecting(settings(tmp_path / "store", grpc_port=0, token="sesame")) as collector:
        for metadata in ({}, {"authorization": "Bearer wrong"}):
            error = refused(collector, body_of(1), **metadata)
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
        assert call(collector, body_of(1), authorization="Bearer sesame") == b""


def test_the_end_waits_for_what_was_sent(tmp_path):
    collector = Collecting(settings(tmp_path / "store", grpc_port=0))
    assert call(collector, body_of(5)) == b""
    assert collector.stop(signal.SIGTERM) == 0
    assert stored(collector.settings.store, "message").height == 5


def occupied():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


def test_a_named_port_that_is_taken_is_an_error(tmp_path):
    with occupied() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match="--grpc-port"):
            Collecting(settings(tmp_path / "store", grpc_port=port))


def test_the_usual_one_is_not(tmp_path):
    """Taken by this test, or by another program already."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            taken.bind(("127.0.0.1", GRPC_PORT))
            taken.listen()
        collector = Collecting(settings(tmp_path / "store", grpc_port=GRPC_PORT))
        assert collector.grpc is None
        assert collector.post(b'{"event_name": "x"}').status == 200
        collector.process.send_signal(signal.SIGTERM)
        assert b"goes on without gRPC" in collector.process.stderr.read()
        collector.end()


def test_it_is_known_whether_grpc_is_there(monkeypatch):
    assert grpc_door.is_installed()
    monkeypatch.setattr(grpc_door.importlib.util, "find_spec", lambda name: None)
    assert not grpc_door.is_installed()
