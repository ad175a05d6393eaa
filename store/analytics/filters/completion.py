"""What could come next in the filter bar: names of fields, operators, values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from store.analytics.filters.nodes import LISTING, OPERATORS
from store.analytics.filters.reading import QUOTES, WORD_ENDS
from store.analytics.filters.values import SEVERITY_FIELDS
from store.analytics.filters.writing import name_text, value_text
from store.schema import OVERFLOW, SEVERITIES

_TEXT_OPERATORS: Final = ("=", "!=", "~", "=~", "=*")
_NUMBER_OPERATORS: Final = (">", ">=", "<", "<=", "=", "!=", "=*")
_SEVERITY_OPERATORS: Final = (">=", "=", "!=", "<=", ">", "<")
OPTIONS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Completion:
    """Any of `options` may replace the text from `start` up to `end`."""

    start: int
    end: int
    kind: str
    """`field`, `operator` or `value`."""
    options: tuple[str, ...]

    def applied(self, text: str, option: str) -> tuple[str, int]:
        """The text with the option in it, and the cursor after it."""
        return text[: self.start] + option + text[self.end :], self.start + len(option)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the cursor stands: in a field, or in a value of `field` after `operator`."""

    start: int
    field: str = ""
    operator: str = ""


def completion(
    text: str,
    cursor: int,
    types: Mapping[str, pl.DataType],
    values: Callable[[str], Sequence[str]],
) -> Completion:
    """What could stand at the cursor, likeliest first; works on text that is not yet a filter.

    `types` are the columns that are stored; `values` gives common values of a field, commonest
    first, and is asked for one field only.
    """
    before = text[:cursor]
    place = _place(before)
    end = _token_end(text, cursor, before[place.start : place.start + 1])
    typed = _unquoted(before[place.start :])
    if not place.operator:
        return _fields(place.start, end, typed, types)
    known = _known_values(place, types, values)
    options = tuple(value_text(value) for value in _ranked(known, typed) if value)[:OPTIONS_MAX]
    return Completion(place.start, end, "value", options)


def _fields(start: int, end: int, typed: str, types: Mapping[str, pl.DataType]) -> Completion:
    names = [*(name for name in types if name != OVERFLOW), "severity_class"]
    others = tuple(name_text(name) for name in _ranked(names, typed) if name != typed)
    if typed not in names:
        return Completion(start, end, "field", others[:OPTIONS_MAX])
    operators = (f"{name_text(typed)}{sign}" for sign in _operators(typed, types))
    return Completion(start, end, "operator", (*operators, *others)[:OPTIONS_MAX])


def _operators(field: str, types: Mapping[str, pl.DataType]) -> Sequence[str]:
    if field in SEVERITY_FIELDS:
        return _SEVERITY_OPERATORS
    kind = types.get(field, pl.String())
    return _NUMBER_OPERATORS if kind.is_numeric() or kind.is_temporal() else _TEXT_OPERATORS


def _known_values(
    place: _Place, types: Mapping[str, pl.DataType], values: Callable[[str], Sequence[str]]
) -> Sequence[str]:
    if place.field in SEVERITY_FIELDS:
        return tuple(reversed(tuple(SEVERITIES)))
    if types.get(place.field) == pl.Boolean:
        return ("true", "false")
    return values(place.field)


def _ranked(names: Iterable[str], typed: str) -> list[str]:
    """Those with `typed` in them, those that start with it first; else in the given order."""
    wanted = typed.casefold()
    holding = [name for name in names if wanted in name.casefold()]
    return sorted(holding, key=lambda name: not name.casefold().startswith(wanted))


def _place(before: str) -> _Place:
    """Reads terms from the left, as far as they go, to find the piece that the cursor ends."""
    at, place = 0, _Place(0)
    while at < len(before):
        if before[at].isspace() or before[at] in "()" or _denies(before, at):
            at += 1
            place = _Place(at)
            continue
        start, at = at, _piece_end(before, at, WORD_ENDS)
        place = _Place(start)
        signed = at + len(before[at:]) - len(before[at:].lstrip())
        sign = next((sign for sign in OPERATORS if before.startswith(sign, signed)), "")
        if sign:
            field = _unquoted(before[start:at])
            at, start = _values_end(before, signed + len(sign), listing=sign in LISTING)
            place = _Place(start, field, sign) if at == len(before) else _Place(at)
        elif at == start:
            at += 1
    return place


def _denies(text: str, at: int) -> bool:
    return text[at] == "-" and (at == 0 or text[at - 1].isspace() or text[at - 1] in "(-")


def _values_end(text: str, at: int, *, listing: bool) -> tuple[int, int]:
    """Where the values after an operator end, and where the last of them starts."""
    while text[at : at + 1].isspace():
        at += 1
    ends = frozenset(",") if listing else frozenset[str]()
    start, at = at, _piece_end(text, at, ends | {")"})
    while listing and text[at : at + 1] == ",":
        start, at = at + 1, _piece_end(text, at + 1, ends | {")"})
    return at, start


def _piece_end(text: str, at: int, ends: frozenset[str]) -> int:
    """After a quoted piece, or before a space or one of `ends`."""
    quote = text[at : at + 1]
    if quote in QUOTES:
        at += 1
        while at < len(text) and text[at] != quote:
            at += 2 if text[at] == "\\" and text[at + 1 : at + 2] in (quote, "\\") else 1
        return min(at + 1, len(text))
    while at < len(text) and not text[at].isspace() and text[at] not in ends:
        at += 1
    return at


def _token_end(text: str, cursor: int, quote: str) -> int:
    """The rest of the word that the cursor stands in is replaced as well."""
    if quote in QUOTES:
        closing = text.find(quote, cursor)
        return cursor if closing < 0 else closing + 1
    return (
        _piece_end(text, cursor, WORD_ENDS | {","})
        if text[cursor : cursor + 1] not in QUOTES
        else cursor
    )


def _unquoted(piece: str) -> str:
    if piece[:1] not in QUOTES:
        return piece
    inner = piece[1:-1] if len(piece) > 1 and piece[-1] == piece[0] else piece[1:]
    return inner.replace(f"\\{piece[0]}", piece[0]).replace("\\\\", "\\")
