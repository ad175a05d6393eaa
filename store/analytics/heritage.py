"""A merged part inherits what was computed from its sources, where it is the same events."""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from store.analytics.plan import HeritageOf, Node, PartKey, key_of
from store.parts.covering import hides
from store.parts.part import Part


@dataclass(frozen=True, slots=True)
class Sources:
    """Of merged parts: those that they were made of, event for event."""

    parts: Mapping[PartKey, Sequence[Part]] = field(default_factory=dict)

    def heritage(self, needs: frozenset[str]) -> HeritageOf:
        """For a tree of the parts that have the columns `needs`: others have nothing to tell."""

        def of(part: Part, tree: Sequence[Node]) -> Sequence[Node]:
            made_of = self.parts.get(key_of(part), ())
            held = {key_of(p) for p in made_of if p.rows and needs <= p.columns.keys()}
            return nodes_of(held, tree) if held else ()

        return of


class Heritage:
    """Follows the parts of a store from one snapshot to the next. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: Sequence[Part] = ()
        self._sources = Sources()

    def sources(self, parts: Sequence[Part]) -> Sources:
        """Of those of `parts`, the ones that count now, whose sources were seen."""
        with self._lock:
            if parts is not self._parts:
                new = sources_of(self._parts, parts)
                keys = {key_of(part) for part in parts if part.level}
                kept = {k: found for k, found in self._sources.parts.items() if k in keys}
                self._parts, self._sources = parts, Sources({**kept, **new})
            return self._sources


def sources_of(before: Sequence[Part], after: Sequence[Part]) -> Mapping[PartKey, Sequence[Part]]:
    """The merged parts that are new in `after`, with the parts of `before` that they hold, event
    for event. One that lost duplicates is not among them, nor one with events from elsewhere.
    """
    known = {key_of(part) for part in before if part.level}
    merged = [part for part in after if part.covers and key_of(part) not in known]
    if not merged:
        return {}
    days: dict[str, list[Part]] = defaultdict(list)
    for part in before:
        days[part.date].append(part)
    found = {key_of(part): _hidden(part, days[part.date]) for part in merged}
    return {
        key_of(part): found[key_of(part)]
        for part in merged
        if sum(each.rows for each in found[key_of(part)]) == part.rows
        and sum(each.removed for each in found[key_of(part)]) == part.removed
    }


def nodes_of(sources: Collection[PartKey], tree: Sequence[Node]) -> Sequence[Node]:
    """The largest nodes of an earlier tree that hold nothing but `sources`; none when it does not
    hold all of them.
    """
    found = [node for top in tree for node in _within(top, sources)[1]]
    count = sum(1 for node in found for _ in node.leaves())
    return tuple(map(_bare, found)) if count == len(sources) else ()


def inherited(
    node: Node,
    kept: Callable[[Hashable], pl.DataFrame | None],
    added: Callable[[Sequence[pl.DataFrame]], pl.DataFrame],
) -> pl.DataFrame | None:
    """What the partials of the node's heritage add up to; None when some are not `kept`, by the
    nodes' keys, any more.
    """
    frames = [_kept(each, kept, added) for each in node.heritage]
    found = [frame for frame in frames if frame is not None]
    return added(found) if found and len(found) == len(frames) else None


def _kept(
    node: Node,
    kept: Callable[[Hashable], pl.DataFrame | None],
    added: Callable[[Sequence[pl.DataFrame]], pl.DataFrame],
) -> pl.DataFrame | None:
    frame = kept(node.key)
    if frame is not None or not node.nodes:
        return frame
    frames = [_kept(member, kept, added) for member in node.nodes]
    found = [each for each in frames if each is not None]
    return added(found) if len(found) == len(frames) else None


def _hidden(cover: Part, parts: Sequence[Part]) -> Sequence[Part]:
    return [part for part in parts if hides(cover, part)]


def _within(node: Node, sources: Collection[PartKey]) -> tuple[bool, list[Node]]:
    """Whether it holds nothing else, and its largest nodes that hold nothing else."""
    if not node.nodes:
        return (True, [node]) if node.key in sources else (False, [])
    members = [_within(member, sources) for member in node.nodes]
    if all(is_whole for is_whole, _ in members):
        return True, [node]
    return False, [each for _, found in members for each in found]


def _bare(node: Node) -> Node:
    """Without what its own parts inherited, which would be kept for as long as this."""
    if node.nodes:
        return replace(node, nodes=tuple(map(_bare, node.nodes)))
    return replace(node, heritage=()) if node.heritage else node
