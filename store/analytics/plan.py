"""Which parts an answer is made of: whole ones in groups that stay, and those that an edge cuts.

All pure; the groups depend on the parts' names alone, so that a new part leaves all groups but its
own as they are, and what was combined for them can be used again.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from store.analytics.cut import Cut
from store.parts.part import Part
from store.timespan import TimeSpan

GROUP_BITS: Final = 5
"""Consecutive parts in a group: 2^5. A live second is a part: a group every half minute."""
NODES_MAX: Final = 64
"""With more groups than these, groups are grouped."""

PartKey = tuple[str, int, str, int]


def key_of(part: Part) -> PartKey:
    """The part's name, as a key: cheaper to make than its text."""
    return part.date, part.level, part.writer, part.sequence


@dataclass(frozen=True, slots=True)
class Node:
    """A group of parts, or groups, whose combined partials are kept as one."""

    key: Hashable
    """Equal for nodes of the same parts."""
    parts: Sequence[Part]
    nodes: Sequence["Node"] = ()
    """What it is combined from; none for a part by itself."""
    cut: Cut | None = None
    """How the part by itself is reduced when an edge cuts it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of one answer."""

    nodes: Sequence[Node]
    """Parts wholly inside the horizon."""
    cut: Sequence[Part]
    """Parts that an edge of it cuts."""


def planned(parts: Sequence[Part], horizon: TimeSpan | None) -> Plan:
    """The plan to answer from `parts` over `horizon`; None is all history."""
    stored = [part for part in parts if part.rows]
    if horizon is None:
        return Plan(grouped(stored), ())
    start, end = horizon.start, horizon.end
    seen = [part for part in stored if part.span.start < end and start < part.span.end]
    whole: list[Part] = []
    cut: list[Part] = []
    for part in seen:
        is_whole = start <= part.span.start and part.span.end <= end
        (whole if is_whole else cut).append(part)
    return Plan(grouped(whole), cut)


def grouped(parts: Sequence[Part]) -> Sequence[Node]:
    """The parts in groups of up to 32 that follow each other, and groups of groups where there are
    many. Those to which the newest part belongs stay apart: they change with every new part.
    """
    if not parts:
        return ()
    newest = key_of(max(parts, key=lambda part: part.newest_received))
    nodes = [Node(key_of(part), (part,)) for part in parts]
    for group_of in _LEVELS:
        if group_of is not _by_numbers and len(nodes) <= NODES_MAX:
            break
        nodes = list(_joined(nodes, group_of, group_of(newest)))
    return nodes


def _joined(
    nodes: Iterable[Node], group_of: Callable[[PartKey], Hashable], newest: Hashable
) -> Iterable[Node]:
    groups: dict[Hashable, list[Node]] = defaultdict(list)
    for node in nodes:
        groups[group_of(key_of(node.parts[0]))].append(node)
    for group, members in groups.items():
        if group == newest or len(members) == 1:
            yield from members
        else:
            parts = [part for member in members for part in member.parts]
            yield Node((group, tuple(member.key for member in members)), parts, members)


def _by_numbers(key: PartKey) -> Hashable:
    return *key[:3], key[3] >> GROUP_BITS


def _by_more_numbers(key: PartKey) -> Hashable:
    return *key[:3], key[3] >> 2 * GROUP_BITS, "many"


def _by_date(key: PartKey) -> Hashable:
    return key[0]


_LEVELS: Final = (_by_numbers, _by_more_numbers, _by_date)
