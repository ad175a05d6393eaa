from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sample_data.copies import BLOCK, block, copy_shifted, demo_history
from sample_data.storing import END, LENGTH, STORE, sample
from sample_data.world import BAD_VERSION, COLD_VERSION
from store.analytics.retention import Retention
from store.event_store import EventStore
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from store.schema import FIXED
from store.timespan import TimeSpan

HOUR = timedelta(hours=1)
NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def read(root):
    """Everything in a store, through the store's own door."""
    snapshot = Catalog(StoreFolder.open(root)).snapshot()
    assert not snapshot.skipped
    columns = {name for part in snapshot.parts for name in part.columns}
    return scan(snapshot.parts, columns, None).collect().sort("event_time", "event_id")


@pytest.fixture(scope="module")
def events():
    return read(STORE)


def test_the_committed_store_is_small_and_whole(events):
    size = sum(path.stat().st_size for path in STORE.rglob("*") if path.is_file())
    assert size < 2_000_000
    assert events.height > 30_000
    assert events["event_id"].n_unique() == events.height
    first, last = events["event_time"].min(), events["event_time"].max()
    assert END - LENGTH <= first < END - LENGTH + HOUR / 4
    assert END - HOUR / 4 < last < END


def test_the_seed_makes_the_committed_store_again(events):
    again = sample().sort("event_time", "event_id")
    assert again.height == events.height
    assert set(again.columns) <= set(events.columns)
    exact = ["event_id", "event_time", "event_name", "user_id", "service_version", "message"]
    assert again.select(exact).equals(events.select(exact))
    assert again["duration_ms"].sum() == pytest.approx(events["duration_ms"].sum(), rel=1e-6)


def test_attributes_have_their_types(events):
    for name in set(events.columns) & set(FIXED):
        assert events.schema[name] == FIXED[name], name
    assert not [name for name in events.columns if name.startswith("attr.")]
    assert events.schema["input_tokens"].is_integer()
    assert events.schema["success"] == pl.Boolean
    assert set(events["metric_kind"].drop_nulls()) == {"gauge", "counter", "histogram"}


def test_it_looks_like_the_world(events):
    users = events.drop_nulls("user_id").group_by("user_id").len().sort("len", descending=True)
    top_tenth = users.head(users.height // 10)["len"].sum()
    assert top_tenth > 0.3 * users["len"].sum()
    assert any(not name.isascii() for name in users["user_id"])
    ties = events.group_by("event_time", "session_id").len().filter(pl.col("len") > 1)
    assert ties.height > 100
    late = events.filter(pl.col("received_time") - pl.col("event_time") > 10 * HOUR / 60)
    assert 0.001 < late.height / events.height < 0.03
    for missing in ("user_id", "country", "browser", "region"):
        assert events[missing].null_count() > 0, missing


def test_few_visitors_go_all_the_way(events):
    by_step = {
        step: events.filter(pl.col("event_name") == step)["session_id"].n_unique()
        for step in ("page_view", "add_to_cart", "checkout", "purchase")
    }
    counts = list(by_step.values())
    assert counts == sorted(counts, reverse=True)
    assert 0.02 < by_step["purchase"] / by_step["page_view"] < 0.1


def test_queries_belong_to_the_request_of_their_trace(events):
    spans = events.filter(pl.col("event_type") == "span").drop_nulls("trace_id")
    requests = spans.filter(pl.col("event_name") == "http.server.request")
    queries = spans.filter(pl.col("event_name") == "db.query")
    known = queries.join(
        requests,
        left_on=["trace_id", "parent_span_id"],
        right_on=["trace_id", "span_id"],
        how="semi",
    )
    # The request of a few is told later than the store ends.
    assert known.height > 0.99 * queries.height
    assert spans["span_id"].n_unique() == spans.height


def test_the_bad_deploy_shows_and_is_rolled_back(events):
    requests = events.filter(pl.col("event_name") == "http.server.request")
    by_version = {
        version: (
            rows["duration_ms"].quantile(0.95),
            (rows["severity"] >= 17).fill_null(value=False).mean(),
        )
        for (version,), rows in requests.group_by("service_version")
    }
    bad_p95, bad_errors = by_version.pop(BAD_VERSION)
    assert len(by_version) >= 2
    by_version.pop(COLD_VERSION)
    for p95, errors in by_version.values():
        assert bad_p95 > 2 * p95
        assert bad_errors > 0.05 > errors
    deploys = events.filter(pl.col("event_name").str.starts_with("deploy_")).sort("event_time")
    assert deploys.select("event_name", "service_version").rows() == [
        ("deploy_finished", "1.8.1"),
        ("deploy_finished", BAD_VERSION),
        ("deploy_rolled_back", "2.3.0"),
        ("deploy_finished", "2.3.2"),
        ("deploy_finished", COLD_VERSION),
    ]


def test_a_copy_holds_the_same_day_ending_now(tmp_path, events):
    copy_shifted(tmp_path / "copy", NOW)
    copied = read(tmp_path / "copy")
    assert copied.height == events.height
    shift = NOW - END
    for column in ("event_time", "received_time"):
        assert copied[column].equals(events[column] + shift)
    assert copied["event_name"].equals(events["event_name"])
    assert not set(copied["event_id"]) & set(events["event_id"])
    assert copied["event_id"].n_unique() == copied.height


def test_the_demo_has_one_height_from_a_day_ago_to_what_comes_live(tmp_path):
    for write in demo_history(tmp_path / "demo", NOW, seed=5):
        write()
    history = read(tmp_path / "demo").filter(pl.col("event_type") != "metric")
    assert history["event_id"].n_unique() == history.height
    assert history["event_time"].max() < NOW

    def per_second(start, end):
        told = history.filter(pl.col("event_time").is_between(start, end, closed="left"))
        return told["sample_rate"].fill_null(1).sum() / (end - start).total_seconds()

    live = pl.concat(
        [block(NOW, number, seed=5) for number in (-1, 0)], how="diagonal_relaxed"
    ).filter(pl.col("event_time").is_between(NOW, NOW + BLOCK))
    rates = [
        per_second(NOW - HOUR, NOW - 33 * HOUR / 60),
        per_second(NOW - 30 * HOUR / 60, NOW - 15 * HOUR / 60),
        per_second(NOW - 15 * HOUR / 60, NOW),
        live.height / BLOCK.total_seconds(),
    ]
    assert max(rates) < 1.6 * min(rates), rates
    assert 60 < rates[-1] < 200, rates


def test_the_demos_trouble_is_one_user_a_hundred_times():
    events = block(NOW, 0, seed=5)
    trouble = events.filter(pl.col("message").str.contains("EACCES"))
    assert trouble.height == 100
    assert trouble["user_id"].unique().to_list() == ["ada"]
    assert trouble["event_name"].unique().to_list() == ["tool_error"]
    assert trouble["service_version"].unique().to_list() == ["1.9.0"]
    (rollout,) = events.filter(pl.col("event_name") == "deploy_finished")["event_time"]
    assert rollout == NOW + timedelta(minutes=1)
    assert rollout < trouble["event_time"].min() < rollout + timedelta(seconds=30)
    assert not events.filter(pl.col("service_version") == "1.9.0")["event_time"].min() < rollout


def test_fewer_come_back_with_each_hour_and_no_more_where_the_demo_is_dense(tmp_path):
    for write in demo_history(tmp_path / "demo", NOW, seed=5):
        write()
    store = EventStore(tmp_path / "demo", now=lambda: NOW)
    query = Retention(span=TimeSpan(NOW - 23 * HOUR, NOW), interval=HOUR, periods=20)
    cohorts = [row.values for row in store.run(query).result.rows]
    mean = [share.share for share in cohorts.pop()["shares"]]
    assert 0.5 > mean[1] > mean[2] > mean[4] > mean[8] > 0.01, mean
    old = [each for each in cohorts if each["start"] < NOW - 5 * HOUR]
    newest = sum(each["retained"][-1] for each in old) / sum(each["size"] for each in old)
    assert newest < mean[3], newest
