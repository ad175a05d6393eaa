"""OpenTelemetry's protocol over HTTP: logs, traces and metrics, in protobuf or JSON.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.otlp import BODY, SIGNALS, decode_otlp, decode_together
from store.tally import Receipt, Refusal

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
_BAD_TYPE: Final = "bad_type"
# What JSON calls the number of rejected records, by the last part of the path.
_REJECTED: Final[Mapping[str, str]] = {
    "logs": "rejectedLogRecords",
    "traces": "rejectedSpans",
    "metrics": "rejectedDataPoints",
}
# google.rpc.Code by HTTP status.
_CODES: Final[Mapping[int, int]] = {
    400: 3,
    401: 16,
    403: 7,
    408: 4,
    413: 8,
    415: 3,
    429: 8,
    500: 13,
    503: 14,
}
_UNKNOWN: Final = 2


class OtlpIntake:
    """At-least-once: OTLP has no ids, so what a sender repeats is stored again."""

    name = "otlp"
    routes: tuple[tuple[str, str], ...] = tuple(("POST", f"/v1/{signal}") for signal in SIGNALS)

    def decode(self, delivery: Delivery) -> Decoded:
        """Events and refusals; one of BODY when the request as a whole is none."""
        content_type = Request(delivery.path, delivery.headers).content_type
        if content_type not in {PROTOBUF, JSON}:
            fault = f"the content type is not one of {PROTOBUF}, {JSON}"
            return Decoded(pl.DataFrame(), [Refusal(BODY, fault, _BAD_TYPE)])
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        signal = SIGNALS[_signal(delivery.path)]
        return decode_otlp(signal, delivery.body, arrival, json=content_type == JSON)

    def decode_together(self, deliveries: Sequence[Delivery]) -> Sequence[Decoded] | None:
        """Those in protobuf, of one signal."""
        kinds = {(d.path, Request(d.path, d.headers).content_type, d.limits) for d in deliveries}
        last = deliveries[-1]
        if kinds != {(last.path, PROTOBUF, last.limits)}:
            return None
        received = max(delivery.received for delivery in deliveries)
        arrival = Arrival(received, self.name, last.ids, last.limits)
        bodies = [delivery.body for delivery in deliveries]
        return decode_together(SIGNALS[_signal(last.path)], bodies, arrival)

    def reply(self, receipt: Receipt, request: Request) -> Reply:
        """200, also when some or all records were rejected, which it says; 400 when the request
        could not be decoded.
        """
        first = receipt.errors[0] if receipt.errors else None
        if first is not None and first.place == BODY:
            return _status(415 if first.reason == _BAD_TYPE else 400, first.fault, request)
        message = f"{first.place}: {first.fault}" if first else ""
        return _success(receipt.rejected + receipt.dropped, message, request)

    def refusal(self, refused: Refused, _receipt: Receipt | None, request: Request) -> Reply:
        """google.rpc.Status, in the form that was sent."""
        return _status(refused.status, refused.fault, request, refused.headers)


def status_of(reply: Reply) -> tuple[int, str]:
    """The code and the message of a google.rpc.Status in protobuf."""
    status = ExportLogsPartialSuccess.FromString(reply.body)
    return status.rejected_log_records, status.error_message


def _signal(path: str) -> str:
    return path.rpartition("/")[2]


def _success(rejected: int, message: str, request: Request) -> Reply:
    if request.content_type == JSON:
        partial = {_REJECTED[_signal(request.path)]: str(rejected), "errorMessage": message}
        return Reply(200, orjson.dumps({"partialSuccess": partial} if rejected else {}), JSON)
    answer = ExportLogsServiceResponse()  # those of the other signals look the same on the wire
    if rejected:
        answer.partial_success.rejected_log_records = rejected
        answer.partial_success.error_message = message
    return Reply(200, answer.SerializeToString(), PROTOBUF)


def _status(
    status: int, fault: str, request: Request, headers: Mapping[str, str] | None = None
) -> Reply:
    code = _CODES.get(status, _UNKNOWN)
    if request.content_type == JSON:
        document: Mapping[str, Any] = {"code": code, "message": fault}
        return Reply(status, orjson.dumps(document), JSON, headers or {})
    # google.rpc.Status has an integer and a text as its fields 1 and 2, as this message has.
    body = ExportLogsPartialSuccess(rejected_log_records=code, error_message=fault)
    return Reply(status, body.SerializeToString(), PROTOBUF, headers or {})
