"""A store in a private folder, a clock that stands still, and events told in a line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from store.parts.catalog import Catalog
from store.parts.layout import PartName, StoreFolder, folder_of
from store.parts.part import Part
from store.parts.writer import PartWriter, encoded
from store.schema import FIXED, REQUIRED
from store.timespan import TimeSpan

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUIRED_SCHEMA = {name: FIXED[name] for name in REQUIRED}


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


@pytest.fixture(scope="session")
def put():
    """put(folder, 1, "c", 0, rows=3, covers=[Cover("w", 0, 2)]): one part, straight to its name."""

    def make(folder, level, writer, sequence, *, rows=1, day="2026-11-22", covers=()):
        name = PartName(level, writer, sequence)
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        frame = pl.DataFrame(
            {
                "event_id": [f"{name.file}.{row}" for row in range(rows)],
                "event_time": [start] * rows,
                "event_type": ["log"] * rows,
                "event_name": ["visit"] * rows,
            },
            schema=REQUIRED_SCHEMA,
        )
        part = Part(
            path=folder.events / folder_of(day) / name.file,
            date=day,
            level=level,
            writer=writer,
            sequence=sequence,
            rows=rows,
            size_bytes=0,
            span=TimeSpan(start, start + timedelta(microseconds=1)),
            newest_received=start,
            columns=REQUIRED_SCHEMA,
            covers=tuple(covers),
        )
        part.path.parent.mkdir(exist_ok=True)
        staged = folder.staging / name.staged
        staged.write_bytes(encoded(frame, part))
        return replace(part, path=staged.rename(part.path), size_bytes=part.path.stat().st_size)

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
