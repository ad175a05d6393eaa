from dataclasses import replace

import pytest

from store.analytics.rollups.building import rollup_of
from store.parts.check import check
from store.parts.faults import Kind
from store.parts.rollup_file import publish
from store.tally import Tally


@pytest.fixture
def part(writer, events):
    (part,) = writer.commit(events(50, duration_ms=[1.5] * 50), Tally({"stored": 50}))
    return part


@pytest.fixture
def rolled(folder, part):
    """rolled(): the rollup of the part; rolled(rows=7): one that says something else."""

    def make(change=lambda tables: tables, **said):
        how, tables = rollup_of(part)
        return publish(folder, replace(part, rolled=how, **said), change(tables))

    return make


def test_a_rollup_that_fits_its_part_is_sound(folder, rolled):
    rolled()
    assert check(folder).ok


def test_a_rollup_outlives_its_part(folder, part, rolled):
    rolled()
    part.path.unlink()
    assert check(folder).ok


@pytest.mark.parametrize("at", [4, 400, -40])
def test_a_flipped_bit_of_a_rollup_is_told(folder, rolled, at):
    path = rolled().path
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)
    assert [(each.path, each.kind) for each in check(folder).faults] == [(path, Kind.BROKEN)]


def test_a_rollup_of_other_events_than_its_part_s_is_told(folder, rolled):
    rolled(rows=49)
    assert "other events" in check(folder).faults[0].fault


def test_a_rollup_that_lost_an_hour_is_told(folder, rolled):
    rolled(lambda tables: {code: table.tail(0) for code, table in tables.items()} | {3: tables[3]})
    assert check(folder).ok
    rolled(lambda tables: tables | {3: tables[3].with_columns(n=tables[3]["n"] - 1)})
    assert "it counts 49 of 50 events" in check(folder).faults[0].fault
