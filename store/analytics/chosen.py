"""Which events are meant: by a name, a filter, or both."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from store.analytics.filters import Filter, parse_filter
from store.analytics.filters.nodes import Bare, leaves
from store.analytics.filters.values import SEVERITY_FIELDS
from store.analytics.intervals import checked_zone
from store.errors import UsageError

Named = str | Mapping[str, Any] | None
"""`NAME [where FILTER]`, `{"name": NAME, "where": FILTER}`, or None (or `*`) for every event."""
EVERY: Final = "*"
_LIKE_A_TERM: Final = re.compile(r"-?[\w.$]+\s*(!=|>|<|=|~)")
_QUOTED: Final = re.compile(r"""\s*(["'])(.*?)\1\s*(?:where\s+(.*))?\Z""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Events of one name, or of any, that pass a filter."""

    name: str = EVERY
    where: Filter = field(default_factory=Filter)

    def columns(self) -> list[str]:
        """The columns that `expr` reads."""
        fields = ["severity" if name in SEVERITY_FIELDS else name for name in self.where.fields()]
        return [*(["event_name"] if self.name != EVERY else []), *fields]

    def expr(self, types: Mapping[str, pl.DataType]) -> pl.Expr:
        """True or False for each row of a frame with columns of these types."""
        named = pl.lit(value=True) if self.name == EVERY else pl.col("event_name") == self.name
        return named & self.where.expr(types) if self.where else named


def parse_chosen(given: Named, place: str, tz: str = "UTC") -> Chosen:
    """The events that `given` means; a UsageError names `place`, the option.

    The first ` where ` ends the name, unless the name stands in quotes.
    """
    if given is None:
        return Chosen()
    if isinstance(given, str):
        name, where = _split(given)
    else:
        unknown = given.keys() - {"name", "where"}
        if unknown or not isinstance(given.get("name", EVERY), str):
            fault = f"{dict(given)!r} is no event"
            raise UsageError(place, fault, next_step='write {"name": …, "where": …}')
        name, where = given.get("name", EVERY), given.get("where")
    if not name:
        raise UsageError(place, "it names no event", next_step="write NAME or * for any")
    return Chosen(name, _checked(parse_filter(where, zone=checked_zone(tz)), place))


def parse_feature(text: str, place: str, tz: str = "UTC") -> Chosen:
    """The events that a filter finds, or those of a name: what has a field and an operator in it is
    a filter. `NAME where FILTER` works as well.
    """
    if " where " in text:
        return parse_chosen(text, place, tz)
    try:
        where = parse_filter(text, zone=checked_zone(tz))
    except UsageError:
        if _LIKE_A_TERM.match(text):
            raise
        return parse_chosen(text, place, tz)
    if any(not isinstance(leaf, Bare) for leaf in leaves(where.root)):
        return Chosen(where=_checked(where, place))
    return parse_chosen(text, place, tz)


def _split(text: str) -> tuple[str, str | None]:
    quoted = _QUOTED.match(text)
    if quoted:
        return quoted[2], quoted[3]
    name, _, where = text.partition(" where ")
    return name.strip(), where.strip() or None


def _checked(where: Filter, place: str) -> Filter:
    if any(isinstance(leaf, Bare) for leaf in leaves(where.root)):
        fault = "a text anywhere in the event cannot be asked for here"
        raise UsageError(place, fault, next_step="name the field: message~text")
    return where
