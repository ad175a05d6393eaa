"""Which parts came since one last looked."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from store.parts.part import Part


class Arrivals:
    """Remembers what was there; a compacted part is new only if something that it covers is."""

    def __init__(self, parts: Iterable[Part] = ()) -> None:
        """`parts` are known already."""
        self._seen: set[str] = set()
        # By writer: the sequence numbers seen, which covers are compared with.
        self._sequences: defaultdict[str, set[int]] = defaultdict(set)
        self.new(tuple(parts))

    def new(self, parts: Sequence[Part]) -> Sequence[Part]:
        """The parts that were not there before, in the given order; from now on they are known.

        A compacted part is given whole: what was seen before a merge and what the merge added in
        the same instant cannot be told apart.
        """
        fresh = [part for part in parts if part.key not in self._seen and not self._known(part)]
        for part in parts:
            self._seen.add(part.key)
            if not part.level:
                self._sequences[part.writer].add(part.sequence)
            for cover in part.covers:
                self._sequences[cover.writer].update(range(cover.first, cover.last + 1))
        return fresh

    def _known(self, part: Part) -> bool:
        return bool(part.covers) and all(
            number in self._sequences[cover.writer]
            for cover in part.covers
            for number in range(cover.first, cover.last + 1)
        )
