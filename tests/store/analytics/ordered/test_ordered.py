"""What ordered analyses share: whose an event is, and in which order a subject's events stand."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.linking import LinksQuery, LinksReduction
from store.analytics.links import Links, no_links
from store.analytics.ordered.order import in_order, together
from store.analytics.ordered.rows import is_sampled, reduced
from store.analytics.ordered.subjects import NAME, WHO, settled, with_names
from store.schema import PART
from store.testing import NOON, events_of
from tests.store.analytics.reference import links, subjects

NAMED = pl.col("event_name").alias("name")


def rows_of(rows, *, per="user_id", link=True):
    events = events_of(rows)
    events = events.with_columns(
        pl.lit(None, pl.String()).alias(name)
        for name in ("install_id", "user_id")
        if name not in events.columns
    )
    found = reduced(
        events.with_columns(pl.lit(0, pl.UInt32()).alias(PART)).lazy(),
        None,
        [NAMED],
        per=per,
        link=link,
        named=True,
    ).collect()
    if not link:
        return with_names(settled(found, no_links()))
    reduction, query = LinksReduction(), LinksQuery()
    linked = reduction.partial(
        events.with_columns(pl.lit(0, pl.UInt32()).alias(PART)).lazy(), query, None
    ).collect()
    return with_names(settled(found, Links(lambda: reduction.combine(linked.drop(PART), query))))


def test_a_device_is_the_user_it_was_linked_to():
    rows = [
        {"install_id": "phone"},
        {"install_id": "phone", "user_id": "ada"},
        {"install_id": "phone"},
        {"user_id": "ada"},
        {"install_id": "tv"},
        {},
    ]
    assert rows_of(rows)[WHO].n_unique() == 2
    assert sorted(rows_of(rows)[NAME]) == ["ada"] * 4 + ["tv"]
    assert rows_of(rows).height == 5
    assert rows_of(rows, link=False)[WHO].n_unique() == 3


def test_any_attribute_can_be_the_subject_and_events_without_it_are_nobodys():
    rows = [{"session_id": "s", "user_id": "ada"}, {"session_id": ""}, {"session_id": "t"}, {}]
    assert sorted(rows_of(rows, per="session_id")[NAME]) == ["s", "t"]
    numbers = rows_of([{"cart": 1}, {"cart": 1.0}, {"cart": None}], per="cart")
    assert (numbers.height, numbers[WHO].n_unique()) == (2, 1)


def test_sampled_events_are_told():
    rows = [{"user_id": "ada", "sample_rate": rate} for rate in (1.0, None)]
    assert not is_sampled(rows_of(rows))
    assert is_sampled(rows_of([*rows, {"user_id": "bob", "sample_rate": 10.0}]))
    assert not is_sampled(rows_of([{"user_id": "ada"}]))


people = st.sampled_from([None, "", "ada", "bob", "eve"])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "user_id": people,
                "install_id": st.sampled_from([None, "", "phone", "laptop", "ada"]),
                "event_time": st.integers(0, 5).map(lambda at: NOON + timedelta(seconds=at)),
            }
        ),
        min_size=1,
        max_size=12,
    )
)
def test_everybody_is_who_the_rule_says(found):
    # Of two links of one instant the smaller hash counts, which names do not tell.
    times = [row["event_time"] for row in found if row["user_id"] and row["install_id"]]
    if len(set(times)) == len(times):
        assert rows_of(found)[WHO].n_unique() == len(subjects(found, links(found)))


def test_only_rows_of_one_instant_are_compared_by_what_breaks_ties():
    rows = pl.DataFrame(
        {
            WHO: pl.Series([1, 2, 1, 1, 2, 1], dtype=pl.UInt64),
            "time": [5, 3, 5, 1, 2, 5],
            "id": ["b", "z", "a", "y", "x", None],
        }
    )
    found = in_order(rows, ["id"])
    told = {who: piece.rows() for (who,), piece in found.partition_by(WHO, as_dict=True).items()}
    assert told == {
        1: [(1, 1, "y"), (1, 5, None), (1, 5, "a"), (1, 5, "b")],
        2: [(2, 2, "x"), (2, 3, "z")],
    }
    assert found[WHO].rle().len() == 2


@pytest.mark.parametrize("seed", range(20))
def test_the_order_in_which_rows_came_changes_nothing(seed):
    rows = pl.DataFrame(
        {WHO: [at % 3 for at in range(60)], "time": [at % 7 for at in range(60)]},
        schema={WHO: pl.UInt64(), "time": pl.Int64()},
    ).with_row_index("id")
    shuffled = in_order(rows.sample(fraction=1, shuffle=True, seed=seed), ["id"])
    expected = rows.sort(WHO, "time", "id").select(shuffled.columns)
    assert shuffled.sort(WHO, maintain_order=True).equals(expected)


def test_no_rows_are_no_rows():
    rows = pl.DataFrame(schema={WHO: pl.UInt64(), "time": pl.Int64(), "id": pl.String()})
    assert in_order(rows, ["id"]).equals(rows.select(in_order(rows).columns))


hashes = st.one_of(
    st.integers(0, 3),
    st.integers(2**64 - 4, 2**64 - 1),
    st.integers(0, 7).map(lambda at: (at % 2) * 2**63 + (at // 2) * 2**20),
    st.integers(0, 2**64 - 1),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(hashes, st.sampled_from([0, 1, 2, 3, -5, 2**30, 2**55])), min_size=1, max_size=40
    )
)
def test_rows_of_a_subject_stand_together_whatever_bits_of_his_are_another_ones(pairs):
    who = pl.Series([pair[0] for pair in pairs], dtype=pl.UInt64)
    at = pl.Series([pair[1] for pair in pairs], dtype=pl.Int64)
    places = together(who, at)
    assert sorted(places) == list(range(len(pairs)))
    found = pl.DataFrame({WHO: who, "at": at})[places]
    assert found[WHO].rle().len() == who.n_unique()
    expected = pl.DataFrame({WHO: who, "at": at}).sort(WHO, "at")
    assert found.sort(WHO, maintain_order=True).equals(expected)


def test_nobodys_rows_have_no_places():
    assert together(pl.Series([], dtype=pl.UInt64), pl.Series([], dtype=pl.Int64)).len() == 0
