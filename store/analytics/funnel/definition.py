"""A funnel's question, checked and ready to be worked with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Final, Self

import polars as pl

from store.analytics.filters import Filter, parse_filter
from store.analytics.filters.nodes import Bare, leaves
from store.analytics.filters.values import SEVERITY_FIELDS
from store.analytics.funnel.checks import COUNTS, ORDERS, at_step, check
from store.analytics.funnel.steps import (
    ANY,
    Exclusion,
    Step,
    Written,
    exclusion_of,
    exclusion_of_text,
    step_of,
    step_of_text,
)
from store.analytics.ordered.subjects import USER
from store.analytics.query import Query, frozen, option
from store.errors import UsageError
from store.timespan import UNITS, TimeSpan

WINDOW: Final = timedelta(days=1)
FOREVER: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Where a conversion without a limit ends."""
_CENTURY: Final = 5_200 * UNITS["w"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stepped(Query):
    """What all questions about steps have in common."""

    tells_now: ClassVar[bool] = True

    steps: tuple[Written, ...] = option(
        ("*",),
        "NAME [where FILTER] [optional] [first-time] [within 10m]; * is any event",
        metavar="STEP",
        reads=step_of_text,
    )
    window: timedelta | None = option(WINDOW, "from the first step to the last; none is no limit")
    order: str = option("ordered", "what may lie between the steps", choices=ORDERS)
    per: str = option(USER, "whose steps they are: of a user, or of any attribute", metavar="ATTR")
    exclude: tuple[Written, ...] = option(
        (), "NAME [where FILTER] [between I J]", metavar="EVENT", reads=exclusion_of_text
    )
    break_on: str | Mapping[str, Any] | None = option(
        None, "strict: only these events break a run", metavar="FILTER"
    )
    attribution: str = option(
        "first", "whose value counts in a breakdown: first, last, step:N, all", metavar="WHICH"
    )
    count: str = option("users", "users once, or all their attempts", choices=COUNTS)
    with_ids: bool = option(
        default=False, help_text="tell events of one instant apart", hidden=True
    )
    texts: tuple[str, ...] = option((), "the columns in which bare text is looked for", hidden=True)

    def informed(self, types: Mapping[str, Any]) -> Self:
        """With the columns of text, where some filter looks for bare text; and without the instant
        when no window is open any more, so that the answer is the same from then on.
        """
        texts: Sequence[str] = ()
        if definition_of(self).has_bare_text():
            texts = sorted(name for name, kind in types.items() if kind == pl.String)
        as_of = self.as_of
        longest = definition_of(self).longest
        if as_of and self.span and longest is not None:
            over = self.span.end < as_of - longest * UNITS["us"]
            as_of = None if over else as_of
        return replace(self, texts=tuple(texts), as_of=as_of)

    def key(self) -> tuple[Any, ...]:
        """Not the windows, nor how it is counted: they come at last."""
        of_events = ("steps", "order", "per", "exclude", "break_on", "texts", "with_ids")
        kept = ("where", "by", "link", *of_events)
        named = {name: getattr(self, name) for name in kept}
        named["steps"] = tuple(map(_without_time, self.steps))
        told = map(frozen, named.values())
        return (self.analysis, *told, self.attribution == "all")


def _without_time(written: Written) -> Written:
    if isinstance(written, str):
        return written
    return {name: value for name, value in written.items() if name != "within"}


@dataclass(frozen=True, slots=True)
class Definition:
    """The steps by their numbers from 0, the window in microseconds."""

    steps: tuple[Step, ...]
    exclusions: tuple[Exclusion, ...]
    order: str
    window: int | None
    breakers: Filter | None
    """None: whatever happens breaks a strict run."""
    attribution: str
    at_step: int
    """Of the attribution `step:N`; else -1."""
    by_attempt: bool

    @property
    def is_strict(self) -> bool:
        return self.order == "strict"

    @property
    def is_unordered(self) -> bool:
        return self.order == "unordered"

    @property
    def overlaps(self) -> bool:
        """Whether one event may be several steps."""
        names = {step.name for step in self.steps}
        return len(names) < len(self.steps) or (ANY in names and len(names) > 1)

    @property
    def required(self) -> tuple[int, ...]:
        return tuple(at for at, step in enumerate(self.steps) if not step.optional)

    def before(self, at: int) -> int:
        """The last required step before one: what its share is of."""
        return max((step for step in self.required if step < at), default=0)

    def follows(self, at: int) -> range:
        """The steps that may come next after one: optional ones, and a required one."""
        end = next((step for step in self.required if step > at), len(self.steps) - 1)
        return range(at + 1, end + 1)

    def within(self, at: int) -> int | None:
        """How long after the required step before one it may come, in microseconds."""
        length = self.steps[at].within
        return None if length is None else min(length, _CENTURY) // UNITS["us"]

    @property
    def is_timed(self) -> bool:
        """Whether any step has a time of its own."""
        return any(step.within is not None for step in self.steps)

    @property
    def longest(self) -> int | None:
        """How long an attempt may last, by the window and by the times of all steps together."""
        return self.until(len(self.steps) - 1)

    def until(self, to: int) -> int | None:
        """The longest that it may take from the first step to one; None: no limit."""
        required = [self.within(at) for at in self.required if 0 < at <= to]
        after = [self.within(at) for at in range(self.required[-1] + 1, to + 1)]
        told = [each for each in (*required, *after) if each is not None]
        if not told or len(told) < len(required) + len(after):
            return self.window
        length = sum(told[: len(required)]) + max(told[len(required) :], default=0)
        length = min(length, _CENTURY // UNITS["us"])
        return length if self.window is None else min(length, self.window)

    @property
    def names(self) -> list[str]:
        """What the rows of the answer are called."""
        count = len(self.steps)
        if self.is_unordered:
            return [f"{at + 1} of {count}" for at in range(count)]
        return [step.name for step in self.steps]

    @property
    def labels(self) -> list[str]:
        """The names as people tell steps apart: of steps of one name the filters, and of equal ones
        how many times it was done.
        """
        if self.is_unordered:
            return self.names
        told = [(step.name, step.where.text()) for step in self.steps]
        found = []
        for at, (name, where) in enumerate(told):
            others = {filtered for other, filtered in told if other == name}
            times = told[: at + 1].count((name, where))
            label = f"{name} where {where}" if where and len(others) > 1 else name
            found.append(f"{label} ({times} times)" if times > 1 else label)
        return found

    def filters(self) -> list[Filter]:
        found = [step.where for step in self.steps]
        found += [exclusion.where for exclusion in self.exclusions]
        return found + ([self.breakers] if self.breakers else [])

    def columns(self, texts: Sequence[str]) -> list[str]:
        """The columns that the filters and names read."""
        nodes = [leaf for each in self.filters() for leaf in leaves(each.root)]
        named = [
            "severity" if leaf.field in SEVERITY_FIELDS else leaf.field
            for leaf in nodes
            if not isinstance(leaf, Bare)
        ]
        return ["event_name", *named, *(texts if self.has_bare_text() else ())]

    def has_bare_text(self) -> bool:
        return any(isinstance(leaf, Bare) for each in self.filters() for leaf in leaves(each.root))


def definition_of(query: Stepped) -> Definition:
    """The definition in a query; a UsageError says what makes no sense in it."""
    return _definition(_Key(query))


class _Key:
    """A query by what its definition depends on."""

    def __init__(self, query: Stepped) -> None:
        self.query = query
        of_it = (query.steps, query.window, query.attribution, query.count)
        self._value = (*query.key()[1:], *map(frozen, of_it))

    def __hash__(self) -> int:
        return hash(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._value == other._value


@lru_cache(maxsize=64)
def _definition(key: _Key) -> Definition:
    query = key.query
    steps = tuple(map(step_of, query.steps))
    check(query, steps)
    exclusions = tuple(exclusion_of(each, len(steps)) for each in query.exclude)
    if query.order == "unordered" and any(
        (each.after, each.before) != (1, len(steps)) for each in exclusions
    ):
        raise UsageError("exclude", "unordered steps have nothing between them")
    return Definition(
        steps=steps,
        exclusions=exclusions,
        order=query.order,
        window=None if query.window is None else min(query.window, _CENTURY) // UNITS["us"],
        breakers=parse_filter(query.break_on) if query.break_on else None,
        attribution=query.attribution.partition(":")[0],
        at_step=at_step(query.attribution, len(steps)),
        by_attempt=query.count == "attempts",
    )


def between(query: Stepped, from_step: int, to_step: int | None) -> tuple[int, int]:
    """Two steps by their numbers from 1 (None: the last), by those from 0; a UsageError where the
    second does not come after the first.
    """
    steps = len(definition_of(query).steps)
    last = steps if to_step is None else to_step
    if not 1 <= from_step <= last <= steps:
        raise UsageError(
            "steps",
            f"there is no way from {from_step} to {last} of {steps}",
            next_step="number steps from 1, the earlier one first",
        )
    return from_step - 1, last - 1


def horizon(query: Stepped) -> TimeSpan | None:
    """An attempt begins in the span, and may go on past its end for as long as the window is."""
    made = definition_of(query)
    if query.span is None or any(step.first_time for step in made.steps):
        return None
    longest = made.longest
    if longest is None:
        return TimeSpan(query.span.start, max(query.span.end, FOREVER))
    # The edge is inside.
    after = (longest + 1) * UNITS["us"]
    return TimeSpan(query.span.start, max(query.span.end, min(query.span.end, FOREVER) + after))
