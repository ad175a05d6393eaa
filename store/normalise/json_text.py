"""JSON text to values and back, exactly: what orjson alone would refuse or round."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

# orjson reads integers as floats from here on (below zero; above, from twice that).
UNSAFE_FLOAT_MIN: Final = 2.0**63
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_POSITION: Final = re.compile(r": line \d+ column \d+ \(char \d+\)$")


class Fault(NamedTuple):
    """Why a text was not taken: a word to count by, and a sentence without any of its content."""

    reason: str
    text: str


TOO_DEEP: Final = Fault("too_deep", "it is nested deeper than the limit")


class NotTakenError(Exception):
    """Carries a Fault out of the depths of a value; never leaves this package."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


def loads(text: bytes) -> Any:
    """The value of one JSON text by the quick way, else by the patient one; NotTakenError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        fault = _fault(text, error)
    if fault.reason == "lone_surrogate":
        return exact_loads(text)
    raise NotTakenError(fault)


def exact_loads(text: bytes) -> Any:
    """As `loads`, ten times slower: integers of any size stay integers, and a lone surrogate
    (half of a character that was cut in two) becomes U+FFFD, as UTF-8 has no form for it.
    """
    try:
        value = _DECODER.decode(text.decode())
        return _mended(value) if b"\\ud" in text.lower() else value
    except RecursionError:
        raise NotTakenError(TOO_DEEP) from None
    except ValueError as error:
        raise NotTakenError(_fault(text, error)) from None


def dumps(value: Any) -> str:
    """The shortest JSON text of a value, integers of any size among it."""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, TypeError):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _fault(text: bytes, error: Exception) -> Fault:
    said = str(error)
    try:
        text.decode()
    except UnicodeDecodeError as broken:
        return Fault("bad_encoding", f"byte {broken.start} is not UTF-8; send UTF-8")
    if "surrogate" in said:
        return Fault("lone_surrogate", said)
    if "depth limit" in said:
        return TOO_DEEP
    column = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
    return Fault("bad_json", f"it is not JSON{column}: {_POSITION.sub('', said)}")


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, Mapping):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
