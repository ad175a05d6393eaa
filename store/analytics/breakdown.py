"""Breakdowns of answers that are whole tables: one for each value, and one of everything."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import polars as pl

from store.analytics.cells import SEVERITY_CLASS
from store.analytics.query import Query
from store.analytics.shapes import Key, Result, Row, Table
from store.schema import as_text, severity_class


class Group(NamedTuple):
    """The table of those that have a value; `folded`: of all values past the limit."""

    key: Key
    table: Table
    folded: bool = False


@dataclass(frozen=True, slots=True)
class BrokenDown(Table):
    """The rows of all groups one below the other, each with its group's key; its summary is that of
    the whole.
    """

    whole: Table = Table((), ())
    groups: Sequence[Group] = ()


def broken_down(whole: Table, groups: Iterable[Group], columns: Sequence[str] = ()) -> BrokenDown:
    """The `whole` table beside that of each group (of the same `columns`, unless told). A row that
    is folded within its group says so in its own words: in the rows of all, `folded` is about the
    group.
    """
    found = list(groups)
    rows = [
        Row({**group.key, **row.key}, row.values, group.folded)
        for group in found
        for row in group.table.rows
    ]
    return BrokenDown(columns or whole.columns, rows, whole.summary, whole, found)


def broken_down_json(
    result: Result,
    own: Callable[[Table], Mapping[str, Any]],
    of_group: Callable[[Table], Mapping[str, Any]] | None = None,
) -> Mapping[str, Any]:
    """What `own` makes of the table; of one that is broken down, that of the whole, and `breakdown`:
    the same (or what `of_group` makes) of each value, the one with the most first.
    """
    if not isinstance(result, BrokenDown):
        return own(cast(Table, result))
    told = [
        {
            "key": dict(group.key),
            **({"folded": True} if group.folded else {}),
            **(of_group or own)(group.table),
        }
        for group in result.groups
    ]
    return {**own(result.whole), "breakdown": told}


def whole_of(result: Result) -> Table:
    """The table of everything, broken down or not."""
    return result.whole if isinstance(result, BrokenDown) else cast(Table, result)


def ranked(sizes: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Breakdown values (`size`, and all other columns) with the number of their `group`: the
    greatest first, all past `limit` in one.
    """
    keys = [name for name in sizes.columns if name != "size"]
    ordered = sizes.sort("size", *keys, descending=[True, *[False] * len(keys)])
    number = pl.int_range(pl.len()).clip(upper_bound=limit)
    return ordered.select(*keys, number.alias("group"))


def groups(
    rows: pl.DataFrame, values: pl.DataFrame, query: Query, told: Callable[[pl.DataFrame], Table]
) -> Iterator[Group]:
    """What is `told` of the rows of each `group`; `values` are `ranked`."""
    parts = rows.partition_by("group", as_dict=True, include_key=False)
    for at, (key, folded) in enumerate(labels(values, query)):
        yield Group(key, told(parts[at,]), folded)


def labels(values: pl.DataFrame, query: Query) -> Iterator[tuple[Key, bool]]:
    """What each group is called, and whether it is the folded one; `values` are `ranked`."""
    for *key, _ in values.head(query.limit).rows():
        yield dict(zip(query.by, key, strict=True)), False
    if values.height > query.limit:
        yield dict.fromkeys(query.by, ""), True


def key_columns(by: Sequence[str]) -> list[str]:
    """The columns of the breakdown values."""
    return [f"key.{at}" for at in range(len(by))]


def key_texts(by: Sequence[str], kinds: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """The breakdown values of events as text, under the names of `key_columns`; null where an event
    has none.
    """
    texts = [
        severity_class() if name == SEVERITY_CLASS else as_text(name, kinds[name]) for name in by
    ]
    return [
        pl.when(text.str.len_bytes() > 0).then(text).alias(key)
        for text, key in zip(texts, key_columns(by), strict=True)
    ]
