"""Loki's streams and entries, read out of either form.

https://github.com/grafana/loki/blob/main/pkg/push/push.proto
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from store.collector.intake.records import Record, list_of, object_of
from store.normalise.json_text import Fault, NotTakenError
from store.otlp.bounds import ITEMS_MAX

_LABEL: Final = re.compile(r'\s*([a-zA-Z_][\w.:-]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r"}
# Those before streams, entries and metadata. They are counted wherever such a byte stands, which
# is too often by little: to follow the lengths in Python took 3 us for each.
_TAGS: Final = (b"\x0a", b"\x12", b"\x1a")
_TOO_MANY: Final = Fault("too_many", f"it may hold more than {ITEMS_MAX:,} entries and labels")
_BAD_LABELS: Final = Fault("bad_labels", 'its labels are not written as {name="value"}')
_BAD_ENTRY: Final = Fault("bad_entry", "it is not written as [time, line]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line."""

    at: int | str | None
    """Unix nanoseconds, perhaps as text, or ISO 8601; None: not told."""
    line: str
    metadata: Record


@dataclass(frozen=True, slots=True)
class Stream:
    """Lines with the same labels, not read yet."""

    labels: Any
    entries: Sequence[Any]


def labels_of(labels: Any) -> Record:
    """Of an object, or a text such as `{app="shop", env="prod"}`; NotTakenError."""
    if type(labels) is not str:
        return object_of(labels, "the labels")
    inner = labels.strip()
    if inner[:1] != "{" or inner[-1:] != "}":
        raise NotTakenError(_BAD_LABELS)
    found: Record = {}
    inner, at = inner[1:-1].strip(), 0
    while at < len(inner):
        match = _LABEL.match(inner, at)
        if match is None:
            raise NotTakenError(_BAD_LABELS)
        found[match[1]] = _ESCAPE.sub(lambda each: _ESCAPED.get(each[1], each[1]), match[2])
        at = match.end()
    return found


def streams_of_json(document: Any) -> Iterator[Stream]:
    """As they are sent today, or as before Loki 0.4; NotTakenError."""
    for value in list_of(object_of(document, "the body").get("streams"), "the streams"):
        stream = object_of(value, "a stream")
        labels, entries = stream.get("stream"), stream.get("values")
        if "labels" in stream:
            labels, entries = stream["labels"], stream.get("entries")
        yield Stream(labels, list_of(entries, "the entries of a stream"))


def entry_of_json(value: Any) -> Entry:
    """`[time, line]`, `[time, line, metadata]` or `{"ts", "line"}`; NotTakenError."""
    if type(value) is dict:
        value = [value.get("ts"), value.get("line"), value.get("structuredMetadata")]
    if type(value) is not list or not 2 <= len(value) <= 3:
        raise NotTakenError(_BAD_ENTRY)
    at, line, *more = value
    if type(line) is not str or type(at) not in {str, int, float, type(None)}:
        raise NotTakenError(_BAD_ENTRY)
    return Entry(
        int(at) if type(at) is float else at,
        line,
        object_of(more[0] if more else None, "the metadata"),
    )


def streams_of_protobuf(body: bytes) -> Iterator[Stream]:
    """NotTakenError when it is no request, or may hold more than anyone needs: an empty entry
    takes two bytes here, and a hundred times as much in memory.
    """
    if sum(map(body.count, _TAGS)) > ITEMS_MAX:
        raise NotTakenError(_TOO_MANY)
    try:
        request = PushRequest.FromString(body)
    except (DecodeError, UnicodeDecodeError):
        fault = Fault("bad_protobuf", "it is no push request in protobuf")
        raise NotTakenError(fault) from None
    return (Stream(stream.labels, stream.entries) for stream in request.streams)


def entry_of_protobuf(entry: Any) -> Entry:
    """Never fails; what is not UTF-8 in a line becomes U+FFFD."""
    at = entry.timestamp.seconds * 1_000_000_000 + entry.timestamp.nanos
    metadata = {pair.name: pair.value for pair in entry.metadata}
    return Entry(at or None, entry.line.decode(errors="replace"), metadata)


_Proto = FieldDescriptorProto
# message -> its fields: name, number, and a scalar's type or a message's name; `*` is repeated. A
# line is bytes, as programs log what is not UTF-8, and one such line shall not cost the others.
_MESSAGES: Final[Mapping[str, Sequence[tuple[str, int, int | str]]]] = {
    "Label": (("name", 1, _Proto.TYPE_STRING), ("value", 2, _Proto.TYPE_STRING)),
    "Timestamp": (("seconds", 1, _Proto.TYPE_INT64), ("nanos", 2, _Proto.TYPE_INT32)),
    "Entry": (
        ("timestamp", 1, "Timestamp"),
        ("line", 2, _Proto.TYPE_BYTES),
        ("metadata", 3, "Label*"),
    ),
    "Stream": (("labels", 1, _Proto.TYPE_STRING), ("entries", 2, "Entry*")),
    "PushRequest": (("streams", 1, "Stream*"),),
}


def _push_request() -> Any:
    file = FileDescriptorProto(name="eventdeck/loki.proto", package="loki", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for called, number, kind in fields:
            field = message.field.add(name=called, number=number, label=_Proto.LABEL_OPTIONAL)
            if isinstance(kind, int):
                field.type = kind
                continue
            field.type = _Proto.TYPE_MESSAGE
            field.type_name = f".loki.{kind.rstrip('*')}"
            if kind.endswith("*"):
                field.label = _Proto.LABEL_REPEATED
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("loki.PushRequest"))


PushRequest: Final = _push_request()
"""The class of requests in protobuf."""
