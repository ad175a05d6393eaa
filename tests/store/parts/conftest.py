"""A store in a private folder, a clock that stands still, and events told in a line."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.schema import FIXED

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def noon():
    return NOON


@pytest.fixture(scope="session")
def events():
    """events(3, plan=["pro", None, "free"]): a frame of events from noon on, a second apart."""

    def make(count, *, start=NOON, step=timedelta(seconds=1), first=0, **columns):
        values = {
            "event_id": [f"e{first + index:06}" for index in range(count)],
            "event_time": [start + index * step for index in range(count)],
            "event_type": ["log"] * count,
            "event_name": ["visit"] * count,
        }
        frame = pl.DataFrame(values, schema_overrides={"event_time": FIXED["event_time"]})
        return frame.with_columns(
            value.alias(name) if isinstance(value, pl.Series) else pl.Series(name, value)
            for name, value in columns.items()
        )

    return make


@pytest.fixture
def folder(tmp_path):
    return StoreFolder.open(tmp_path / "store", create=True)


@pytest.fixture
def writer(folder):
    return PartWriter(folder, now=lambda: NOON, writer="w")


@pytest.fixture
def catalog(folder):
    return Catalog(folder)
