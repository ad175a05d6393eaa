import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from store.collector.gathering import gathered


def together(*frames, rows_max=100):
    return gathered(frames, rows_max)


def test_deliveries_share_one_frame(events):
    (only,) = together(events("a", "b"), events("c"))
    assert only.events["event_id"].to_list() == ["a", "b", "c"]
    assert (only.sources, only.heights) == ((0, 1), (2, 1))


def test_columns_that_only_some_have_are_null_for_the_others(events):
    (only,) = together(events("a", plan=["pro"]), events("b", items=[3]))
    assert only.events.select("plan", "items").rows() == [("pro", None), (None, 3)]


def test_integers_meet_floats_in_one_column_where_that_is_exact(events):
    (only,) = together(events("a", n=[3]), events("b", n=[0.5]), events("c", n=[4]))
    assert only.events["n"].to_list() == [3.0, 0.5, 4.0]
    assert only.events.schema["n"] == pl.Float64


def test_an_integer_that_no_float_can_hold_stays_an_integer(events):
    large = 2**53 + 1
    first, second = together(events("a", n=[large]), events("b", n=[0.5]))
    assert first.events["n"].to_list() == [large]
    assert second.events["n"].to_list() == [0.5]


def test_frames_that_disagree_on_a_type_stay_apart(events):
    groups = together(events("a", n=[1]), events("b", n=["one"]), events("c", n=["two"]))
    assert [group.sources for group in groups] == [(0,), (1, 2)]


def test_a_large_delivery_is_cut(events):
    big = events(*"abcdefg")
    groups = together(events("x"), big, events("y"), rows_max=3)
    assert [group.heights for group in groups] == [(1,), (3,), (3,), (1, 1)]
    assert [group.sources for group in groups] == [(0,), (1,), (1,), (1, 2)]


def test_a_column_is_cut_into_each_delivery_s_share(events):
    (only,) = together(events("a", "b"), events("c"))
    shares = [(source, share.to_list()) for source, share in only.shares(only.events["event_id"])]
    assert shares == [(0, ["a", "b"]), (1, ["c"])]


columns = st.dictionaries(
    st.sampled_from("pqr"),
    st.sampled_from([1, 2**53 + 1, 0.5, "text", True]),
    max_size=3,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(columns, st.integers(1, 5)), max_size=8), st.integers(1, 6))
def test_no_event_is_lost_and_no_value_changes(deliveries, rows_max):
    frames = [
        pl.DataFrame({"row": range(height), **{name: [v] * height for name, v in values.items()}})
        for values, height in deliveries
    ]
    found = [[] for _ in frames]
    for group in gathered(frames, rows_max):
        assert group.events.height == sum(group.heights) <= rows_max
        for source, rows in group.shares(group.events.select(pl.struct(pl.all())).to_series()):
            found[source] += rows.to_list()
    for rows, (values, height) in zip(found, deliveries, strict=True):
        assert [row["row"] for row in rows] == list(range(height))
        assert all(
            {n: v for n, v in row.items() if v is not None and n != "row"} == values for row in rows
        )


def test_one_delivery_goes_through_as_it_is(events):
    frame = events("a")
    assert together() == []
    assert together(frame)[0].events is frame
