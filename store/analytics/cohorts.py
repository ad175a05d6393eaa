"""Cohorts as rows: a cell for each period after the start, and their mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

import polars as pl

from store.analytics.activity import AT
from store.analytics.ordered.subjects import NAME, WHO
from store.analytics.shapes import Result, Row, Table
from store.analytics.shares import Share, wilson
from store.timespan import iso

USERS: Final = "users"
USERS_MAX: Final = 10_000
MEAN: Final = "mean"
"""Stands for the start in the row of the mean."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Which cells there are, and which of them are over."""

    grid: Sequence[datetime]
    """The starts of the cohorts' periods, of `periods` more, and of the one after those."""
    periods: int
    now: datetime | None
    own: timedelta | None = None
    """The width of periods that are counted from each one's start, if they are."""

    @property
    def cohorts(self) -> int:
        return max(0, len(self.grid) - self.periods - 1)

    def complete(self, cohort: int) -> int:
        """How many cells are over, for everybody in it."""
        most = self.periods + 1
        return next((k for k in range(most) if self.now and self._over(cohort, k) > self.now), most)

    def shown(self, cohort: int, counts: Sequence[int]) -> int:
        """How many cells have begun, or hold somebody whose clock is ahead."""
        now = self.now
        there = (n or not now or self.grid[cohort + k] <= now for k, n in enumerate(counts))
        return max((k + 1 for k, is_there in enumerate(there) if is_there), default=0)

    def _over(self, cohort: int, k: int) -> datetime:
        if self.own and k:
            return self.grid[cohort + 1] + self.own * (k + 1)
        return self.grid[cohort + 1 + k]


class _Group(NamedTuple):
    """The counts of one breakdown value."""

    key: Mapping[str, str]
    folded: bool
    sizes: Mapping[int, int]
    """By the cohort's number."""
    back: Mapping[tuple[int, int], int]
    """By the cohort's number and k."""


def table(counts: pl.DataFrame, keys: Sequence[str], by: Sequence[str], cells: Cells) -> Table:
    """`counts` as `returning.counts` gives them: cohorts in their order, then their mean, for each
    breakdown value, the largest first.
    """
    found = [row for group in _groups(counts, keys, by) for row in _rows(group, cells)]
    after = (_after(k) for k in range(1, cells.periods + 1))
    return Table(("start", "size", "complete", *after), found)


def as_json(result: Result) -> Mapping[str, Any]:
    """The `result` of the envelope."""
    rows = cast(Table, result).rows
    means = [row for row in rows if row.values["start"] == MEAN]
    users = cast(Table, result).summary.get(USERS)
    return {
        "cohorts": [_cohort_json(row) for row in rows if row.values["start"] != MEAN],
        "mean": _mean_json(means[0]) if means else None,
        **({"means": [_mean_json(row) for row in means]} if len(means) > 1 else {}),
        **({USERS: [{**user, "start": iso(user["start"])} for user in users]} if users else {}),
    }


def people(records: pl.DataFrame, names: pl.DataFrame, cells: Cells) -> list[dict[str, Any]]:
    """`user`, the `start` of his cohort and `back` for at most USERS_MAX of those in `records` (as
    `returning.records` gives them): by cohort, in each first who came back last.
    """
    last = pl.col("back").list.max().fill_null(0)
    shown = records.join(names, on=WHO, how="left").sort(
        AT, last, NAME, descending=[False, True, False]
    )
    return [
        {"user": name or "", "start": cells.grid[at], "back": list(back)}
        for at, name, back in shown.head(USERS_MAX).select(AT, NAME, "back").iter_rows()
    ]


def _groups(counts: pl.DataFrame, keys: Sequence[str], by: Sequence[str]) -> Iterator[_Group]:
    sizes: dict[tuple[Any, ...], dict[int, int]] = {}
    backs: dict[tuple[Any, ...], dict[tuple[int, int], int]] = {}
    for *values, cohort, k, users in counts.select("folded", *keys, AT, "k", "users").rows():
        name = tuple(values)
        if k:
            backs.setdefault(name, {})[cohort, k] = users
        else:
            sizes.setdefault(name, {})[cohort] = users
    names = sorted(sizes, key=lambda name: (name[0], -sum(sizes[name].values()), name[1:]))
    for name in names or ([(False,)] if not by else []):
        key = dict(zip(by, name[1:], strict=True))
        yield _Group(key, name[0], sizes.get(name, {}), backs.get(name, {}))


def _rows(group: _Group, cells: Cells) -> Iterator[Row]:
    whole = [[0, 0] for _ in range(cells.periods + 1)]
    for cohort in range(cells.cohorts):
        size = group.sizes.get(cohort, 0)
        counts = [size, *(group.back.get((cohort, k), 0) for k in range(1, cells.periods + 1))]
        shown, complete = cells.shown(cohort, counts), cells.complete(cohort)
        if not shown:
            continue
        for k in range(complete):
            whole[k] = [whole[k][0] + counts[k], whole[k][1] + size]
        shares = [wilson(count, size) for count in counts[:shown]]
        values = {"start": cells.grid[cohort], "size": size, "complete": min(complete, shown)}
        values |= {"retained": counts[:shown]}
        yield _row(group, values, shares)
    if cells.cohorts:
        values = {"start": MEAN, "size": whole[0][1], "of": [of for _, of in whole]}
        yield _row(group, values, [wilson(count, of) for count, of in whole])


def _row(group: _Group, values: dict[str, Any], shares: Sequence[Share]) -> Row:
    after = {_after(k): shares[k].share for k in range(1, len(shares))}
    return Row(group.key, {**values, **after, "shares": shares}, group.folded)


def _after(k: int) -> str:
    """The column of the share that is back after k periods."""
    return f"after_{k}"


def _cohort_json(row: Row) -> dict[str, Any]:
    values = row.values
    named = {name: values[name] for name in ("size", "retained", "complete")}
    return {**_named(row), "start": iso(values["start"]), **named, **_shares(row)}


def _mean_json(row: Row) -> dict[str, Any]:
    return {**_named(row), "n": row.values["of"], **_shares(row)}


def _named(row: Row) -> dict[str, Any]:
    key = {"key": dict(row.key)} if row.key or row.folded else {}
    return {**key, **({"folded": True} if row.folded else {})}


def _shares(row: Row) -> dict[str, Any]:
    shares = row.values["shares"]
    columns = zip(*shares, strict=True) if shares else ((), (), ())
    return dict(zip(("shares", "low", "high"), map(list, columns), strict=True))
