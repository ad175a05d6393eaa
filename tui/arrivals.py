"""Which events came since one last looked, however the parts that hold them are merged."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from store.parts.catalog import Snapshot
from store.parts.part import Part


class Arrival(NamedTuple):
    """A part that holds something new."""

    part: Part
    after: datetime | None = None
    """Only what was received after this is new; None when all of it is."""


class Arrivals:
    """Remembers which commits were there. A commit that was merged stays for a minute beside the
    part that covers it, so whoever looks more often sees each commit, and every event once.
    """

    def __init__(self, snapshot: Snapshot, since: datetime | None = None) -> None:
        """What stands in `snapshot` is known already, or what of it was received before `since`."""
        self._newest = datetime.min.replace(tzinfo=UTC)
        # By date and writer: the number of a part, and how many events it came with.
        self._known: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for part in (*snapshot.covered, *snapshot.parts):
            if since is None or part.newest_received < since:
                self._learn(part)

    def new(self, snapshot: Snapshot) -> list[Arrival]:
        """What was not there before, in the order of the snapshot; from now on it is known.

        When one looked too seldom, a merged part may hold commits that were never seen. Then what
        was received after all that is known is new: a commit that took longer than another one may
        be missed so, but nothing is given twice.
        """
        newest = self._newest
        commits = [part for part in (*snapshot.covered, *snapshot.parts) if not part.level]
        fresh = [Arrival(part) for part in commits if not self._is_known(part)]
        for arrival in fresh:
            self._learn(arrival.part)
        for part in snapshot.parts:
            if part.level and not self._is_known(part):
                if sum(self._inside(part)) < part.rows + part.removed:
                    fresh.append(Arrival(part, newest))
                self._learn(part)
        return fresh

    def _is_known(self, part: Part) -> bool:
        return part.sequence in self._known[part.date, part.writer]

    def _learn(self, part: Part) -> None:
        """A merged part takes the place of all that it covers."""
        for cover in part.covers:
            numbers = self._known[part.date, cover.writer]
            for number in [n for n in numbers if cover.first <= n <= cover.last]:
                numbers[number] = 0
        self._known[part.date, part.writer][part.sequence] = part.rows + part.removed
        self._newest = max(self._newest, part.newest_received)

    def _inside(self, part: Part) -> Iterator[int]:
        for cover in part.covers:
            for number, events in self._known[part.date, cover.writer].items():
                if cover.first <= number <= cover.last:
                    yield events
