"""Where in a body a refusal's place is: `line 3`, `stderr line 3`, `event 2`, `event[1]` of an
array, `batch[4]`. Pure.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from store.normalise.json_text import NotTakenError, dumps, loads

BODY_BYTES_MAX: Final = 1024 * 1024
"""Of a larger one no content is looked for, but by its lines."""
_LINE: Final = re.compile(r"(?:(?:^|\s)line |:)(\d{1,15})(?: and later)?$")
_EVENT: Final = re.compile(r"^event (\d{1,9})(?::.*)?$")
_ELEMENT: Final = re.compile(r"^event\[(\d{1,9})\]$")
_STEPS: Final = re.compile(r"([A-Za-z_]\w*)|\[(\d{1,9})\]")
_PATH: Final = re.compile(r"^[A-Za-z_]\w*(?:\[\d{1,9}\]|\.[A-Za-z_]\w*)*$")
_NUMBERED: Final = re.compile(rb"^\d{1,15}\t")
Find = Callable[[str], bytes]
"""What stands at a place; empty where that cannot be told."""


def finder(body: bytes) -> Find:
    """Looks in this body, which is read at most once."""
    document: list[Any] = []

    def parsed() -> Any:
        if not document:
            try:
                document.append(loads(body) if len(body) <= BODY_BYTES_MAX else None)
            except NotTakenError:
                document.append(None)
        return document[0]

    def find(place: str) -> bytes:
        if match := _LINE.search(place):
            return _line(body, int(match[1]))
        if place == "body":
            return body if len(body) <= BODY_BYTES_MAX else b""
        if match := _EVENT.match(place):
            return _element(parsed(), int(match[1]) - 1)
        if match := _ELEMENT.match(place):
            return _element(parsed(), int(match[1]))
        return _at(parsed(), place) if _PATH.match(place) else b""

    return find


def _line(body: bytes, number: int) -> bytes:
    """The line of that number, where lines say their own too."""
    if _NUMBERED.match(body):
        start = 0 if body.startswith(b"%d\t" % number) else body.find(b"\n%d\t" % number) + 1
        end = body.find(b"\n", start)
        line = body[start : end if end >= 0 else None]
        return line.partition(b"\t")[2] if line.startswith(b"%d\t" % number) else b""
    start = 0
    for _ in range(number - 1):
        start = body.find(b"\n", start) + 1
        if not start:
            return b""
    end = body.find(b"\n", start)
    return body[start : end if end >= 0 else None]


def _element(document: Any, index: int) -> bytes:
    if isinstance(document, dict):
        return dumps(document).encode() if index == 0 else b""
    if isinstance(document, list) and 0 <= index < len(document):
        return dumps(document[index]).encode()
    return b""


def _at(document: Any, place: str) -> bytes:
    for name, index in _STEPS.findall(place):
        try:
            document = document[name] if name else document[int(index)]
        except (LookupError, TypeError):
            return b""
    return dumps(document).encode()
