"""Which events were stored before: an event is the same when its id and its UTC date are.

Hashes in memory name the suspects; the ids in the parts that they came from decide. So no event is
ever lost to two ids that share a hash.
"""

from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import compress
from typing import Final

import numpy as np
import polars as pl

from store.parts.part import Part

IDS_MAX: Final = 1_000_000
AGE_MAX: Final = timedelta(hours=24)
KEY_COLUMNS: Final = ("event_id", "event_time")
# Commits of few events share a run, up to these bounds: what to read when an id comes again.
RUN_IDS_MAX: Final = 1_000
RUN_PARTS_MAX: Final = 50
RUN_GAP_MAX: Final = timedelta(minutes=1)
_ODD: Final = 0x9E3779B97F4A7C15
# An integer of 60 bits takes 32 bytes, one of 64 takes 48.
_BITS: Final = 2**60 - 1

RECENT_MAX: Final = 131_072
"""So many of the newest are in a set of Python's, at 65 bytes each; all others in order, at 8."""
_MARKS: Final = 2**22
"""Three of four that are new have no mark, and need not be looked for: half of the time."""

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
Key = tuple[str, date]
ReadKeys = Callable[[Collection[str], pl.DataFrame], set[Key]]


@dataclass(slots=True)
class _Run:
    """Ids that came in after one another, and the parts that they are in."""

    part_keys: list[str]
    hashes: "array[int]"
    newest: float

    def takes_more(self, now: float) -> bool:
        is_short = len(self.hashes) < RUN_IDS_MAX and len(self.part_keys) < RUN_PARTS_MAX
        return is_short and now - self.newest < RUN_GAP_MAX.total_seconds()


class SeenIds:
    """The newest IDS_MAX ids of the last AGE_MAX. Used by the commit thread alone.

    A commit looks up a few thousand ids among a million. Those of the last minutes are in a set,
    which adds them as it looks; all others stand in order, where one is found in 0.3 us. They are
    put in order anew whenever the set is full, 20 ms for a million. About 25 bytes an id.
    """

    def __init__(
        self, read_keys: ReadKeys, ticks: Callable[[], float], ids_max: int = IDS_MAX
    ) -> None:
        """`read_keys` gives the (event_id, date) of the events in the parts of these keys, as far
        as they may be among those of a frame; `ticks` are seconds on a clock that never steps: one
        that is set ahead for a moment must not make all ids a day old.
        """
        self._read_keys = read_keys
        self._ticks = ticks
        self._ids_max = ids_max
        self._known: set[int] = set()
        self._ordered: Hashes = np.empty(0, np.uint64)
        """Those before, and some that expired since."""
        self._marks = np.zeros(_MARKS, np.bool_)
        """True at the last bits of each of them."""
        self._runs: deque[_Run] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def repeated(self, events: pl.DataFrame, hashes: Sequence[int]) -> pl.Series | None:
        """True for each event that is stored already or stands earlier in `events`; None when
        there is none, the usual case. `hashes` are `id_hashes(events)`.

        The others are to be stored now: `remember` or `forget` them next.
        """
        before = len(self._known)
        self._known.update(hashes)
        new = len(self._known) - before
        earlier = self._among_ordered(hashes)
        if new == len(hashes) and not earlier:
            return None
        # They are known in one place.
        self._known -= earlier
        keys = events.select("event_id", pl.col("event_time").dt.date())
        again = ~keys.select(pl.struct(pl.all()).is_first_distinct()).to_series()
        distinct = set(hashes)
        suspected_in, suspects = self._parts_with(distinct, len(distinct) - new + len(earlier))
        if suspected_in:
            is_suspect = pl.Series([h in suspects for h in hashes], dtype=pl.Boolean)
            stored = self._read_keys(suspected_in, events.filter(is_suspect))
            again |= pl.Series([key in stored for key in keys.iter_rows()], dtype=pl.Boolean)
        return again if again.any() else None

    def remember(self, events: pl.DataFrame, hashes: Sequence[int], parts: Sequence[Part]) -> None:
        """These events now stand in these parts, one a date."""
        now = self._ticks()
        for part, found in _by_part(events, hashes, parts):
            self._append(part.key, array("Q", found), now)
        self._expire(now)
        if len(self._known) > RECENT_MAX:
            self._order()

    def forget(self, hashes: Sequence[int]) -> None:
        """These could not be stored; they may come again."""
        self._known.difference_update(hashes)

    def learn(self, found: Iterable[tuple[Part, pl.DataFrame]]) -> None:
        """What parts hold (the oldest first), some rows at a time; for the start. Their day begins
        now.
        """
        now = self._ticks()
        for part, events in found:
            self._append(part.key, array("Q", id_hashes(events)), now)
            self._expire(now)
        self._order()

    def _among_ordered(self, hashes: Sequence[int]) -> set[int]:
        """Those of them that came before the newest."""
        if not len(self._ordered):
            return set()
        wanted = np.array(hashes, np.uint64)
        wanted = wanted[self._marks[wanted % _MARKS]]
        wanted.sort()  # neighbours are looked for in the same places
        places = np.searchsorted(self._ordered, wanted)
        places[places == len(self._ordered)] = 0
        return set(wanted[self._ordered[places] == wanted].tolist())

    def _order(self) -> None:
        found = [np.frombuffer(run.hashes, np.uint64) for run in self._runs if run.hashes]
        self._ordered = np.concatenate(found) if found else np.empty(0, np.uint64)
        self._ordered.sort()
        self._marks[:] = False
        self._marks[self._ordered % _MARKS] = True
        self._known = set()

    def _append(self, part_key: str, hashes: "array[int]", now: float) -> None:
        self._count += len(hashes)
        if not (self._runs and self._runs[-1].takes_more(now)):
            self._runs.append(_Run([], array("Q"), now))
        last = self._runs[-1]
        last.part_keys.append(part_key)
        last.hashes.extend(hashes)
        last.newest = now

    def _expire(self, now: float) -> None:
        while self._runs and (
            self._count - len(self._runs[0].hashes) >= self._ids_max
            or self._runs[0].newest < now - AGE_MAX.total_seconds()
        ):
            oldest = self._runs.popleft()
            self._count -= len(oldest.hashes)
            self._known.difference_update(oldest.hashes)

    def _parts_with(self, hashes: set[int], count: int) -> tuple[set[str], set[int]]:
        """Where `count` of these ids may be, and which; the newest first, since what is sent again
        mostly is sent again soon.
        """
        found: set[str] = set()
        suspects: set[int] = set()
        missing = count
        for run in reversed(self._runs):
            if missing <= 0:
                break
            here = hashes.intersection(run.hashes)
            if here:
                found.update(run.part_keys)
                suspects |= here
                missing -= len(here)
        return found, suspects


def id_hashes(events: pl.DataFrame) -> list[int]:
    """Of id and date, 60 bits each; good within this process only, since texts hash anew in each.

    By Python: 0.1 us an event, where Polars took 0.3 on the few thousand of a commit.
    """
    hashes = map(hash, events["event_id"].to_list())
    times = events["event_time"]
    first, last = times.min(), times.max()
    if isinstance(first, datetime) and isinstance(last, datetime) and first.date() == last.date():
        salt = first.toordinal() * _ODD
        return [(number ^ salt) & _BITS for number in hashes]
    days = times.dt.date().to_list()
    return [
        (number ^ day.toordinal() * _ODD) & _BITS for number, day in zip(hashes, days, strict=True)
    ]


def _by_part(
    events: pl.DataFrame, hashes: Sequence[int], parts: Sequence[Part]
) -> Iterator[tuple[Part, Iterable[int]]]:
    if len(parts) == 1:
        yield parts[0], hashes
        return
    dates = events["event_time"].dt.date().cast(pl.String)
    for part in parts:
        yield part, compress(hashes, dates == part.date)
