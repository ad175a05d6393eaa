"""What additive analyses keep of events: one row a cell (point in time and breakdown values), with
counts, sums, extremes, sets of hashes, and sketches of values; all of it adds up.

A frame of cells has rows of several kinds (`kind`): CELL for a point in time, WHOLE for the sets
over all time, SKETCH + i for the sketch of `spec.sketches[i]`, of a point or (`time` is null) of
all time; from FINE on, the same for the cells of a cut part's grid. Without an interval there is
one cell a part, and `time` is null.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from store.analytics import distinct

CELL: Final = 0
WHOLE: Final = 1
SKETCH: Final = 2
FINE: Final = 128
SETS: Final = ("subjects", "devices", "sessions")
STATISTICS: Final = ("weight", "sum", "low", "high")
"""Of an attribute: the events that have it, the sum, the least and the greatest of its values."""
SEVERITY_CLASS: Final = "severity_class"
"""A breakdown by the class's name; stored is only the number."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Which numbers the cells hold."""

    by: tuple[str, ...] = ()
    is_timed: bool = True
    """False: one cell for all time."""
    stats: tuple[str, ...] = ()
    """Attributes of which statistics are kept."""
    kept: tuple[str, ...] = STATISTICS
    """Which: each costs as much as reading the attribute."""
    sketches: tuple[str, ...] = ()
    """Attributes of which percentiles can be told."""
    sketches_timed: bool = True
    """False: percentiles over all time only."""
    is_exact: bool = False
    """True: the values themselves instead of buckets."""
    users: bool = False
    sessions: bool = False
    link: bool = True
    errors: bool = False
    """Events of severity error and above (`errors`), and of any severity (`severities`)."""
    whole_sets: bool = False
    """True: sets keep every hash, so that counts of users and sessions are exact."""
    seen: bool = False
    """The first and last instant are kept (`first`, `last`)."""

    @property
    def keys(self) -> list[str]:
        """The columns of the breakdown values, in the order of `by`."""
        return [f"key.{at}" for at in range(len(self.by))]

    @property
    def sets(self) -> list[str]:
        wanted = (self.users, self.users, self.sessions)
        return [name for name, is_wanted in zip(SETS, wanted, strict=True) if is_wanted]

    @property
    def numbers(self) -> list[str]:
        """The attributes that are reckoned with."""
        return list(dict.fromkeys(self.stats + self.sketches))

    def columns(self) -> list[str]:
        """The columns that `partial` reads."""
        found = ["event_time", "sample_rate", *map(stored_in, self.by), *self.stats, *self.sketches]
        found += ["subject_hash"] * self.users + ["user_id"] * (self.users and self.link)
        found += ["session_id"] * self.sessions + ["severity"] * self.errors
        return list(dict.fromkeys(found))


def most_kept(spec: Spec) -> int:
    """Hashes kept in a set of a row of the kind CELL."""
    return distinct.CELL_MAX if spec.is_timed and not spec.whole_sets else most_of_all(spec)


def most_of_all(spec: Spec) -> int:
    """Hashes kept in a set over all time."""
    return distinct.EVERY if spec.whole_sets else distinct.WHOLE_MAX


def added_up(name: str) -> pl.Expr:
    """In a group of rows: the number that stands for all of them."""
    column = pl.col(name)
    base = name.partition(".")[0]
    if base in ("low", "first", distinct.REACH):
        return column.min()
    return column.max() if base in ("high", "last") else column.sum()


def stored_in(name: str) -> str:
    """The column that holds a breakdown's values."""
    return "severity" if name == SEVERITY_CLASS else name
