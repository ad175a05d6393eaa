"""Which imported events are stored already: the same id in the same date."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from store.parts.part import Part
from store.parts.scan import scan

PartsByDate = Mapping[str, Sequence[Part]]
_ID: Final = "event_id"
_DATE: Final = "_date"


def by_date(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """The parts that hold events, under their dates."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        if part.rows:
            found.setdefault(part.date, []).append(part)
    return found


def fresh(events: pl.DataFrame, stored: PartsByDate) -> pl.DataFrame:
    """`events` without those whose id stands earlier among them, or in `stored`, in their date.

    The ids of dates that are not new to the store are read as a stream (30 ns each), so memory
    holds those of `events` alone. FileNotFoundError: a part is gone, take a new snapshot.
    """
    dated = events.with_columns(pl.col("event_time").dt.date().cast(pl.String).alias(_DATE))
    once = dated.unique([_ID, _DATE], keep="first", maintain_order=True)
    for day in once[_DATE].unique().to_list():
        if found := _known(once, day, stored.get(day, ())):
            once = once.filter((pl.col(_DATE) != day) | ~pl.col(_ID).is_in(found))
    return once.drop(_DATE)


def _known(dated: pl.DataFrame, day: str, parts: Sequence[Part]) -> list[str]:
    """The ids of that date which its parts hold."""
    if not parts:
        return []
    asked = dated.lazy().filter(pl.col(_DATE) == day).select(_ID)
    held = scan(parts, [_ID], None).select(_ID)
    return held.join(asked, on=_ID, how="semi").unique().collect(engine="streaming")[_ID].to_list()
