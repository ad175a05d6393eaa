"""A command line run in this process: what it printed, said and returned."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import polars as pl
import pytest

from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.schema import FIXED
from store.tally import Receipt, Tally
from tui.cli import main

NOON = datetime(2025, 11, 22, 12, tzinfo=UTC)


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch, tmp_path):
    for name in ("EVENTDECK_STORE", "EVENTDECK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def eventdeck(store, capsys):
    """eventdeck("query", "top"): the command on the test's own store."""

    def run(*words, on=store):
        given = [str(word) for word in words]
        code = main([*given, "--store", str(on)] if on else given)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Done(code, said.out, said.err)

    return run


@pytest.fixture
def stored(store):
    """stored(message=["a", "b"]): puts events into the store, a second apart from noon on."""
    taken = iter(range(10**6))

    def put(start=NOON, **columns):
        count = max(len(values) for values in columns.values())
        ids = [f"e{next(taken):06}" for _ in range(count)]
        values = {
            "event_id": ids,
            "event_time": [start + timedelta(seconds=at) for at in range(count)],
            "event_type": ["log"] * count,
            "event_name": ["visit"] * count,
            **columns,
        }
        known = {name: kind for name, kind in FIXED.items() if name in values}
        events = pl.DataFrame(values, schema_overrides=known)
        writer = PartWriter(StoreFolder.open(store, create=True), now=lambda: NOON)
        tally = Tally.of(Receipt(stored=count), intake="native")
        return writer.commit(events, tally)

    return put
