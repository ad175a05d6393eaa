"""Ways in the text of a view: `search>sign up|search`. What joins names is escaped within them."""

from collections.abc import Iterable, Sequence
from typing import Final

_ESCAPES: Final = (("\\", "\\\\"), (">", "\\>"), ("|", "\\|"))


def text_of_names(names: Sequence[str]) -> str:
    """The names of a way, joined."""
    return ">".join(_escaped(name) for name in names)


def names_of_text(text: str) -> tuple[str, ...]:
    """What `text_of_names` joined."""
    return tuple(_parts(text, ">")) if text else ()


def text_of_ways(ways: Iterable[Sequence[str]]) -> str:
    """Several ways, in order."""
    return "|".join(sorted(text_of_names(way) for way in ways))


def ways_of_text(text: str) -> frozenset[tuple[str, ...]]:
    """What `text_of_ways` joined."""
    return frozenset(names_of_text(way) for way in _parts(text, "|", keep=True) if way)


def _escaped(name: str) -> str:
    for plain, escaped in _ESCAPES:
        name = name.replace(plain, escaped)
    return name


def _parts(text: str, sign: str, *, keep: bool = False) -> list[str]:
    """Cut at signs that are not escaped; `keep` leaves the escapes for another cut."""
    parts, at = [""], 0
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            at += 1
            parts[-1] += text[at - 1 : at + 1] if keep else text[at]
        elif character == sign:
            parts.append("")
        else:
            parts[-1] += character
        at += 1
    return parts
