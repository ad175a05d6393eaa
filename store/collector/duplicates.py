"""Which events were stored before: an event is the same when its id and its UTC date are.

Hashes in memory name the suspects; the ids in the parts that they point to decide. So no event is
ever lost to two ids that share a hash.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import compress, repeat
from typing import Final

import polars as pl

from store.parts.part import Part
from store.schema import PART

IDS_MAX: Final = 1_000_000
AGE_MAX: Final = timedelta(hours=24)
# The oldest are forgotten a generation at a time: at most half more than IDS_MAX is kept.
GENERATIONS: Final = 2
KEY_COLUMNS: Final = ("event_id", "event_time")
_ODD: Final = 0x9E3779B97F4A7C15
# An integer of 60 bits takes 32 bytes, one of 64 takes 48.
_BITS: Final = 2**60 - 1

Key = tuple[str, date]
ReadKeys = Callable[[Collection[str]], set[Key]]


@dataclass(slots=True)
class _Generation:
    """Ids that came in after one another."""

    begun: datetime
    newest: datetime
    part_keys: dict[int, str] = field(default_factory=dict)
    """The hash of an id -> the key of the part that holds it."""


class SeenIds:
    """The newest IDS_MAX ids of the last AGE_MAX, at least. Used by the commit thread alone.

    Dicts and their loops in C, because a commit looks up a few thousand ids among a million, where
    Polars (search_sorted, joins) takes 4 to 1,000 times as long. 75 bytes an id.
    """

    def __init__(
        self, read_keys: ReadKeys, now: Callable[[], datetime], ids_max: int = IDS_MAX
    ) -> None:
        """`read_keys` gives the (event_id, date) of the events in the parts of these keys."""
        self._read_keys = read_keys
        self._now = now
        self._size_max = -(-ids_max // GENERATIONS)
        self._generations: deque[_Generation] = deque(maxlen=GENERATIONS + 1)

    def __len__(self) -> int:
        return sum(len(generation.part_keys) for generation in self._generations)

    def repeated(self, events: pl.DataFrame, hashes: Sequence[int]) -> pl.Series | None:
        """True for each event that is stored already or stands earlier in `events`; None when
        there is none, the usual case. `hashes` are `id_hashes(events)`.
        """
        known = [
            g.part_keys for g in self._generations if not g.part_keys.keys().isdisjoint(hashes)
        ]
        if not known and len(set(hashes)) == len(hashes):
            return None
        keys = events.select("event_id", pl.col("event_time").dt.date())
        again = ~keys.select(pl.struct(pl.all()).is_first_distinct()).to_series()
        suspected_in = {key for part_keys in known for h in hashes if (key := part_keys.get(h))}
        if suspected_in:
            stored = self._read_keys(suspected_in)
            again |= pl.Series([key in stored for key in keys.iter_rows()], dtype=pl.Boolean)
        return again if again.any() else None

    def remember(self, events: pl.DataFrame, hashes: Sequence[int], parts: Sequence[Part]) -> None:
        """These events now stand in these parts, one a date."""
        into = self._current(self._now())
        for part_key, found in _by_part(events, hashes, parts):
            into.update(zip(found, repeat(part_key)))

    def learn(self, events: pl.DataFrame, parts: Sequence[Part]) -> None:
        """What a scan of `parts` (oldest first) found; for the start."""
        keys = [part.key for part in parts]
        for piece in events.sort(PART).iter_slices(self._size_max):
            places = piece[PART].to_list()
            into = self._current(parts[places[-1]].newest_received)
            into.update(zip(id_hashes(piece), map(keys.__getitem__, places), strict=True))

    def _current(self, now: datetime) -> dict[int, str]:
        """Where ids of this moment go; forgets those of more than AGE_MAX ago."""
        kept = self._generations
        while kept and kept[0].newest < now - AGE_MAX:
            kept.popleft()
        is_full = kept and len(kept[-1].part_keys) >= self._size_max
        if not kept or is_full or kept[-1].begun < now - AGE_MAX / GENERATIONS:
            kept.append(_Generation(now, now))
        kept[-1].newest = now
        return kept[-1].part_keys


def recent(parts: Sequence[Part], now: datetime, ids_max: int = IDS_MAX) -> list[Part]:
    """The parts whose ids are to be known at start, oldest first."""
    young = [part for part in parts if part.newest_received >= now - AGE_MAX and part.rows]
    young.sort(key=lambda part: part.newest_received, reverse=True)
    wanted, rows = [], 0
    for part in young:
        if rows >= ids_max:
            break
        wanted.append(part)
        rows += part.rows
    return wanted[::-1]


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
) -> Iterator[tuple[str, Iterable[int]]]:
    if len(parts) == 1:
        yield parts[0].key, hashes
        return
    dates = events["event_time"].dt.date().cast(pl.String)
    for part in parts:
        yield part.key, compress(hashes, dates == part.date)
