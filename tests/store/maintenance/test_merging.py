from datetime import timedelta

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from store.errors import StoreError
from store.maintenance import compaction, merging, repeated
from store.maintenance.compaction import Compaction
from store.parts import overflow
from store.parts.catalog import Catalog
from store.parts.disk import DISK, Disk
from store.parts.encoding import ROW_GROUP_ROWS
from store.parts.layout import PartName, StoreFolder
from store.parts.scan import column_types, scan
from store.parts.slices import slices
from store.parts.verify import part_fault
from store.parts.writer import PartWriter
from store.schema import PART
from store.tally import Tally
from store.testing import NOON, FrozenClock, events_of

MORNING = NOON - timedelta(hours=11)


def everything(folder, *others):
    """All that a reader sees, in order."""
    parts = Catalog(folder).snapshot().parts
    events = scan(parts, column_types(parts), None).drop(PART).collect()
    return events.sort("event_time", "event_id")


def merged_all(folder, disk=DISK):
    catalog = Catalog(folder)
    sources = catalog.snapshot().parts
    name = PartName(1, "m", 0)
    return merging.merge(folder, disk, sources, name, compaction.covers_of(sources, ()))


def commit(writer, rows):
    events = events_of(rows)
    return writer.commit(events, Tally({"stored": events.height}))


def test_a_merge_is_what_a_reader_of_the_sources_saw(folder, writer):
    commit(writer, [{"event_id": "b", "plan": 1}, {"event_id": "a", "plan": 2}])
    commit(writer, [{"event_id": "c", "plan": 1.5, "event_time": MORNING, "ok": True}])
    commit(writer, [{"event_id": "d", "plan": "x"}])
    before = everything(folder)
    done = merged_all(folder)
    after = everything(folder)
    assert after.equals(before)
    assert (done.removed, done.part.rows, part_fault(done.part)) == (0, 4, None)
    assert done.part.span.start == MORNING
    assert Catalog(folder).snapshot().parts == (done.part,)


def test_the_file_is_sorted_and_cut_into_whole_row_groups(folder, clock, monkeypatch):
    monkeypatch.setattr(merging, "SLICE_VALUES", 1)
    writer = PartWriter(folder, now=clock, writer="w")
    rows = 40_000
    for number in range(2):
        times = NOON + pl.Series(range(rows)) * timedelta(milliseconds=7)
        frame = pl.DataFrame(
            {
                "event_id": [f"{(n * 7919) % rows:06}-{number}" for n in range(rows)],
                "event_time": times.cast(pl.Datetime("us", "UTC")),
                "event_type": "log",
                "event_name": "visit",
            }
        )
        writer.commit(frame, Tally({"stored": rows}))
    part = merged_all(folder).part
    found = pl.read_parquet(part.path)
    assert found.equals(found.sort("event_time", "event_id"))
    import pyarrow.parquet as pq

    groups = pq.read_metadata(part.path)
    sizes = [groups.row_group(n).num_rows for n in range(groups.num_row_groups)]
    assert sizes == [ROW_GROUP_ROWS, ROW_GROUP_ROWS, 2 * rows - 2 * ROW_GROUP_ROWS]
    first = groups.row_group(0)
    columns = [first.column(number) for number in range(first.num_columns)]
    assert [c.path_in_schema for c in columns if c.bloom_filter_offset] == ["event_id"]
    assert part_fault(part) is None


def test_duplicates_go_and_the_first_in_order_stays(folder, writer, round_of, catalog):
    later = NOON + timedelta(hours=1)
    commit(writer, [{"event_id": "a", "n": 1}, {"event_id": "b", "event_time": later, "n": 2}])
    commit(writer, [{"event_id": "a", "n": 3}, {"event_id": "b", "n": 4}])
    round_of(Compaction(), eager=True)
    (part,) = catalog.snapshot().parts
    rows = scan([part], ["event_id", "n"], None).collect().sort("event_id")
    assert rows["event_id"].to_list() == ["a", "b"]
    assert rows["n"].to_list()[1] == 4
    assert part.removed == 2
    assert part.tally.as_json()["stored"] == 2
    assert part.tally.as_json()["duplicate"] == 2
    assert part.tally.received == 4


def test_a_second_merge_adds_to_what_was_removed(folder, writer, round_of, catalog):
    for _ in range(2):
        commit(writer, [{"event_id": "a"}])
    round_of(Compaction(), eager=True)
    commit(writer, [{"event_id": "a"}])
    round_of(Compaction(), eager=True)
    (part,) = catalog.snapshot().parts
    assert (part.level, part.removed, part.tally.as_json()["duplicate"]) == (2, 2, 2)
    assert [
        (cover.writer, cover.first, cover.last) for cover in part.covers if cover.writer == "w"
    ] == [("w", 0, 2)]


def test_no_number_is_used_twice_even_with_notes_out_of_a_backup(folder, writer, round_of, catalog):
    for turn in range(3):
        commit(writer, [{"event_id": f"a{turn}"}, {"event_id": f"b{turn}"}])
        commit(writer, [{"event_id": f"c{turn}"}])
        old = (folder.root / "maintenance.json").read_bytes() if turn else None
        round_of(Compaction(), eager=True)
        if old:
            (folder.root / "maintenance.json").write_bytes(old)
    (part,) = catalog.snapshot().parts
    assert (part.sequence, part.rows) == (2, 9)
    sources = catalog.snapshot().covered
    name = PartName(part.level, part.writer, part.sequence)
    with pytest.raises(StoreError, match="such a part already"):
        merging.merge(folder, DISK, sources, name, ())


def test_a_broken_source_is_left_out_and_left_alone(folder, writer, round_of, catalog):
    parts = [*commit(writer, [{"event_id": "a"}]), *commit(writer, [{"event_id": "b"}])]
    parts += commit(writer, [{"event_id": "c"}])
    spoiled = bytearray(parts[1].path.read_bytes())
    spoiled[20] ^= 1
    parts[1].path.write_bytes(spoiled)
    report = round_of(Compaction(), eager=True)
    assert "checksum" in report.faults[0]
    assert parts[1].path.read_bytes() == spoiled
    found = catalog.snapshot()
    assert {part.writer: part.rows for part in found.parts}["w"] == 1
    assert sum(part.rows for part in found.parts) == 3
    assert [part.sequence for part in found.covered] == [0, 2]


def test_parts_that_carry_a_tally_alone_are_merged_too(folder, writer, round_of, catalog):
    writer.commit(pl.DataFrame(), Tally({"rejected": 1}))
    writer.commit(pl.DataFrame(), Tally({"rejected": 2}))
    round_of(Compaction(), eager=True)
    (part,) = catalog.snapshot().parts
    assert (part.rows, part.tally.as_json()["rejected"]) == (0, 3)
    commit(writer, [{}])
    round_of(Compaction(), eager=True)
    assert [part.rows for part in catalog.snapshot().parts] == [1]


def test_attributes_past_the_bound_are_folded_and_still_found(folder, writer, monkeypatch):
    monkeypatch.setattr("store.maintenance.columns.ATTRIBUTE_COLUMNS_MAX", 2)
    monkeypatch.setattr(overflow, "ATTRIBUTE_COLUMNS_MAX", 2)
    commit(writer, [{"event_id": "a", "k1": 1, "k2": 2.5, "k3": 3}])
    commit(writer, [{"event_id": "b", "k4": True, "k5": "x", "k3": "y"}])
    commit(writer, [{"event_id": "c", "k3": 1.0, "k5": 7}])
    before = everything(folder)
    part = merged_all(folder).part
    after = everything(folder)
    assert after.select(before.columns).equals(before)
    assert len([name for name in part.columns if name.startswith("k")]) == 2


VALUES = {
    "x": st.none()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=3),
    "y": st.none() | st.integers(-5, 5) | st.booleans() | st.sampled_from([0.5, 1.0, -0.0, 1e300]),
    "z": st.none() | st.integers(2**63, 2**64 - 1) | st.integers(-3, 3),
}


rows_of = st.lists(
    st.tuples(
        st.integers(0, 30),  # id
        st.integers(0, 5),  # seconds
        st.fixed_dictionaries({}, optional=VALUES),
    ),
    min_size=1,
    max_size=6,
)


def one_kind(rows):
    """The rows with each attribute in the type of its first value."""
    kinds = {}
    made = []
    for number, seconds, attributes in rows:
        kept = {
            name: value
            for name, value in attributes.items()
            if value is not None and kinds.setdefault(name, type(value)) is type(value)
        }
        time = NOON + timedelta(seconds=seconds)
        made.append({"event_id": f"e{number:03}", "event_time": time, **kept})
    return made


def same_types(before, after):
    """Integers that need 128 bits, which no column can hold, may become others; where one stands as a
    column and inside OVERFLOW, it takes both to read it, as before.
    """
    huge = {name for name, kind in before.items() if kind == pl.Int128}
    return before.keys() == after.keys() and all(
        after[name] in (pl.UInt64, pl.String, kind) if name in huge else after[name] == kind
        for name, kind in before.items()
    )


class Quick(Disk):
    """Nothing here is about power."""

    def sync(self, descriptor):
        pass


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.shrink])
@given(commits=st.lists(rows_of, min_size=2, max_size=4), columns_max=st.sampled_from([1, 500]))
def test_any_events_come_through_exactly(tmp_path_factory, commits, columns_max):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("store.maintenance.columns.ATTRIBUTE_COLUMNS_MAX", columns_max)
        patched.setattr(overflow, "ATTRIBUTE_COLUMNS_MAX", columns_max)
        patched.setattr(merging, "SLICE_ROWS_MIN", 2)
        patched.setattr(merging, "SLICE_VALUES", 1)
        patched.setattr(repeated, "BUCKET_ROWS", 5)
        folder = StoreFolder.open(tmp_path_factory.mktemp("store"), create=True, disk=Quick())
        writer = PartWriter(folder, now=FrozenClock(), writer="w", disk=Quick())
        for rows in commits:
            commit(writer, one_kind(rows))
        before = everything(folder)
        done = merged_all(folder, disk=Quick())
        after = everything(folder)
    assert part_fault(done.part) is None
    assert done.removed == before.height - before["event_id"].n_unique()
    assert same_types(before.schema, after.schema)
    firsts = before.unique("event_id", keep="first", maintain_order=True)
    assert after.select("event_id", "event_time").equals(firsts.select("event_id", "event_time"))
    huge = {name: pl.String for name, kind in before.schema.items() if kind == pl.Int128}
    before, after = before.cast(huge), after.cast(huge)
    assert (
        before.join(after, on=before.columns, how="semi", nulls_equal=True)["event_id"].n_unique()
        == after.height
    )


def test_slices_are_bounded_even_at_one_instant(folder, writer):
    same = [{"event_id": f"a{number}", "event_time": NOON} for number in range(60)]
    commit(writer, same)
    commit(
        writer,
        [{"event_id": f"b{n}", "event_time": NOON + timedelta(milliseconds=n)} for n in range(60)],
    )
    parts = Catalog(folder).snapshot().parts
    events = scan(parts, ["event_id", "event_time"], None)
    found = []
    for each in slices(parts, 20):
        piece = each.of(scan(parts, ["event_id", "event_time"], each.span)).collect()
        found.append(piece.sort("event_time", "event_id"))
    whole = pl.concat(found)
    assert max(piece.height for piece in found) <= 40
    assert whole.equals(events.collect().sort("event_time", "event_id").select(whole.columns))
