"""The steps of a funnel in one text, as a person types them: `page_view, signup where plan=pro`.

Each is what `--step` takes on the command line. A comma ends a step; after `where` only one that a
blank follows does, since `plan=pro,team` is a list. Quotes and parentheses keep commas inside.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

_WHERE: Final = re.compile(r"\s+where\s+", re.IGNORECASE)
_SPECIAL: Final = re.compile(
    r"[,▸\"'\\(]|^\s|\s$|\swhere\s|\s(optional|first-time|within\s\S+)\s*$"
)


class Piece(NamedTuple):
    """One step within the text, blanks around it included."""

    start: int
    end: int
    text: str

    @property
    def filter_at(self) -> int | None:
        """Where in the whole text its filter begins, if it has one."""
        found = _WHERE.search(self.text)
        return None if found is None else self.start + found.end()


def pieces(text: str) -> list[Piece]:
    """The steps in their order; what stands between two commas may be empty."""
    ends = [*_separators(text), len(text)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [Piece(start, end, text[start:end]) for start, end in zip(starts, ends, strict=True)]


def split_steps(text: str) -> tuple[str, ...]:
    """The texts of the steps, without empty ones."""
    return tuple(found for piece in pieces(text) if (found := piece.text.strip()))


def joined(steps: Iterable[str]) -> str:
    """The text that `split_steps` takes apart again."""
    texts = list(steps)
    return "".join(
        step + ("" if at == len(texts) else ", " if _WHERE.search(step) else ",")
        for at, step in enumerate(texts, 1)
    )


def step_text(name: str) -> str:
    """An event's name as a step of the text: in quotes where it would read as more than a name."""
    if not _SPECIAL.search(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def piece_at(found: Sequence[Piece], cursor: int) -> Piece:
    """The step that the cursor stands in."""
    return next((piece for piece in found if cursor <= piece.end), found[-1])


def _separators(text: str) -> Iterator[int]:
    """Where a step ends and another may begin."""
    quote, depth, start, before = "", 0, 0, ""
    skip = False
    for at, character in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'" and not before.isalnum():
            # An apostrophe inside a word is none.
            quote = character
        elif character in "()":
            depth = max(0, depth + (1 if character == "(" else -1))
        elif not depth and _ends(text, start, at):
            yield at
            start = at + 1
        before = character


def _ends(text: str, start: int, at: int) -> bool:
    if text[at] == "▸":
        return True
    if text[at] != ",":
        return False
    is_filter = _WHERE.search(text, start, at) is not None
    return not is_filter or text[at + 1 : at + 2] in ("", " ")
