from datetime import timedelta

import polars as pl
import pytest

from store.parts.scan import column_types, scan
from store.schema import PART, ROW
from store.tally import Tally
from store.timespan import TimeSpan


def commit(writer, *frames):
    return [part for frame in frames for part in writer.commit(frame, Tally())]


def values(parts, name):
    found = scan(parts, ["event_id", name], None).collect().sort("event_id")
    return found[name].dtype, found[name].to_list()


def test_rows_know_their_part_and_missing_columns_are_null(writer, events):
    parts = commit(writer, events(2, plan=["pro", "free"]), events(1, first=2))
    found = scan(parts, ["event_id", "plan", "user_id", "never"], None).collect().sort("event_id")
    assert found[PART].to_list() == [0, 0, 1]
    assert found[PART].dtype == pl.UInt32
    assert found["plan"].to_list() == ["pro", "free", None]
    assert found.select("user_id", "never").null_count().row(0) == (3, 3)


@pytest.mark.parametrize(
    ("first", "second", "kind", "found"),
    [
        ([1, 2], [1.5, None], pl.Float64, [1.0, 2.0, 1.5, None]),
        ([2**53, -(2**53)], [0.5, 1.0], pl.Float64, [2.0**53, -(2.0**53), 0.5, 1.0]),
        ([2**53 + 1, 1], [0.5, 3.0], pl.String, ["9007199254740993", "1", "0.5", "3"]),
        ([-(2**53) - 1, 1], [0.5, None], pl.String, ["-9007199254740993", "1", "0.5", None]),
        ([1, 2], ["x", None], pl.String, ["1", "2", "x", None]),
        ([1.0, 2.5], ["x", "1"], pl.String, ["1", "2.5", "x", "1"]),
        ([True, False], ["x", None], pl.String, ["true", "false", "x", None]),
        ([True, False], [1, 0], pl.String, ["true", "false", "1", "0"]),
        ([2**63 - 1, -1], [2**64 - 1, 1], pl.Int128, [2**63 - 1, -1, 2**64 - 1, 1]),
    ],
)
def test_differing_types_widen_without_losing_a_value(writer, events, first, second, kind, found):
    wide = (
        pl.UInt64
        if max(map(abs, (v for v in second if type(v) is int)), default=0) > 2**63
        else None
    )
    parts = commit(writer, events(2, x=first), events(2, first=2, x=pl.Series(second, dtype=wide)))
    assert values(parts, "x") == (kind, found)
    assert column_types(parts)["x"] == kind


def test_three_kinds_meet_in_text(writer, events):
    parts = commit(writer, events(1, x=[1]), events(1, x=[1.5]), events(1, x=["a"]), events(1))
    assert sorted(values(parts, "x")[1], key=str) == ["1", "1.5", None, "a"]


def test_only_events_of_the_span_come_through(writer, events, noon):
    parts = commit(writer, events(10), events(10, first=10, start=noon + timedelta(hours=1)))
    span = TimeSpan(noon + timedelta(seconds=3), noon + timedelta(seconds=5))
    found = scan(parts, ["event_id"], span).collect()
    assert found["event_id"].to_list() == ["e000003", "e000004"]
    whole = TimeSpan(noon, noon + timedelta(days=1))
    assert scan(parts, ["event_id"], whole).collect().height == 20


def test_parts_outside_the_span_are_not_opened(writer, events, noon):
    parts = commit(writer, events(1), events(1, first=1, start=noon + timedelta(hours=1)))
    parts[0].path.unlink()
    late = TimeSpan(noon + timedelta(minutes=1), noon + timedelta(hours=2))
    assert scan(parts, ["event_id"], late).collect().rows() == [("e000001", 1)]


def test_row_groups_outside_the_span_are_not_read(writer, events, noon):
    (part,) = commit(writer, events(80_000, step=timedelta(milliseconds=1)))
    data = bytearray(part.path.read_bytes())
    data[200:300] = bytes(100)  # ruins the first row group
    part.path.write_bytes(data)
    late = TimeSpan(noon + timedelta(seconds=78), noon + timedelta(seconds=79))
    assert scan([part], ["event_id"], late).collect().height == 1_000


def test_nothing_to_read_is_an_empty_frame_of_the_same_columns():
    found = scan([], ["event_time", "x"], None).collect()
    assert found.columns == ["event_time", "x", PART]
    assert found.height == 0


def test_no_columns_still_count_rows_by_part(writer, events):
    parts = commit(writer, events(2), events(3), events(1, x=[1]))
    found = scan(parts, [], None).group_by(PART).len().sort(PART).collect()
    assert found["len"].to_list() == [2, 3, 1]


@pytest.mark.parametrize("sizes", [[5], [3, 2]])
def test_no_columns_still_count_rows_that_need_not_be_told_apart(writer, events, sizes):
    parts = commit(writer, *(events(size, first=10 * at) for at, size in enumerate(sizes)))
    found = scan(parts, [], None, apart=False).group_by(PART).len().collect()
    assert found["len"].to_list() == [5]


def test_parts_without_rows_are_passed_over(writer, events):
    parts = [*commit(writer, events(1)), *writer.commit(pl.DataFrame(), Tally({"rejected": 1}))]
    parts += commit(writer, events(2, x=[1, 2]))
    assert scan(parts, ["x"], None).collect()[PART].to_list() == [0, 2, 2]


def test_a_part_that_is_gone_fails_the_collect_with_file_not_found(writer, events):
    parts = commit(writer, events(1), events(1))
    parts[0].path.unlink()
    with pytest.raises(FileNotFoundError):
        scan(parts, ["event_id"], None).collect()


@pytest.mark.parametrize("sizes", [(30_000, 25_000), (30_000, 5, 7, 25_000, 1)])
def test_large_and_small_parts_are_told_apart_alike(writer, events, sizes):
    parts = commit(writer, *(events(n, step=timedelta(0)) for n in sizes))
    found = scan(parts, ["event_name"], None).group_by(PART).len().sort(PART).collect()
    assert found["len"].to_list() == list(sizes)


def test_the_column_list_has_fixed_ones_first_and_no_internal_ones(writer, events):
    many = {f"k{i:03}": [i] for i in range(502)}
    parts = commit(writer, events(1, zebra=[1], user_id=["a"]), events(1, ape=["x"], **many))
    names = list(column_types(parts))
    assert names[:5] == ["event_id", "event_time", "event_type", "event_name", "user_id"]
    assert names[5:] == sorted(["ape", "zebra", *many])


def test_names_of_any_kind_come_through(writer, events):
    names = [
        "",
        " ",
        "a.b",
        "a\0b",
        "é😀",
        "Plan",
        "plan",
        "select *",
        "^a.*$",
        "a" * 256,
        "\u202e",
        '"',
    ]
    parts = commit(writer, events(1, **{name: [name] for name in names}))
    found = scan(parts, names, None).collect()
    assert {name: found[name][0] for name in names} == {name: name for name in names}


def test_rows_know_their_place_within_their_part_also_when_a_span_cuts_it(writer, events, noon):
    parts = commit(writer, events(3), events(2, first=3, start=noon + timedelta(seconds=1)))
    found = scan(parts, ["event_id"], None, rows=True).collect().sort("event_id")
    assert found.select(PART, ROW).rows() == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    cut = TimeSpan(noon + timedelta(seconds=2), noon + timedelta(seconds=9))
    found = scan(parts, ["event_id"], cut, rows=True).collect().sort("event_id")
    assert found.select(PART, ROW).rows() == [(0, 2), (1, 1)]
    assert scan((), ["event_id"], None, rows=True).collect().columns == ["event_id", PART, ROW]


def test_rows_that_need_not_be_told_apart_are_the_same_without_their_part(writer, events, noon):
    parts = commit(writer, events(2, plan=["pro", "free"]), events(1, first=2))
    span = TimeSpan(noon, noon + timedelta(days=1))
    for within in (None, span):
        apart = scan(parts, ["event_id", "plan"], within).collect()
        one = scan(parts, ["event_id", "plan"], within, apart=False).collect()
        assert one.sort("event_id").drop(PART).equals(apart.sort("event_id").drop(PART))
        assert one.schema[PART] == pl.Null
    assert scan([], ["plan"], None, apart=False).collect_schema()[PART] == pl.Null
