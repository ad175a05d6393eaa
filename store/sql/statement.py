"""A statement as words, as far as it takes to know that it only reads events.

Polars' SQL can open any file (`read_parquet('…')`) and knows statements that are no questions.
Where this reading of the text and that of Polars could differ, so that something might hide in
what looks like a text or a comment, the statement is refused.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from store.errors import UsageError

READING: Final = ("SELECT", "WITH", "FROM", "VALUES", "SHOW", "EXPLAIN")
"""What a statement may begin with; parentheses may stand before it."""
EXAMPLE: Final = "write SELECT … FROM events …"
_TOKEN: Final = re.compile(
    r"""
      (?P<blank>\s+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<text>'(?:[^']|'')*(?:'|\Z))
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z))
    | (?P<word>\w[\w$]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FILE_FUNCTION: Final = re.compile(r"(?:read|scan|write|sink)_", re.IGNORECASE)
# Texts with a letter in front have quoting rules of their own; Polars supports hardly any of them.
_TEXT_PREFIX: Final = re.compile(r"(?:[a-z]|br|rb|u&)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement."""

    kind: str
    """`text`, `quoted` (a name), `word` or `sign`."""
    text: str
    """A quoted name without its quotes, all else as it stands."""
    start: int


def fault(text: str, at: int, said: str, next_step: str = "") -> UsageError:
    """The error that points at a character of the statement."""
    return UsageError("sql", said, place=place(text, at), next_step=next_step)


def place(text: str, at: int) -> str:
    """`character 12`, or `line 2, character 5` where there are more lines."""
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return f"line {line}, character {column}" if "\n" in text.strip() else f"character {column}"


def tokens(text: str) -> tuple[Token, ...]:
    """The pieces but for blanks and comments. UsageError: some would hide what comes after."""
    return tuple(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    before = ""
    for found in _TOKEN.finditer(text):
        kind, piece, start = str(found.lastgroup), found.group(), found.start()
        if kind == "comment" and "/*" in piece[2:]:
            raise fault(text, start, "a comment within a comment", "take the inner one out")
        if kind == "text" and _TEXT_PREFIX.fullmatch(before):
            raise fault(text, start, f"{before}'…' is no plain text", "write '…', '' for a quote")
        if kind == "quoted":
            name = piece[1:-1].replace(piece[0] * 2, piece[0])
            yield Token(kind, name, start)
        elif kind not in ("blank", "comment"):
            yield Token(kind, piece, start)
        before = piece if kind == "word" else ""


def check_reads_only(text: str) -> Sequence[Token]:
    """The tokens of a statement that reads the given tables and nothing else; a UsageError for
    any other.
    """
    found = tokens(text)
    first = next((token for token in found if token.text not in ("(", ";")), None)
    if first is None:
        raise UsageError("sql", "there is no statement", next_step=EXAMPLE)
    if first.kind != "word" or first.text.upper() not in READING:
        said = f"{first.text} is no question; events are only read here"
        raise fault(text, first.start, said, EXAMPLE)
    for token, after in pairwise(found):
        is_name = token.kind in ("word", "quoted")
        if is_name and after.text == "(" and _FILE_FUNCTION.match(token.text):
            said = f"{token.text} opens a file; only stored events are read here"
            raise fault(text, token.start, said, "import the file, and ask for its events")
    return found
