"""Distinct counts: exact while small, close when large, and the users behind devices."""

from datetime import timedelta

import polars as pl
import pytest
import xxhash

from store.analytics import distinct
from store.analytics.links import Links, no_links
from store.analytics.trends import Trends
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan

MOST = 1_000


def kept(numbers):
    hashes = pl.Series(list(numbers), dtype=pl.UInt64).hash(1)
    return hashes.unique().sort().head(MOST).to_list()


def size(hashes):
    frame = pl.DataFrame({"sets": [hashes]}, schema={"sets": pl.List(pl.UInt64)})
    return frame.select(distinct.size("sets", pl.lit(MOST))).item()


def test_a_small_set_is_counted_exactly():
    assert size(kept(range(999))) == 999
    assert size([]) == 0


@pytest.mark.parametrize("members", [2_000, 50_000, 400_000])
def test_a_large_set_is_estimated_closely(members):
    assert size(kept(range(members))) == pytest.approx(members, rel=0.1)


def test_a_union_of_parts_is_the_set_of_all():
    parts = [kept(range(start, start + 4_000)) for start in (0, 3_000, 6_000)]
    frame = pl.DataFrame({"sets": parts}, schema={"sets": pl.List(pl.UInt64)})
    assert frame.select(distinct.union("sets", MOST)).to_series().to_list() == kept(range(10_000))


def counted(subjects, devices, links):
    schema = {"subjects": pl.List(pl.UInt64), "devices": pl.List(pl.UInt64)}
    frame = pl.DataFrame({"subjects": [subjects], "devices": [devices]}, schema=schema)
    return distinct.users(frame, pl.lit(MOST), links)["users"].item()


def linked(pairs):
    schema = {"device": pl.UInt64, "user": pl.UInt64}
    return Links(lambda: pl.DataFrame(pairs, schema=schema, orient="row"))


def test_a_linked_device_is_its_user():
    links = linked([(100, 1), (101, 2), (102, 2)])
    assert counted([1], [100], links) == 1
    assert counted([1], [100, 101], links) == 2
    assert counted([], [101, 102], links) == 1
    assert counted([1], [103], links) == 2
    assert counted([1], [100], no_links()) == 2


def test_a_device_with_the_name_of_a_user_is_that_user():
    assert counted([1, 2], [2], no_links()) == 2


def test_many_devices_are_estimated_with_their_links():
    users, devices = kept(range(20_000)), kept(range(100_000, 110_000))
    known = list(zip(devices, users, strict=False))[:500]
    found = counted(users, devices, linked(known))
    assert found == pytest.approx(20_000 + 10_000 * 0.5, rel=0.12)


def test_links_are_the_earliest_over_all_history_and_can_be_left_out(tmp_path):
    def event(minute, **who):
        return {"event_time": NOON + timedelta(minutes=minute), **who}

    store = store_of(
        tmp_path,
        events_of([event(0, install_id="phone", user_id="ada")]),
        events_of([event(60, install_id="phone"), event(61, user_id="ada")]),
        events_of([event(70, install_id="phone", user_id="eve"), event(71, install_id="tablet")]),
    )
    late = TimeSpan(NOON + timedelta(minutes=50), NOON + timedelta(minutes=65))
    every = TimeSpan(NOON, NOON + timedelta(minutes=80))

    def users(span, *, link=True):
        asked = Trends(measures=("users",), span=span, link=link)
        return store.run(asked).result.series[0].total

    assert users(late) == 1
    assert users(late, link=False) == 2
    assert users(every) == 3
    assert users(every, link=False) == 4


def test_a_link_that_comes_later_changes_what_was_answered_before(tmp_path):
    from store.testing import write

    span = TimeSpan(NOON, NOON + timedelta(minutes=15))
    asked = Trends(measures=("users",), span=span)
    store = store_of(tmp_path, events_of([{"install_id": "phone"}, {"user_id": "ada"}]))
    assert store.run(asked).result.series[0].total == 2
    later = NOON + timedelta(hours=1)
    write(tmp_path, events_of([{"event_time": later, "install_id": "phone", "user_id": "ada"}]))
    assert store.run(asked).result.series[0].total == 1


def test_hashes_are_the_same_in_every_version_and_process():
    texts = ["ada", None, "", "ada", "Grüße", "x" * 1_000, "bob"]
    frame = pl.LazyFrame({"session_id": texts}).select(distinct.hashes_of("session_id"))
    for engine in ("streaming", "in-memory"):
        told = frame.collect(engine=engine).to_series().to_list()
        assert told[0] == told[3] == 7_574_285_342_802_214_959
        assert told[1] is told[2] is None
        assert told == [xxhash.xxh3_64_intdigest(text.encode()) if text else None for text in texts]


@pytest.mark.parametrize("texts", [[], [None], [None, None]])
def test_there_may_be_nothing_to_hash(texts):
    found = distinct.hashed(pl.Series("session_id", texts, dtype=pl.String))
    assert found.to_list() == texts
    assert found.dtype == pl.UInt64
