import json
import math

import polars as pl
import pytest

from store.parts.overflow import NAMES_LISTED_MAX, folded
from store.parts.scan import column_types, scan
from store.schema import ATTRIBUTE_COLUMNS_MAX, OVERFLOW
from store.tally import Tally

FULL = {f"k{i:03}": [i, i] for i in range(ATTRIBUTE_COLUMNS_MAX)}


def test_a_part_within_the_bound_has_no_overflow(writer, events):
    (part,) = writer.commit(events(2, **FULL), Tally())
    assert OVERFLOW not in part.columns
    assert len(part.columns) == 4 + ATTRIBUTE_COLUMNS_MAX


def test_the_emptiest_columns_past_the_bound_are_folded(writer, events):
    (part,) = writer.commit(events(2, **FULL, rare=[None, 1], other=["x", None]), Tally())
    assert set(part.overflow) == {"other", "rare"}
    assert len(part.columns) == 5 + ATTRIBUTE_COLUMNS_MAX
    stored = pl.read_parquet(part.path, columns=[OVERFLOW])[OVERFLOW]
    assert [json.loads(text) for text in stored] == [{"other": "x"}, {"rare": 1}]


@pytest.mark.parametrize(
    "values",
    [
        [1, None],
        [2**63 - 1, -(2**63)],
        [1.0, 0.1],
        [5e-324, 1.7976931348623157e308],
        [math.inf, -math.inf],
        [True, False],
        ['"\\\0\n', "é😀"],
        ["1.0", "true"],
        ["", None],
    ],
)
def test_a_folded_value_comes_back_as_it_was(writer, events, values):
    frame = events(3, **{name: [1, 1, 1] for name in FULL}, x=[*values, None])
    (part,) = writer.commit(frame, Tally())
    found = scan([part], ["event_id", "x"], None).collect().sort("event_id")["x"]
    assert "x" in part.overflow
    assert found.to_list() == [*values, None]
    assert found.dtype == frame["x"].dtype


def test_not_a_number_comes_back_as_such(writer, events):
    (part,) = writer.commit(events(2, **FULL, x=[math.nan, None]), Tally())
    assert scan([part], ["x"], None).collect()["x"].is_nan().to_list() == [True, None]


def test_a_name_may_be_a_column_here_and_folded_there(writer, events):
    (here,) = writer.commit(events(1, x=[2**60]), Tally())
    (there,) = writer.commit(events(2, first=1, **FULL, x=[0.5, None]), Tally())
    assert column_types([here, there])["x"] == pl.String
    found = scan([here, there], ["x"], None).collect()["x"].to_list()
    assert found == [str(2**60), "0.5", None]


def test_an_overflow_that_came_with_the_events_is_kept_and_joined(writer, events):
    given = [
        '{"a": 1, "big": 18446744073709551615, "list": [1, {"b": 2}]}',
        '{"a": "x", "k000": 7}',
    ]
    columns = {name: [1, None] for name in FULL}
    (part,) = writer.commit(events(2, **{OVERFLOW: given}, **columns, rare=[None, 2.5]), Tally())
    names = ["event_id", "a", "big", "list", "rare", "k000", "k001"]
    found = scan([part], names, None).collect().sort("event_id")
    assert found.drop("event_id", "_part").rows() == [
        ("1", 2**64 - 1, '[1,{"b":2}]', None, 1, 1),
        ("x", None, None, 2.5, 7, None),
    ]


def test_an_overflow_that_is_no_object_becomes_an_attribute(writer, events):
    (part,) = writer.commit(events(3, **{OVERFLOW: ["gossip", "[1]", '{"a": 1}']}), Tally())
    found = scan([part], ["attr._overflow", "a"], None).collect()
    assert found["attr._overflow"].to_list() == ["gossip", "[1]", None]
    assert found["a"].to_list() == [None, None, 1]


def test_mixed_values_of_a_folded_name_read_as_group_keys_do(writer, events):
    given = ['{"a": 1.0}', '{"a": true}', '{"a": "x"}', '{"a": 1e30}']
    (part,) = writer.commit(events(4, **{OVERFLOW: given}), Tally())
    (plain,) = writer.commit(events(1, a=[1e30]), Tally())
    found = scan([part, plain], ["a"], None).collect()["a"].to_list()
    assert found[:3] == ["1", "true", "x"]
    assert found[3] == found[4]


def test_names_past_the_list_are_still_found_by_name(writer, events):
    many = json.dumps({f"n{i:05}": i for i in range(NAMES_LISTED_MAX + 5)})
    (part,) = writer.commit(events(1, **{OVERFLOW: [many]}), Tally())
    last = f"n{NAMES_LISTED_MAX + 4:05}"
    assert not part.overflow_complete
    assert last not in column_types([part])
    assert scan([part], [last], None).collect()[last].to_list() == [str(NAMES_LISTED_MAX + 4)]


def test_folding_leaves_events_without_surplus_alone(events):
    frame = events(2, x=[1, 2])
    assert folded(frame).events is frame
