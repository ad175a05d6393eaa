"""Which events were stored before: an event is the same when its id and its UTC date are.

Hashes in memory name the suspects; the ids in the parts that they point to decide. So no event is
ever lost to two ids that share a hash.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import repeat
from typing import Final

import polars as pl

from store.parts.part import Part
from store.schema import PART
from store.timespan import EPOCH

IDS_MAX: Final = 1_000_000
AGE_MAX: Final = timedelta(hours=24)
# The oldest are forgotten a generation at a time: at most a quarter more than IDS_MAX is kept.
GENERATIONS: Final = 4
KEY_COLUMNS: Final = ("event_id", "event_time")
_SEED: Final = 0x5EED
_ODD: Final = 0x9E3779B97F4A7C15

Key = tuple[str, date]
ReadKeys = Callable[[Collection[str]], set[Key]]


@dataclass(slots=True)
class _Generation:
    """Ids that came in after one another."""

    part_keys: dict[int, str] = field(default_factory=dict)
    """The hash of an id -> the key of the part that holds it."""
    newest: datetime | None = None


class SeenIds:
    """The newest IDS_MAX ids of the last AGE_MAX, at least. Used by the commit thread alone.

    Dicts and their loops in C, because a commit looks up a few thousand ids among a million:
    25 ns each, where Polars (search_sorted, joins) takes 100 ns to 50 us.
    """

    def __init__(
        self, read_keys: ReadKeys, now: Callable[[], datetime], ids_max: int = IDS_MAX
    ) -> None:
        """`read_keys` gives the (event_id, date) of the events in the parts of these keys."""
        self._read_keys = read_keys
        self._now = now
        self._size_max = -(-ids_max // GENERATIONS)
        self._generations = deque([_Generation()], maxlen=GENERATIONS + 1)

    def __len__(self) -> int:
        return sum(len(generation.part_keys) for generation in self._generations)

    def repeated(self, events: pl.DataFrame, hashes: pl.Series) -> pl.Series | None:
        """True for each event that is stored already or stands earlier in `events`; None when
        there is none, the usual case. `hashes` are `id_hashes(events)`.
        """
        numbers = hashes.to_list()
        known = [
            g.part_keys for g in self._generations if not g.part_keys.keys().isdisjoint(numbers)
        ]
        if not known and hashes.n_unique() == len(hashes):
            return None
        keys = events.select("event_id", pl.col("event_time").dt.date())
        again = ~keys.select(pl.struct(pl.all()).is_first_distinct()).to_series()
        suspected_in = {key for part_keys in known for h in numbers if (key := part_keys.get(h))}
        if suspected_in:
            stored = self._read_keys(suspected_in)
            again |= pl.Series([key in stored for key in keys.iter_rows()], dtype=pl.Boolean)
        return again if again.any() else None

    def remember(self, events: pl.DataFrame, hashes: pl.Series, parts: Sequence[Part]) -> None:
        """These events now stand in these parts, one a date."""
        self._make_room()
        for part_key, found in _by_part(events, hashes, parts):
            self._generations[-1].part_keys.update(zip(found.to_list(), repeat(part_key)))
        self._generations[-1].newest = self._now()

    def learn(self, events: pl.DataFrame, parts: Sequence[Part]) -> None:
        """What a scan of `parts` (oldest first) found; for the start."""
        keys = [part.key for part in parts]
        for piece in events.sort(PART).iter_slices(self._size_max):
            self._make_room()
            places = piece[PART].to_list()
            found = zip(id_hashes(piece).to_list(), map(keys.__getitem__, places), strict=True)
            self._generations[-1].part_keys.update(found)
            self._generations[-1].newest = parts[places[-1]].newest_received

    def _make_room(self) -> None:
        if len(self._generations[-1].part_keys) >= self._size_max:
            self._generations.append(_Generation())
        oldest = self._generations[0]
        if oldest.newest and oldest.newest < self._now() - AGE_MAX and len(self._generations) > 1:
            self._generations.popleft()


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


def id_hashes(events: pl.DataFrame) -> pl.Series:
    """Of id and date. Valid within this process and version of Polars only; kept nowhere."""
    return events["event_id"].hash(_SEED) ^ _salts(events["event_time"])


def _salts(times: pl.Series) -> pl.Series:
    """What sets the hashes of a date apart: one number for each time, or for all of them.

    One is the usual case, and three times as fast.
    """
    first, last = times.min(), times.max()
    if isinstance(first, datetime) and isinstance(last, datetime) and first.date() == last.date():
        return pl.Series([(first - EPOCH).days * _ODD % 2**64], dtype=pl.UInt64)
    days = times.dt.epoch("d").cast(pl.UInt64, wrap_numerical=True)
    return days * pl.Series([_ODD], dtype=pl.UInt64)


def _by_part(
    events: pl.DataFrame, hashes: pl.Series, parts: Sequence[Part]
) -> Iterator[tuple[str, pl.Series]]:
    if len(parts) == 1:
        yield parts[0].key, hashes
        return
    dates = events["event_time"].dt.date().cast(pl.String)
    for part in parts:
        yield part.key, hashes.filter(dates == part.date)
