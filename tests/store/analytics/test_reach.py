"""One user a hundred times, or a hundred users once?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.query_json import answer_json
from store.analytics.reach import Reach, ReachAnalysis
from store.testing import events_of, store_of
from tests.cases import cases
from tests.store.analytics.people import days, first_days, frame_of, told


def reach(rows, **options):
    events = rows if hasattr(rows, "height") else frame_of(rows)
    return told(ReachAnalysis(), Reach(span=first_days(21), **options), events)


def test_one_user_a_hundred_times():
    found = reach([{"user_id": "ada"}] * 100)
    assert (found["events"], found["users"], found["top_user_share"]) == (100, 1, 1.0)
    assert (found["events_per_user"], found["median_per_user"]) == (100, 100)


def test_a_hundred_users_once():
    found = reach([{"user_id": f"u{at}"} for at in range(100)])
    assert (found["events"], found["users"], found["top_user_share"]) == (100, 100, 0.01)


def test_the_share_of_the_busiest_is_of_all_events_also_of_nobodys():
    found = reach([{"user_id": "ada"}] * 3 + [{"user_id": "bob"}] + [{}] * 6)
    assert (found["events"], found["users"], found["without_user"]) == (10, 2, 6)
    assert found["top_user_share"] == 0.3


def test_a_device_is_its_user():
    rows = [
        {"user_id": "ada", "install_id": "phone"},
        {"install_id": "phone"},
        {"install_id": "tv"},
    ]
    assert reach(rows)["users"] == 2
    assert reach(rows, link=False)["users"] == 3


def test_events_that_stand_for_more_count_as_often():
    rows = [{"user_id": "ada", "sample_rate": 9.0}, {"user_id": "bob"}]
    assert (reach(rows)["events"], reach(rows)["top_user_share"]) == (10, 0.9)


@pytest.mark.parametrize("users", [1, 5, 20, 60])
def test_users_that_hide_in_buckets_are_estimated(users):
    rows = [{"user_bucket": (at * 2_654_435_761 >> 7) % 30} for at in range(users)]
    found = reach(rows)
    assert found["users"] == 0
    assert found["buckets"] == len({row["user_bucket"] for row in rows})
    assert found["users_estimate"] == pytest.approx(users, rel=0.4)


def test_more_buckets_are_told_by_their_numbers_or_by_option():
    rows = [{"user_bucket": 40 + at} for at in range(10)]
    assert reach(rows)["users_estimate"] == 11
    assert reach(rows, bucket_count=1_000)["users_estimate"] == 10
    assert reach([{"user_bucket": at} for at in range(30)])["users_estimate"] == 123


def test_known_users_are_never_more_than_the_estimate():
    rows = [{"user_id": f"u{at}", "user_bucket": at % 3} for at in range(50)]
    assert reach(rows)["users_estimate"] == 50


def test_by_an_attribute_the_rest_is_folded_and_its_users_counted_once():
    rows = [
        *({"user_id": user, "os": "ios"} for user in ("ada", "bob", "eve")),
        *({"user_id": "ada", "os": system} for system in ("web", "tv", None)),
    ]
    ios, rest = reach(rows, by=("os",), limit=1)["rows"]
    assert (ios["os"], ios["users"]) == ("ios", 3)
    assert (rest["folded"], rest["events"], rest["users"]) == (True, 3, 1)


def test_nobody_and_nothing(tmp_path):
    found = reach([])
    assert (found["events"], found["users"], found["top_user_share"]) == (0, 0, None)
    assert reach([], by=("event_name",)) == {"rows": []}
    store = store_of(tmp_path, days(ada="a b", bob="a"))
    told = answer_json(store.run(Reach(where="event_name=a")))
    assert (told["result"]["users"], told["events_scanned"]) == (2, 2)


rows = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": st.sampled_from([None, "", "ada", "bob"]),
            "install_id": st.sampled_from([None, "phone", "bob"]),
            "user_bucket": st.sampled_from([None, 1, 2]),
        }
    ),
    max_size=20,
)


@settings(max_examples=cases(60))
@given(found=rows, data=st.data())
def test_no_split_into_parts_changes_it(found, data):
    parts = data.draw(st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found)))
    events = events_of(found) if found else frame_of([])
    query = Reach(span=first_days(21))
    one = told(ReachAnalysis(), query, events)
    assert told(ReachAnalysis(), query, events, parts, (0, 1, 0)) == one
