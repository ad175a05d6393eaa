"""OTLP over gRPC: the same decoder, bounds and queue as over HTTP.

https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
grpcio comes with the extra `grpc`, and is loaded when there is a port to listen on.
"""

import importlib.util
import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.any_pb2 import Any as Detail
from google.protobuf.duration_pb2 import Duration

from store.collector.bodies import Reservation
from store.collector.door import Door, Envelope
from store.collector.intake.intake import Reply, Request
from store.collector.intake.otlp import PROTOBUF, OtlpIntake, status_of
from store.collector.refused import Refused, internal, place_of
from store.collector.security import Guard

if TYPE_CHECKING:
    import grpc

LOG: Final = logging.getLogger("eventdeck.collector")
_METHODS: Final = {
    f"/opentelemetry.proto.collector.{package}.v1.{service}Service/Export": f"/v1/{signal}"
    for package, service, signal in (
        ("logs", "Logs", "logs"),
        ("trace", "Trace", "traces"),
        ("metrics", "Metrics", "metrics"),
    )
}
# What a compressed message begins with. A request begins with 0x0A, its only field.
_MAGIC: Final = ((b"\x1f\x8b", "gzip"), (b"\x78", "deflate"))
_UNAVAILABLE: Final = 14
_DELAY: Final = Duration(seconds=1)


def is_installed() -> bool:
    """Whether grpcio is."""
    return importlib.util.find_spec("grpc") is not None


class GrpcDoor:
    """Unary Export of logs, traces and metrics.

    A message is in memory before it can be reserved: at most the bound for a body, compressed as
    it came, and STREAMS_MAX of them for a connection. It is inflated within the bounds of all bodies.
    """

    STREAMS_MAX: Final = 16

    def __init__(self, door: Door, guard: Guard) -> None:
        self._door = door
        self._guard = guard
        self._intake = OtlpIntake()
        self._server: grpc.aio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listens, and says at which port. OSError: the port is taken, or may not be had."""
        # Its own log lines would stand between ours; and nothing here forks.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        import grpc
        import grpc.aio

        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", self._door.limits.body_bytes_max),
                ("grpc.max_concurrent_streams", self.STREAMS_MAX),
                ("grpc.per_message_decompression", 0),  # it knows no bound
                ("grpc.so_reuseport", 0),
            ]
        )
        server.add_generic_rpc_handlers([_handlers(self._exported)])
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound: int = server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"{address} cannot be had") from error
        await server.start()
        self._server = server
        return bound

    async def close(self, patience: timedelta) -> None:
        """No more requests; those under way have so long."""
        if self._server is not None:
            await self._server.stop(patience.total_seconds())

    async def _exported(self, path: str, body: bytes, context: Any) -> bytes:
        headers = {"content-type": PROTOBUF}
        try:
            reply = await self._reply(path, body, headers, _metadata(context))
        except Exception as error:  # noqa: BLE001  whatever it is, the sender gets an answer
            LOG.error("a request failed: %s", place_of(error))  # noqa: TRY400
            refused = internal()
            self._door.turn_away(refused)
            reply = self._intake.refusal(refused, None, Request(path, headers))
        if reply.status != 200:
            await _abort(context, reply)
        return reply.body

    async def _reply(
        self, path: str, body: bytes, headers: Mapping[str, str], metadata: Mapping[str, str]
    ) -> Reply:
        request = Request(path, headers)
        try:
            self._guard.check_token(metadata)
            receipt, _ = await self._door.deliver(
                self._intake, Envelope(path, headers, encoding=_encoding(body)), _held(body)
            )
        except Refused as refused:
            counted = self._door.turn_away(refused, self._intake)
            return self._intake.refusal(refused, counted, request)
        return self._intake.reply(receipt, request)


def _handlers(exported: Any) -> Any:
    import grpc

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, call: Any) -> Any:
            path = _METHODS.get(call.method)
            if path is None:
                return None  # UNIMPLEMENTED

            async def export(body: bytes, context: Any) -> bytes:
                answer: bytes = await exported(path, body, context)
                return answer

            return grpc.unary_unary_rpc_method_handler(export)

    return Handlers()


def _metadata(context: Any) -> dict[str, str]:
    found = context.invocation_metadata() or ()
    return {name: value for name, value in found if isinstance(value, str)}


def _encoding(body: bytes) -> str:
    return next((name for magic, name in _MAGIC if body.startswith(magic)), "")


def _held(body: bytes) -> Any:
    async def read(held: Reservation) -> bytes:
        held.grow_to(len(body))
        return body

    return read


async def _abort(context: Any, reply: Reply) -> None:
    """With the google.rpc.Status that the reply's body is, and when to send again."""
    import grpc

    number, fault = status_of(reply)
    status = reply.body
    if number == _UNAVAILABLE:
        retry = b"\x0a" + bytes([_DELAY.ByteSize()]) + _DELAY.SerializeToString()
        detail = Detail(type_url="type.googleapis.com/google.rpc.RetryInfo", value=retry)
        status += b"\x1a" + bytes([detail.ByteSize()]) + detail.SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", status),))
    await context.abort(next(code for code in grpc.StatusCode if code.value[0] == number), fault)
