"""OTLP's requests in JSON, made into objects that read like the messages of protobuf.

As OTLP has it: ids in hex, integers as numbers or text, names in lowerCamelCase (protobuf's own
are taken too), unknown names ignored. Values (store.otlp.messages.OPAQUE) stay as they are.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Self

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.symbol_database import Default

from store.normalise.json_text import Fault, NotTakenError
from store.otlp.attributes import INT64, binary, boolean, double, integer_of, text
from store.otlp.messages import OPAQUE

Read = Callable[[Any], Any]
_HEX: Final = frozenset({"trace_id", "span_id", "parent_span_id"})


class JsonMessage:
    """A message; a field that was not sent has the default that protobuf gives it."""

    readers: ClassVar[Mapping[str, tuple[str, Read]]]
    """JSON's name -> our name, and what reads the value."""
    oneofs: ClassVar[Mapping[str, tuple[str, ...]]]

    @classmethod
    def read(cls, value: Any) -> Self:
        """NotTakenError: the value, or one within, is not what the schema says."""
        if type(value) is not dict:
            raise NotTakenError(Fault("bad_otlp", f"{cls.__name__} is not written as an object"))
        message = cls.__new__(cls)
        fields = message.__dict__
        for key, item in value.items():
            reader = cls.readers.get(key)
            if reader is not None and item is not None:
                fields[reader[0]] = reader[1](item)
        return message

    def HasField(self, name: str) -> bool:  # noqa: N802  protobuf's name
        return name in self.__dict__

    def WhichOneof(self, name: str) -> str | None:  # noqa: N802  protobuf's name
        return next((each for each in self.oneofs[name] if each in self.__dict__), None)


def json_class(name: str) -> type[JsonMessage]:
    """The class of the message of this full name."""
    return _class_of(Default().pool.FindMessageTypeByName(name), {})


def _class_of(message: Descriptor, known: dict[str, type[JsonMessage]]) -> type[JsonMessage]:
    if message.full_name in known:
        return known[message.full_name]
    made: type[JsonMessage] = type(message.name, (JsonMessage,), {})
    known[message.full_name] = made
    readers = {}
    for field in message.fields:
        read = _reader(field, known)
        readers[field.name] = readers[field.json_name] = (field.name, read)
        setattr(made, field.name, _default(field, known))
    made.readers = readers
    made.oneofs = {o.name: tuple(field.name for field in o.fields) for o in message.oneofs}
    return made


def _default(field: FieldDescriptor, known: dict[str, type[JsonMessage]]) -> Any:
    if field.is_repeated:
        return ()
    if field.message_type is None:
        return field.default_value
    return (
        None if field.message_type.full_name in OPAQUE else _class_of(field.message_type, known)()
    )


def _reader(field: FieldDescriptor, known: dict[str, type[JsonMessage]]) -> Read:
    read = _one(field, known)
    if not field.is_repeated:
        return read

    def each(value: Any) -> list[Any]:
        if type(value) is not list:
            fault = f"{field.json_name} is not written as an array"
            raise NotTakenError(Fault("bad_otlp", fault))
        return [read(item) for item in value]

    return each


def _one(field: FieldDescriptor, known: dict[str, type[JsonMessage]]) -> Read:
    message = field.message_type
    if message is not None:
        opaque = message.full_name in OPAQUE
        return (lambda value: value) if opaque else _class_of(message, known).read
    if field.type == FieldDescriptor.TYPE_BYTES and field.name in _HEX:
        return _id
    return _SCALARS[field.cpp_type if field.type != FieldDescriptor.TYPE_BYTES else None]


def _id(value: Any) -> bytes:
    try:
        return bytes.fromhex(text(value))
    except ValueError:
        raise NotTakenError(Fault("bad_otlp", "an id is not written in hex")) from None


_INT32: Final = integer_of(-(2**31), 2**31 - 1)
_SCALARS: Final[Mapping[int | None, Read]] = {
    None: binary,
    FieldDescriptor.CPPTYPE_INT32: _INT32,
    FieldDescriptor.CPPTYPE_ENUM: _INT32,
    FieldDescriptor.CPPTYPE_UINT32: integer_of(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: INT64,
    FieldDescriptor.CPPTYPE_UINT64: integer_of(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: double,
    FieldDescriptor.CPPTYPE_FLOAT: double,
    FieldDescriptor.CPPTYPE_BOOL: boolean,
    FieldDescriptor.CPPTYPE_STRING: text,
}
