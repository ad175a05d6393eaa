"""Every message between the parts of the dashboard, as facts that have happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from textual.message import Message

from store.timespan import TimeSpan
from tui.store_door import Store


@dataclass
class StoreOpened(Message):
    """The store can be asked; Polars is imported."""

    store: Store
    generation: str


@dataclass
class StoreFailed(Message):
    """The store could not be opened or listed; `sentence` says what to do."""

    sentence: str


@dataclass
class StoreChanged(Message):
    """The visible parts are others than before; `events` is how many rows they hold."""

    generation: str
    events: int
    bytes_stored: int
    parts: int
    span: TimeSpan | None
    """Of all that is stored; None when nothing is."""
    skipped: Sequence[tuple[str, str]]
    """Files that do not count, and why."""
    quarantined: Sequence[tuple[str, str]] = ()
    """Files that were moved away because they could not be read, and why."""
    out_of_time: int = 0
    """Events of the far past or future: some clock was wrong."""


@dataclass
class ResultReady(Message):
    """What `asker` wanted to know; `ticket` tells which of its questions this answers."""

    asker: str
    ticket: int
    result: Any
    seconds: float


@dataclass
class QueryFailed(Message):
    """The question of `asker` could not be answered."""

    asker: str
    ticket: int
    sentence: str
    detail: str


@dataclass
class SpanPicked(Message):
    """A person chose what time to look at: a length that follows now, or a fixed span."""

    span: timedelta | TimeSpan


@dataclass
class FilterPicked(Message):
    """A person chose a filter; empty is none."""

    where: str


@dataclass
class FilterTyped(Message):
    """The text in the filter bar changed; `cursor` is a character offset."""

    text: str
    cursor: int


@dataclass
class FilterLeft(Message):
    """The filter bar was left without a choice."""


@dataclass
class AttributePicked(Message):
    """A person chose an attribute to break down by; empty is none."""

    attribute: str


@dataclass
class SortPicked(Message):
    """A person chose a column to sort by."""

    column: str
    reverse: bool


@dataclass
class RowsWanted(Message):
    """A person wants the events themselves: those with each of these attribute values, within
    `span` (None: as it is).
    """

    terms: tuple[tuple[str, str], ...] = ()
    span: TimeSpan | None = None


@dataclass
class StatsRead(Message):
    """What the collector says of itself; None when none answers at `url`."""

    url: str
    stats: Mapping[str, Any] | None
    tally: Mapping[str, Any] | None


@dataclass
class PageWanted(Message):
    """A table lacks the rows at `places` of what it knows as `version`."""

    version: object
    places: range


@dataclass
class RowReached(Message):
    """The cursor of a table stands on this row."""

    place: int
    row: Mapping[str, Any]


@dataclass
class RowOpened(Message):
    """A person wants to see all of this row."""

    place: int
    row: Mapping[str, Any]


@dataclass
class ValueOpened(Message):
    """A person wants to do something with the value of an attribute."""

    attribute: str
    value: str


@dataclass
class StepOpened(Message):
    """A person wants to see who came to a step (from 0), or who went no further before it."""

    step: int
    gone: bool


@dataclass
class StepsPicked(Message):
    """A person wrote the steps of a funnel, in the order and syntax of `tui.views.step_text`."""

    text: str


@dataclass
class ExclusionsPicked(Message):
    """A person wrote what must not happen between the steps, in the same syntax."""

    text: str


@dataclass
class StepsTyped(Message):
    """The text of the steps changed; `cursor` is a character offset."""

    text: str
    cursor: int


@dataclass
class StepsLeft(Message):
    """The row of the steps was left."""


@dataclass
class BranchTurned(Message):
    """A person unfolds a branch of a tree, or folds it: `way` is the names that lead there."""

    way: tuple[str, ...]
    unfolded: bool


@dataclass
class BranchOpened(Message):
    """A person wants to see the sessions behind a branch of a tree."""

    way: tuple[str, ...]


@dataclass
class StartPicked(Message):
    """A person chose the name of the event to start from; empty is none."""

    name: str


@dataclass
class StartTyped(Message):
    """The text of the start changed."""

    text: str


@dataclass
class StartLeft(Message):
    """The start was left as it was."""


@dataclass
class SqlPicked(Message):
    """A person wrote a question in SQL."""

    text: str


@dataclass
class SqlTyped(Message):
    """The text of the question changed; `cursor` is a character offset."""

    text: str
    cursor: int


@dataclass
class SqlLeft(Message):
    """The row of the question was left."""


@dataclass
class SqlClosed(Message):
    """A person has seen enough of the answer."""


@dataclass
class CellOpened(Message):
    """A person wants to see what a cell of a matrix is made of: those who began in `began`, and
    what they did in `span`, so many periods after.
    """

    began: TimeSpan
    span: TimeSpan
    after: int


@dataclass
class OptionsPicked(Message):
    """A person wrote the options of an analysis, as on the command line; empty is none."""

    text: str


@dataclass
class OptionsTyped(Message):
    """The text of the options changed; `cursor` is a character offset."""

    text: str
    cursor: int


@dataclass
class OptionsLeft(Message):
    """The row of the options was left."""
