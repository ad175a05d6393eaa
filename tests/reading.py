"""A store read back by tests."""

from pathlib import Path

import polars as pl

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan


def stored(store: Path, *columns: str) -> pl.DataFrame:
    """The rows in the store, in the order of their times."""
    parts = Catalog(StoreFolder.open(store)).snapshot().parts
    events = scan(parts, sorted({"event_time", *columns}), None)
    return events.sort("event_time").select(columns).collect()
