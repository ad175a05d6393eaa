"""Filter: what `--where` and the filter bar mean, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import Any, Self

import polars as pl

from store.analytics.filters import meaning, writing
from store.analytics.filters.documents import DocumentReader
from store.analytics.filters.faults import FilterFault
from store.analytics.filters.nodes import EVERYTHING, Bare, Node, every, leaves
from store.analytics.filters.reading import Reader
from store.analytics.filters.values import SEVERITY_FIELDS, Moment, checked
from store.schema import FIXED


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted; equal filters are equal values, and they hash."""

    root: Node = EVERYTHING

    def expr(self, types: Mapping[str, pl.DataType]) -> pl.Expr:
        """True or False, never null, for each row of a frame whose columns have these `types`.

        Columns that the frame lacks are missing in all of its events.
        """
        return meaning.expression(self.root, types)

    def columns(self, types: Mapping[str, pl.DataType]) -> set[str]:
        """The columns among `types` that `expr` reads."""
        return meaning.columns(self.root, types)

    def text(self) -> str:
        """The filter as text that `parse_filter` reads back to an equal one; "" for everything."""
        return writing.as_text(self.root)

    def document(self) -> dict[str, Any]:
        """The $ form, which `parse_filter` reads back to an equal filter."""
        return writing.as_document(self.root)

    def fields(self) -> tuple[str, ...]:
        """The fields that it names, in their order, each once."""
        named = (leaf.field for leaf in leaves(self.root) if not isinstance(leaf, Bare))
        return tuple(dict.fromkeys(named))

    def unknown(self, types: Mapping[str, pl.DataType]) -> dict[str, str]:
        """The fields it names that no event has, each with the nearest known one or ""."""
        known = {*types, *SEVERITY_FIELDS}
        missing = [name for name in self.fields() if name not in known]
        return {name: "" if name in FIXED else nearest(name, types) for name in missing}

    def and_(self, other: "Filter") -> Self:
        """What both find."""
        return type(self)(every((self.root, other.root)))

    def __bool__(self) -> bool:
        """False when it finds everything."""
        return self.root != EVERYTHING


def parse_filter(
    where: str | Mapping[str, Any] | None, *, now: datetime | None = None, zone: tzinfo = UTC
) -> Filter:
    """Filter text, its $ form, or None for everything.

    A UsageError points at the character (or the path) that is wrong. Times that move (`-15m`,
    `today`) are fixed at `now`; without one they are refused, because a filter's answers are kept.
    """
    if not where:
        return Filter()
    moment = Moment(now, zone)
    if isinstance(where, str):
        return Filter(Reader(where, moment).filter())
    return Filter(DocumentReader(moment).filter(where))


def term(field: str, operator: str, *values: str) -> Filter:
    """One term out of its pieces, with any characters in them: what `enter` on a value adds."""
    try:
        return Filter(checked(field, operator, values, Moment()))
    except FilterFault as fault:
        raise fault.at(field) from None


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """The known name most like `name` (another case, an `attr.`, a typo), or ""."""
    folded = {other.casefold(): other for other in (*known, *SEVERITY_FIELDS)}
    for guess in (name.casefold(), f"attr.{name}".casefold()):
        if guess in folded:
            return folded[guess]
    close = get_close_matches(name.casefold(), folded, 1, cutoff=0.6)
    return folded[close[0]] if close else ""
