"""Which parts an answer is made of: whole ones in groups that stay, and those that an edge cuts.

The parts are the leaves of a tree: eights of parts that one writer wrote one after the other,
eights of those, and so on, a day, all days. The partials of each node are kept combined. A span
takes the largest nodes that lie inside it, so it is made of few frames however many parts there
are, and a new part makes only the nodes above itself anew.
"""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, groupby
from operator import attrgetter
from typing import Final

from store.analytics.cut import Cut
from store.parts.part import Part
from store.timespan import TimeSpan

GROUP_BITS: Final = 3
LEVELS: Final = 5
"""Eights of eights, …: 32,768 parts of one writer and date in a group at most."""
JOINED_MAX: Final = 256
"""Spans whose nodes were made one: the few that are on screen, and some that were."""

_NUMBERS: Final = count()
"""Of groups, whichever planner made them: one reading takes those of several."""

PartKey = tuple[str, int, str, int]
Eight = tuple[int, str, int]
"""A level, a writer, and the number of a group of its parts."""


def key_of(part: Part) -> PartKey:
    """The part's name, as a key: cheaper to make than its text."""
    return part.date, part.level, part.writer, part.sequence


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part, or a group of parts, whose combined partials are kept as one."""

    key: Hashable
    """Of one node alone; the same in a later plan when the parts are the same."""
    start: datetime
    end: datetime
    newest: datetime
    """When the last of its events came in."""
    rows: int
    part: Part | None = None
    """Of a leaf."""
    nodes: Sequence["Node"] = ()
    """What a group is combined from."""
    cut: Cut | None = None
    """How the part by itself is reduced when an edge cuts it."""
    within: TimeSpan | None = None
    """Of a leaf that is taken from a rollup: only its cells in here."""
    inside: TimeSpan | None = None
    """Only the members' cells that start in here count."""
    lasts: bool = True
    """False for a group that was made for a span, and will soon have other members."""
    heritage: Sequence["Node"] = ()
    """Of a merged part: earlier nodes that together hold the same events."""

    def leaves(self) -> Iterator["Node"]:
        """The parts below, or itself."""
        if not self.nodes:
            yield self
        for member in self.nodes:
            yield from member.leaves()


HeritageOf = Callable[[Part, Sequence[Node]], Sequence[Node]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of one answer."""

    nodes: Sequence[Node]
    """Groups and parts wholly inside the horizon."""
    cut: Sequence[Node]
    """Parts that an edge of it cuts."""


@dataclass(frozen=True, slots=True)
class Tree:
    """All parts of a snapshot: a node for each day, those of changing groups apart."""

    days: Sequence[Node]
    open: frozenset[Hashable]
    """The groups to which the newest part belongs: they change with every part that comes."""
    as_one: Callable[[Sequence[Node]], Sequence[Node]]

    def planned(self, horizon: TimeSpan | None) -> Plan:
        """What to read over `horizon`; None is all history."""
        settled: list[Node] = []
        fresh: list[Node] = []
        cut: list[Node] = []
        waiting = [(node, settled) for node in reversed(self.days)]
        while waiting:
            node, found = waiting.pop()
            if horizon and not (node.start < horizon.end and horizon.start < node.end):
                continue
            is_inside = not horizon or (horizon.start <= node.start and node.end <= horizon.end)
            if is_inside and node.key not in self.open:
                found.append(node)
            elif node.nodes:
                # The newest eights stay apart; all that came before can be one.
                under = fresh if node.key in self.open and _is_small(node) else found
                waiting += [(member, under) for member in reversed(node.nodes)]
            else:
                (fresh if is_inside else cut).append(node)
        return Plan([*self.as_one(settled), *fresh], cut)


class Planner:
    """Keeps the tree from one snapshot to the next. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._days: dict[str, _Day] = {}
        self._joined_before: OrderedDict[Hashable, Node] = OrderedDict()
        self._heritage: HeritageOf = lambda _part, _tree: ()

    def tree(self, parts: Iterable[Part], heritage: HeritageOf = lambda _part, _tree: ()) -> Tree:
        """The tree over `parts`, which are in the order of a snapshot. `heritage` gives what a new
        part inherits from the nodes of its day before.
        """
        with self._lock:
            self._heritage = heritage
            days = {day: tuple(found) for day, found in groupby(parts, attrgetter("date"))}
            self._days = {day: self._day(day, found) for day, found in days.items()}
            nodes = [node for day in self._days.values() for node in day.top]
        return Tree(nodes, frozenset(_path_to_newest(nodes)), self._as_one)

    def _day(self, day: str, parts: tuple[Part, ...]) -> "_Day":
        known = self._days.get(day) or _NOTHING
        if known.parts == parts:
            return known
        eights: dict[Eight, list[Part]] = defaultdict(list)
        for part in parts:
            eights[part.level, part.writer, part.sequence >> GROUP_BITS].append(part)
        made: dict[Hashable, Node] = {}
        nodes: dict[Eight, Sequence[Node]] = {}
        for eight, members in eights.items():
            before = known.nodes.get(eight, ())
            same = known.eights.get(eight) == members
            nodes[eight] = before if same else self._leaves(members, before, known.top)
        return _Day(parts, eights, nodes, made, self._above(nodes, known.made, made))

    def _leaves(
        self, parts: Iterable[Part], before: Iterable[Node], tree: Sequence[Node]
    ) -> Sequence[Node]:
        """The parts that hold events as nodes, those of `before` again."""
        known = {node.key: node for node in before}
        return [known.get(key_of(part)) or self._leaf(part, tree) for part in parts if part.rows]

    def _leaf(self, part: Part, tree: Sequence[Node]) -> Node:
        span, received = part.span, part.newest_received
        heritage = self._heritage(part, tree) if part.level else ()
        return Node(
            key_of(part), span.start, span.end, received, part.rows, part, heritage=heritage
        )

    def _above(
        self,
        eights: Mapping[Eight, Sequence[Node]],
        known: Mapping[Hashable, Node],
        made: dict[Hashable, Node],
    ) -> Sequence[Node]:
        """The nodes of a day out of its eights of parts: eights of those, and so on, then one."""
        groups = {eight: self._group(nodes, known, made) for eight, nodes in eights.items()}
        for _ in range(1, LEVELS):
            wider: dict[Eight, list[Node]] = defaultdict(list)
            for (level, writer, number), nodes in groups.items():
                wider[level, writer, number >> GROUP_BITS].extend(nodes)
            groups = {eight: self._group(nodes, known, made) for eight, nodes in wider.items()}
        return self._group([node for nodes in groups.values() for node in nodes], known, made)

    def _group(
        self,
        members: Sequence[Node],
        known: Mapping[Hashable, Node],
        made: dict[Hashable, Node],
        *,
        lasts: bool = True,
    ) -> Sequence[Node]:
        if len(members) < 2:
            return members
        name = tuple(member.key for member in members)
        made[name] = known.get(name) or self._node(members, lasts=lasts)
        return [made[name]]

    def _node(self, members: Sequence[Node], *, lasts: bool) -> Node:
        return Node(
            next(_NUMBERS),
            min(member.start for member in members),
            max(member.end for member in members),
            max(member.newest for member in members),
            sum(member.rows for member in members),
            nodes=tuple(members),
            lasts=lasts,
        )

    def _as_one(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """The nodes that a span is made of beside the newest, as one node."""
        with self._lock:
            before = self._joined_before
            one = self._group(nodes, before, before, lasts=False)
            while len(self._joined_before) > JOINED_MAX:
                self._joined_before.popitem(last=False)
            return one


@dataclass(frozen=True, slots=True)
class _Day:
    """The tree of a date, and what it was made of."""

    parts: tuple[Part, ...]
    eights: Mapping[Eight, Sequence[Part]]
    nodes: Mapping[Eight, Sequence[Node]]
    made: Mapping[Hashable, Node]
    """Groups by their members' keys."""
    top: Sequence[Node]


_NOTHING: Final = _Day((), {}, {}, {}, ())


def is_few(node: Node) -> bool:
    """A part, or a group of parts."""
    return all(member.part for member in node.nodes)


def _is_small(node: Node) -> bool:
    """A group of parts, or of eights of parts."""
    return all(map(is_few, node.nodes))


def _path_to_newest(nodes: Sequence[Node]) -> Iterator[Hashable]:
    while nodes:
        node = max(nodes, key=attrgetter("newest"))
        yield node.key
        nodes = node.nodes
