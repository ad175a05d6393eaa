"""Journeys: what they ask, and the tree out of the answer, a branch a line."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from store.analytics.paths.markers import END, OTHER, START
from store.analytics.query import Query
from store.analytics.shapes import Answer, Row, Table
from tui.store_door import Cancelled, Store
from tui.view_state import Seen, View
from tui.views.journey_text import text_of_ways, ways_of_text
from tui.views.questions import zone_name

SHOWN: Final = 8
"""Names of a branch that are shown by themselves, unless more are asked for."""
EVERY: Final = "all"
"""The text of the option `of` with which every event counts, and not what people do alone."""
UNFOLD_SHARE: Final = 0.02
"""Names that such a share of all goes to are unfolded, until a person says which are."""
FOLDED: Final = "|"
"""The text of the option `unfold` with which nothing is."""
AHEAD_MAX: Final = 100
ENDS: Final = (END, START)

Way = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree."""

    way: Way
    """The names that lead there, its own last; empty for where it all starts."""
    count: int
    users: int
    share: float
    """Of those who came to the branch before."""
    likely: tuple[float, float]
    """Where the true share lies, by Wilson's interval at 95 %."""
    share_of_all: float
    share_before: float
    """Of all, who came to the branch before."""
    median_seconds: float | None
    names: int = 1
    """How many it stands for, when it is OTHER."""
    unfolded: bool = False
    """What comes after it stands below."""

    @property
    def name(self) -> str:
        return self.way[-1] if self.way else ""

    @property
    def kind(self) -> str:
        """`start`, `name`, `other` or `end`."""
        if not self.way:
            return "start"
        return "end" if self.name in ENDS else "other" if self.name == OTHER else "name"


@dataclass(frozen=True, slots=True)
class Tree:
    """What the screen shows; `start` is empty where sessions start (backwards: end)."""

    start: str = ""
    backwards: bool = False
    every: bool = False
    """All events count; False: what people do."""
    branches: tuple[Branch, ...] = ()
    sessions: int = 0
    """All that there are, with the start or without."""


def where_of(view: View, *, every: bool | None = None) -> str | None:
    """The filter of the view, and that of what people do."""
    from store.analytics.filters import parse_filter, term
    from store.analytics.sessions.pieces import INTERACTIONS

    if every is None:
        every = view.option("of") == EVERY
    if every:
        return view.where or None
    acts = term("event_type", "=", *INTERACTIONS)
    return parse_filter(view.where or None).and_(acts).text()


def question(seen: Seen, *, every: bool, ahead: Collection[Way] = ()) -> Query:
    """The tree of the view; with what comes after the ways `ahead`, which may be unfolded next."""
    from store.analytics.paths.journeys import Journeys

    view = seen.view
    return Journeys(
        span=seen.span,
        where=where_of(view, every=every),
        tz=zone_name(seen.zone),
        limit=shown_of(view),
        from_=view.option("start") or None,
        backwards=view.option("turn") == "back",
        unfold=tuple(sorted({*unfolded_of(view), *ahead})),
        unfold_above=None if view.option("unfold") else UNFOLD_SHARE,
    )


def holds_something(answer: Answer) -> bool:
    """Whether there is any session at all."""
    assert isinstance(answer.result, Table)
    return bool(answer.result.summary["sessions"])


def names_work(
    seen: Seen, *, every: bool, limit: int
) -> Callable[[Store, Cancelled], Sequence[str]]:
    """For the query runner: the names that a tree could start from, the most frequent first."""

    def work(store: Store, cancelled: Cancelled) -> Sequence[str]:
        from store.analytics.top import Top

        where = where_of(seen.view, every=every)
        found = store.run(Top(span=seen.span, where=where, limit=limit), cancelled=cancelled).result
        assert isinstance(found, Table)
        return [row.key["event_name"] for row in found.rows if not row.folded]

    return work


def shown_of(view: View) -> int:
    """How many names of a branch are shown by themselves."""
    text = view.option("show")
    return int(text) if text.isdecimal() and 0 < int(text) <= 1_000 else SHOWN


def unfolded_of(view: View) -> frozenset[Way]:
    """The ways that are unfolded."""
    return ways_of_text(view.option("unfold"))


def tree(answer: Answer, view: View, *, every: bool) -> Tree:
    """The branches in the order in which they are drawn: each with those after it below."""
    assert isinstance(answer.result, Table)
    table = answer.result
    after: dict[Way, list[Row]] = {}
    for row in table.rows:
        after.setdefault(tuple(row.values["path"]), []).append(row)
    told = table.summary
    root = Branch((), told["count"], told["users"], 1.0, (1.0, 1.0), 1.0, 1.0, None, unfolded=True)
    unfolded = unfolded_of(view) if view.option("unfold") else after.keys()
    branches = (root, *_below(root, after, unfolded)) if told["count"] else ()
    start, back = view.option("start"), view.option("turn") == "back"
    return Tree(start, back, every, branches, told["sessions"])


def _below(
    before: Branch, after: dict[Way, list[Row]], unfolded: Collection[Way]
) -> Iterator[Branch]:
    for row in after.get(before.way, ()):
        branch = _branch(row.values, before, after, unfolded)
        yield branch
        if branch.unfolded:
            yield from _below(branch, after, unfolded)


def _branch(
    values: Any, before: Branch, after: Collection[Way], unfolded: Collection[Way]
) -> Branch:
    way = (*before.way, values["to"])
    return Branch(
        way=way,
        count=values["count"],
        users=values["users"],
        share=values["share"],
        likely=(values["low"], values["high"]),
        share_of_all=values["share_of_all"],
        share_before=before.share_of_all,
        median_seconds=values["median_seconds"],
        names=values["names"],
        unfolded=way in unfolded and way in after,
    )


def ahead_of(shown: Tree) -> tuple[Way, ...]:
    """What a person may unfold next: asked for beforehand, so that it is there at once."""
    names = (each.way for each in shown.branches if each.kind == "name" and not each.unfolded)
    return tuple(names)[:AHEAD_MAX]


def turned(shown: Tree, view: View, way: Way, *, unfolded: bool) -> View:
    """The view with a branch unfolded, or folded with all that is below it."""
    ways = {each.way for each in shown.branches if each.way and each.unfolded}
    kept = {each for each in ways if each[: len(way)] != way}
    return view.with_option("unfold", text_of_ways(kept | {way} if unfolded else kept) or FOLDED)
