"""Logfmt, `level=info msg="cart paid" items=3`, as Go's slog and logrus and many others print it.

Such lines look like much else: one is taken for logfmt only when all of it is words and pairs, at
least two of them pairs, and one of these tells a level or a message.
"""

import json
import re
from typing import Any, Final

_PAIR: Final = re.compile(r'[ \t]*([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?(?=[ \t]|$)', re.ASCII)
_TELLING: Final = frozenset({"level", "lvl", "severity", "msg", "message"})
# Numbers that can be printed back as they were; `007` and `1.10.2` stay text.
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9]")
_WORDS: Final = {"true": True, "false": False, "": None}


def pairs_of(line: bytes) -> dict[str, Any] | None:
    """The pairs of the line, values typed; a word by itself is true. None: it is no logfmt."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    found: dict[str, Any] = {}
    at = pairs = 0
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            return None
        name, value = match.groups()
        pairs += value is not None
        found[name] = True if value is None else _value(value)
        at = match.end()
    return found if pairs >= 2 and not _TELLING.isdisjoint(found) else None


def _value(text: str) -> Any:
    if text.startswith('"'):
        return _unquoted(text)
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    try:
        # Go's escapes; those that JSON lacks (`\x1b`) leave the text as it is.
        found: str = json.loads(text, strict=False)
    except ValueError:
        return text[1:-1]
    return found
