"""The sink that makes a collector a store: Parquet parts in a folder."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import polars as pl

from store.collector.duplicates import KEY_COLUMNS, Key
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.part import Part
from store.parts.scan import scan
from store.parts.writer import PartWriter, span_of
from store.tally import Tally


class PartSink:
    """Exactly once: a batch is durable when `write` returns, and not there when it raises."""

    name = "parts"

    def __init__(self, writer: PartWriter) -> None:
        self._writer = writer

    @classmethod
    def over(cls, folder: StoreFolder, now: Callable[[], datetime]) -> Self:
        """With a writer of its own."""
        return cls(PartWriter(folder, now=now))

    def write(self, events: pl.DataFrame, tally: Tally) -> Sequence[Part]:
        return self._writer.commit(events, tally)


class StoredKeys:
    """Reads (event_id, date) back out of parts, to tell duplicates for sure."""

    def __init__(self, folder: StoreFolder, catalog: Catalog) -> None:
        self._folder = folder
        self._catalog = catalog

    def __call__(self, part_keys: Collection[str], suspects: pl.DataFrame) -> set[Key]:
        """Of the parts with these keys; where some have gone (compacted), those of `suspects` that
        stand in what took their place.
        """
        found: set[Key] = set()
        gone: set[str] = set()
        for key in part_keys:
            try:
                found |= _keys_in(self._folder.events / f"{key}.parquet")
            except FileNotFoundError:
                gone.add(key.partition("/")[0].removeprefix("_date="))
        for day in gone:
            found |= self._compacted(day, suspects)
        return found

    def _compacted(self, day: str, suspects: pl.DataFrame) -> set[Key]:
        """What is sent again has mostly the same time: all else of a large day is left unread."""
        asked = suspects.filter(pl.col("event_time").dt.date().cast(pl.String) == day)
        if not asked.height:
            return set()
        parts = [part for part in self._catalog.snapshot().parts if part.date == day]
        times = asked["event_time"].sort()
        at_once = _among(scan(parts, KEY_COLUMNS, span_of(times.to_frame())), asked)
        rest = asked.filter(~pl.col("event_id").is_in([event_id for event_id, _ in at_once]))
        return at_once | _among(scan(parts, KEY_COLUMNS, None), rest)


def _among(events: pl.LazyFrame, asked: pl.DataFrame) -> set[Key]:
    if not asked.height:
        return set()
    same = pl.col("event_id").is_in(asked["event_id"].implode())
    return _keys(events.filter(same).collect(engine="streaming"))


def _keys_in(path: Path) -> set[Key]:
    return _keys(pl.read_parquet(path, columns=list(KEY_COLUMNS)))


def _keys(events: pl.DataFrame) -> set[Key]:
    return set(events.select("event_id", pl.col("event_time").dt.date()).iter_rows())
