"""A query: an analysis's question as one frozen value, and its canonical JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from store.timespan import TimeSpan


def option(default: Any, help_text: str, **how: Any) -> Any:
    """A query field with its help; the command line and the forms are made out of it.

    `how`: `metavar`, `choices`; a tuple field is a repeatable option; one that is `hidden` is
    neither an option nor in the JSON; `reads` makes a value of each of a repeatable option's texts.
    """
    return field(default=default, metadata={"help": help_text, **how})


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What every analysis can be asked; each analysis adds its own fields in a subclass.

    Durations are timedeltas, names of attributes are as stored (`duration_ms`, `attr.value`).
    """

    analysis: ClassVar[str]
    """The name in ANALYSES that answers this query."""
    is_timed: ClassVar[bool] = False
    """True when its answer has points in time, so that `interval` means something."""
    compares: ClassVar[bool] = True
    """False when its answer is a comparison already, so that `compare` means nothing."""
    points_min: ClassVar[int] = 60
    """Without an `interval`, the widest round one that gives so many points is taken."""
    tells_now: ClassVar[bool] = False
    """True when `as_of` is to be set: the answer tells what is not over yet."""
    breaks_down: ClassVar[bool] = True
    """False when `by` means nothing to it, and is refused."""
    keeps_sets: ClassVar[bool] = False
    """True when it counts users or sessions out of sets that may be cut short."""
    instead_of_by: ClassVar[str] = "leave it out, or filter with where"
    """What to do then."""

    span: TimeSpan | None = option(None, "what to read; None is all that is stored")
    where: str | Mapping[str, Any] | None = option(None, "a filter: text, or its $ form")
    by: tuple[str, ...] = option((), "break down by these attributes", metavar="ATTR")
    limit: int = option(20, "keep this many breakdown values, fold the rest", metavar="N")
    interval: timedelta | None = option(None, "the width of a point; None picks a round one")
    compare: str | None = option(None, "`previous`: also the same span just before")
    tz: str = option("UTC", "the zone in which days begin", metavar="ZONE")
    week_start: str | None = option(None, "the first day of a week; None as in the settings")
    link: bool = option(True, "count a device as the user it was linked to")
    whole_sets: bool = option(
        default=False, help_text="keep every user and session that is counted", hidden=True
    )
    as_of: datetime | None = option(None, "the instant of the answer", hidden=True)

    def with_span(self, span: TimeSpan) -> Self:
        return replace(self, span=span)

    def informed(self, types: Mapping[str, Any]) -> Self:
        """With what it must know of the stored columns to say which of them it reads."""
        del types
        return self

    def own_width(self, usual: timedelta) -> timedelta:
        """The width of a point where nobody asked for one: `usual`, or what suits it better."""
        return usual

    def key(self) -> tuple[Any, ...]:
        """What a part's partial depends on: all but span, limit, compare and as_of. Hashable."""
        skipped = {"span", "limit", "compare", "as_of"}
        named = ((part.name, getattr(self, part.name)) for part in fields(self))
        return (self.analysis, *((n, frozen(v)) for n, v in named if n not in skipped))


def frozen(value: Any) -> Any:
    """The value of a field as one that hashes."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, frozen(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value
