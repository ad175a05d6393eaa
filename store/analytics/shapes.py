"""The closed set of shapes that answers come in; each has one view on the screens.

All are frozen, plain Python inside, small: what a person looks at, not what was read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from store.timespan import TimeSpan

Key = Mapping[str, str]
"""The breakdown values of a series or a row; `""` is a missing one."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of points, aligned with `Timeline.starts`."""

    key: Key
    values: Sequence[float | int | None]
    """None: nothing to say there (a percentile of no events, a span not covered), never 0."""
    measure: str = "count"
    folded: bool = False
    """True for the row that holds all keys past the limit."""
    total: float | int | None = None
    """The measure over the whole span (users: distinct over the span, not a sum of points)."""
    few: Sequence[bool] = ()
    """Of a percentile: which values rest on too few numbers (`Measure.needs`); () is none."""
    few_total: bool = False
    """Whether `total` does."""
    at_least: Sequence[bool] = ()
    """Which values are only known to be no less: out of a bucket that has no end; () is none."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Values over time: `starts` are the starts of the intervals, in UTC, ascending."""

    interval_seconds: float
    starts: Sequence[datetime]
    series: Sequence[Series]
    windows: Sequence[datetime] = ()
    """Where the time that each point tells of begins; (): with the point. It ends with the point."""
    short: int = 0
    """How many of the first windows begin before anything is stored: they may only seem to rise."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of named values: `columns` in their order; a row's key columns stand in `key`."""

    columns: Sequence[str]
    rows: Sequence["Row"]
    summary: Mapping[str, Any] = field(default_factory=dict)
    """What is said of all of it, by names of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    key: Key
    values: Mapping[str, Any]
    folded: bool = False
    few: Sequence[str] = ()
    """The columns with percentiles that rest on too few numbers (`Measure.needs`)."""


@dataclass(frozen=True, slots=True)
class StepShare:
    """How many came to a step; shares are 0 where there is nobody to take a share of."""

    name: str
    count: int
    conversion: float
    """Of the first step, 0 to 1."""
    conversion_from_previous: float
    """Of the last required step before."""
    drop_off: int
    """Who came to that step before, but not here, and cannot any more."""
    still_possible: int
    """Who came to that step before, and may still come here."""
    median_seconds: float | None
    """Since the step before, of those who came here; None of nobody."""
    mean_seconds: float | None
    of: int
    """How many `conversion_from_previous` is of."""
    likely: tuple[float, float]
    """Where the true `conversion` lies, by Wilson's interval at 95 %."""


@dataclass(frozen=True, slots=True)
class StepGroup:
    """The steps of those who have a breakdown value."""

    key: Key
    steps: Sequence[StepShare]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class StepUser:
    """How far somebody came, and when he came to each step; None for one that he left out."""

    level: int
    step_times: Sequence[datetime | None]
    is_open: bool = False
    """True when an attempt of his is still open: he may come further."""
    key: Key = field(default_factory=dict)
    """The breakdown values under which he counts, where he has one alone."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Shares that go from step to step."""

    steps: Sequence[StepShare]
    groups: Sequence[StepGroup] = ()
    users: Mapping[str, StepUser] | None = None
    """None: nobody asked who."""
    windows: Sequence[tuple[float, float]] = ()
    """Other windows in seconds, and the share of the first step that then comes to the last."""


Result = Timeline | Table | Steps


@dataclass(frozen=True, slots=True)
class Finished:
    """What an analysis makes of its partials: the result, and how far it can be trusted."""

    result: Result
    events: int = 0
    """How many events it was made of."""
    sampled: bool = False
    """True when some of them stood for more than one. Counts of events, sums, means and percentiles
    are weighted then; users, sessions, visits and what leads from one event to the next are counted
    as they were seen, since nobody knows whose the others were, nor what came between. So are
    extremes, gauges and cumulative sums.
    """
    exact: bool = True
    """False when distinct counts or percentiles are estimates."""
    truncated: bool = False
    """True when rows were left out, other than by folding."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which part of the span was answered from what; `missing` is none at all."""

    span: TimeSpan
    tier: str = "raw"


@dataclass(frozen=True, slots=True)
class Answer:
    """A result with what it took and how far it can be trusted: the envelope of `--json`."""

    analysis: str
    query: Any
    """The Query, complete: its `span` and `interval` are resolved."""
    as_of: datetime
    span: TimeSpan
    result: Result
    previous: Result | None = None
    """The same over the span before, when `compare` asked for it."""
    events_scanned: int = 0
    sampled: bool = False
    truncated: bool = False
    exact: bool = True
    incomplete_from: datetime | None = None
    coverage: Sequence[Coverage] = field(default_factory=tuple)
    unreadable_parts: int = 0
    """Parts of the span's dates that could not be read, or are in quarantine for that: their events
    are missing here. `eventdeck check` names them."""
    generation: str = ""
