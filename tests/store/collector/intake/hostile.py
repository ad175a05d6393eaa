"""Bodies that a sender may make of a good one to harm whoever reads it."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

Path = tuple[Any, ...]


def deep(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


# What JSON's writer cannot write is put in afterwards.
RAW = {
    "@1e999@": "1e999",
    "@nan@": "NaN",
    "@int@": "9" * 5000,
    "@half@": '"\\ud800"',
    "@deep@": "[" * 2000 + "]" * 2000,
}
VALUES = (
    *RAW,
    deep(33),
    {f"k{number}": number for number in range(2001)},
    {"k" * 257: 1},
    {"": 1, ".": 2, "a.": {"": 3}, "^a$": 4, "*": 5, "_overflow": "{", "_date": "x"},
    {"event_id": "x", "event_time": "never", "source": {}, "severity": [99], "value": "v"},
    2**64,
    -(2**63) - 1,
    10**400,
    1e308,
    -1,
    "\x00",
    "\x1b]2;owned\x07\x9b31m\u202e",
    "../../etc/passwd",
    "x" * 300_000,
    "",
    None,
    True,
    [],
    {},
    [None, {"a": [1, "x", None]}],
)


def bodies(body: bytes) -> Iterator[Callable[[], bytes]]:
    """What makes the body with each of VALUES in place of each of its values, if it is JSON or
    has lines of it.
    """
    lines = body.split(b"\n") if read(body) is None else [body]
    for number, line in enumerate(lines):
        document = read(line)
        if document is None:
            continue
        for path in paths(document):
            for value in VALUES:
                yield partial(joined, lines, number, document, path, value)


def joined(lines: list[bytes], number: int, document: Any, path: Path, value: Any) -> bytes:
    changed = written(replaced(document, path, value))
    return b"\n".join([*lines[:number], changed, *lines[number + 1 :]])


def read(text: bytes) -> Any:
    """None when it is no object and no array."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def written(document: Any) -> bytes:
    text = json.dumps(document)
    for mark, raw in RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text.encode()


def paths(value: Any) -> Iterator[Path]:
    """To the value itself and to all within it."""
    yield ()
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield from ((key, *rest) for rest in paths(item))


def replaced(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    changed = document.copy()
    changed[path[0]] = replaced(document[path[0]], path[1:], value)
    return changed
