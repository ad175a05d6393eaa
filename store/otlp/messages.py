"""OTLP's requests in protobuf, read lean.

An attribute (KeyValue) and a value (AnyValue) stay the bytes that they are: on the wire, a
message within a message and a byte string look alike. So attributes that repeat are read once,
and those that nest without end cannot exhaust protobuf's parser (store.otlp.attributes).
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

COMMON: Final = "opentelemetry.proto.common.v1"
OPAQUE: Final = frozenset({f"{COMMON}.KeyValue", f"{COMMON}.AnyValue"})
"""The messages that stay bytes, or the JSON objects that they are."""
# Each after those that it builds on.
_FILES: Final = (
    *(common_pb2, resource_pb2),
    *(logs_pb2, logs_service_pb2),
    *(trace_pb2, trace_service_pb2),
    *(metrics_pb2, metrics_service_pb2),
)


def _lean_pool(opaque: Collection[str]) -> DescriptorPool:
    pool = DescriptorPool()
    for module in _FILES:
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in _with_nested(file.message_type):
            for field in message.field:
                if field.type_name.lstrip(".") in opaque:
                    field.type = FieldDescriptorProto.TYPE_BYTES
                    field.ClearField("type_name")
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _with_nested(messages: Any) -> Iterator[DescriptorProto]:
    for message in messages:
        yield message
        yield from _with_nested(message.nested_type)


BUCKETS: Final = "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets"
# A count may be one byte there, and takes eight when it is read.
_BYTES: Final = OPAQUE | {BUCKETS}
_POOL: Final = _lean_pool(_BYTES)
RECORDS: Final = (
    "opentelemetry.proto.logs.v1.LogRecord",
    "opentelemetry.proto.trace.v1.Span",
    "opentelemetry.proto.metrics.v1.NumberDataPoint",
)
"""What there are many of in a request."""
_OUTER_POOL: Final = _lean_pool(_BYTES.union(RECORDS))


def lean(name: str) -> Any:
    """The class of the message of this full name."""
    return GetMessageClass(_POOL.FindMessageTypeByName(name))


def outer(name: str) -> Any:
    """The same, where each of RECORDS stays the bytes that it is as well."""
    return GetMessageClass(_OUTER_POOL.FindMessageTypeByName(name))


KeyValue: Final = lean(f"{COMMON}.KeyValue")
AnyValue: Final = lean(f"{COMMON}.AnyValue")
