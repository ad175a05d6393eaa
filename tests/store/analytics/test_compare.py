"""What is different about these events: planted differences come first, chance says nothing."""

import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.compare import Compare
from store.analytics.differences import differences
from store.analytics.query_json import answer_json, query_json, query_of_json
from store.errors import UsageError
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan
from tests.cases import cases

HOUR = timedelta(hours=1)
SPAN = TimeSpan(NOON, NOON + HOUR)


def made(count, *, start=NOON, seed=1, **planted):
    """Events a second apart with attributes by chance, and those that are `planted` (a function of
    the place).
    """
    chance = random.Random(seed)
    return [
        {
            "event_time": start + timedelta(seconds=at * 3_600 / count),
            "event_id": f"{seed}-{at:06}",
            "plan": chance.choice(["free", "pro", "team"]),
            "region": chance.choice(["eu", "us"]),
            "size": chance.gauss(50, 10),
            "request": f"{seed}-{at}",
            **{name: of(at) for name, of in planted.items()},
        }
        for at in range(count)
    ]


def told(tmp_path, rows, **options):
    options = {"span": SPAN, **options}
    return answer_json(store_of(tmp_path, events_of(rows)).run(Compare(**options)))


def by_attribute(answer):
    return {row["attribute"]: row for row in answer["result"]["rows"]}


def test_against_the_span_before_what_changed_comes_first(tmp_path):
    before = made(300, start=NOON - HOUR, seed=2, version=lambda at: "1.0")
    after = made(300, version=lambda at: "2.0" if at % 4 else "1.0")
    found = told(tmp_path, [*before, *after])
    row = found["result"]["rows"][0]
    assert (row["attribute"], row["value"]) == ("version", "2.0")
    assert (row["share"], row["share_against"], row["score"]) == (0.75, 0.0, 0.75)
    assert (row["n"], row["n_against"], row["lift"]) == (300, 300, None)
    assert row["low"] < 0.75 < row["high"]
    assert found["events_scanned"] == 600
    assert found["exact"]


def test_without_a_difference_nothing_is_said_but_how_much_was_tried(tmp_path):
    found = told(tmp_path, [*made(300, start=NOON - HOUR, seed=2), *made(300)])
    assert found["result"]["rows"] == []
    assert found["result"]["summary"]["tried"] >= 3


def test_a_selection_against_a_filter_or_the_rest(tmp_path):
    rows = made(400, browser=lambda at: "ie" if at % 5 == 0 else "firefox")
    for at, row in enumerate(rows):
        row["ok"] = not (row["browser"] == "ie" and at % 10 < 8)
    for against in ("browser=firefox", "rest", {"browser": {"$ne": "ie"}}):
        found = told(tmp_path / str(len(str(against))), rows, where="browser=ie", against=against)
        (row,) = found["result"]["rows"]
        assert (row["attribute"], row["value"]) == ("ok", "false")
        assert (row["share_against"], row["n"], row["n_against"]) == (0.0, 80, 320)
        assert "browser" in found["result"]["summary"]["left_out"]["in_filters"]


def test_what_both_filters_find_belongs_to_the_selection_alone(tmp_path):
    rows = made(200, kind=lambda at: "a" if at < 100 else "b")
    found = told(tmp_path, rows, where="kind=a", against="kind=*")
    assert found["result"]["summary"]["selection"] == 100
    assert found["result"]["summary"]["baseline"] == 100


def test_a_measure_is_told_by_the_distance_of_its_distributions_and_both_medians(tmp_path):
    before = made(300, start=NOON - HOUR, seed=2, took=lambda at: 100.0 + at / 7)
    after = made(300, took=lambda at: 200.0 + at / 7)
    row = by_attribute(told(tmp_path, [*before, *after]))["took"]
    assert row["score"] == 1.0
    assert row["value"].startswith("> 1")
    assert (row["share"], row["share_against"]) == (1.0, 0.0)
    assert row["median"] == pytest.approx(221, rel=0.01)
    assert row["median_against"] == pytest.approx(121, rel=0.01)


def test_a_measure_of_few_values_is_told_value_by_value(tmp_path):
    before = made(300, start=NOON - HOUR, seed=2, status=lambda at: 200)
    after = made(300, status=lambda at: 500 if at % 3 == 0 else 200)
    row = by_attribute(told(tmp_path, [*before, *after]))["status"]
    assert row["value"] in ("200", "500")
    assert row["score"] == pytest.approx(1 / 3)
    assert row["value"] == "500"


def test_missing_counts_as_a_value(tmp_path):
    before = made(100, start=NOON - HOUR, seed=2, note=lambda at: "x", took=lambda at: at / 3)
    after = made(100, note=lambda at: None if at % 2 else "x", took=lambda at: None)
    rows = by_attribute(told(tmp_path, [*before, *after]))
    assert (rows["note"]["value"], rows["note"]["share"]) == ("", 0.5)
    assert (rows["took"]["value"], rows["took"]["share"]) == ("", 1.0)


def test_identifiers_are_left_out_and_said(tmp_path):
    found = told(tmp_path, [*made(300, start=NOON - HOUR, seed=2), *made(300)])
    assert found["result"]["summary"]["left_out"]["identifiers"] == ["request"]


def test_nineteen_events_say_nothing_twenty_do(tmp_path):
    before = made(100, start=NOON - HOUR, seed=2, version=lambda at: "1")
    for count, attributes in ((19, set()), (20, {"version"})):
        after = made(count, version=lambda at: "2")
        found = told(tmp_path / str(count), [*before, *after])
        assert by_attribute(found).keys() == attributes


def test_other_baselines_lie_where_they_are_said_to(tmp_path):
    week = [*made(50, start=NOON - timedelta(days=7), seed=3, mark=lambda at: "week")]
    before = [*made(50, start=NOON - 3 * HOUR, seed=4, mark=lambda at: "before")]
    rows = [*week, *before, *made(50, mark=lambda at: "now")]
    last = told(tmp_path / "a", rows, against="last-week")
    assert last["result"]["summary"]["baseline"] == 50
    assert by_attribute(last)["mark"]["share_against"] == 0.0
    assert told(tmp_path / "b", rows, against="before")["result"]["summary"]["baseline"] == 50
    assert told(tmp_path / "c", rows)["result"]["summary"]["baseline"] == 0


def test_many_events_are_looked_at_in_part_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("store.analytics.compare.EXACT_MAX", 200)
    before = made(900, start=NOON - HOUR, seed=2, version=lambda at: "1")
    rows = [*before, *made(900, version=lambda at: "2" if at % 2 else "1")]
    found = told(tmp_path, rows)
    assert not found["exact"]
    row = by_attribute(found)["version"]
    assert row["n"] < 200
    assert row["score"] == pytest.approx(0.5, abs=0.15)
    exact = told(tmp_path / "all", rows, exact=True)
    assert exact["exact"]
    assert by_attribute(exact)["version"]["n"] == 900


def test_the_query_can_be_sent_back_and_nonsense_is_a_sentence(tmp_path):
    query = Compare(span=SPAN, where="a=1", against={"b": 2})
    assert query_of_json(Compare, query_json(query), now=NOON) == query
    store = store_of(tmp_path, events_of(made(30)))
    for options, says in (
        ({"against": "plan=="}, "filter"),
        ({"by": ("plam",)}, "did you mean plan"),
    ):
        with pytest.raises(UsageError, match=says):
            store.run(Compare(span=SPAN, **options))


def test_only_the_attributes_that_were_asked_for(tmp_path):
    before = made(300, start=NOON - HOUR, seed=2, version=lambda at: "1", kind=lambda at: "1")
    rows = [*before, *made(300, version=lambda at: "2", kind=lambda at: "2")]
    found = told(tmp_path, rows, attributes=("version",))
    assert by_attribute(found).keys() == {"version"}
    assert found["result"]["summary"]["tried"] == 1


def test_nothing_is_no_error(tmp_path):
    assert answer_json(store_of(tmp_path).run(Compare()))["result"]["rows"] == []
    future = TimeSpan(NOON + 500 * HOUR, NOON + 501 * HOUR)
    found = told(tmp_path / "some", made(30), span=future)
    assert found["result"]["rows"] == []


def counted(values):
    """Values as a profile has them."""
    frame = pl.DataFrame({"attribute": "a", "value": values}, schema_overrides={"value": pl.String})
    sums = frame.group_by("attribute", "value").agg(pl.len().cast(pl.Int64).alias("n"))
    absent = {"code": pl.Int32, "low": pl.Float64, "high": pl.Float64}
    return sums.with_columns(
        pl.col("n").cast(pl.Float64).alias("weight"),
        *(pl.lit(None, kind).alias(name) for name, kind in absent.items()),
    ).select("attribute", "value", "code", "n", "weight", "low", "high")


@settings(max_examples=cases(15))
@given(
    values=st.lists(st.sampled_from("abcdef"), min_size=40, max_size=120),
    seed=st.integers(0, 1_000_000),
)
def test_shuffled_labels_give_nothing(values, seed):
    """But for one in twenty, of which Bonferroni's correction leaves fewer."""
    chance = random.Random(seed)
    hits = 0
    for _ in range(20):
        chance.shuffle(values)
        half = len(values) // 2
        hits += len(differences(counted(values[:half]), counted(values[half:]))[0])
    assert hits <= 6


@settings(max_examples=cases(40))
@given(values=st.lists(st.sampled_from("abc"), min_size=60, max_size=120))
def test_a_planted_value_is_found_with_its_shares(values):
    half = len(values) // 2
    planted = ["z"] * half + values[half:]
    (found,), tried = differences(counted(planted), counted(values))
    assert (found.value, tried) == ("z", 1)
    assert found.share == half / len(values)
    assert found.score == half / len(values)


def test_within_each_value_its_own_difference_is_told(tmp_path):
    def versions(side):
        return lambda at: side if at % 4 == 3 else "1.0"

    def team(at):
        return ["red", "blue", "blue", None][at % 4]

    before = made(1200, start=NOON - HOUR, seed=2, team=team, os=lambda at: "mac")
    after = made(1200, team=team, os=lambda at: "win" if team(at) == "blue" else "mac")
    for row in (*before, *after):
        row["shift"] = "day"
    found = told(tmp_path, [*before, *after], by=("team", "shift"))
    blue, *others = found["result"]["breakdown"]
    assert blue["key"] == {"team": "blue", "shift": "day"}
    assert [group["key"]["team"] for group in others] == ["", "red"]
    assert [(row["attribute"], row["value"], row["share"]) for row in blue["rows"]] == [
        ("os", "win", 1.0)
    ]
    assert [group["rows"] for group in others] == [[], []]
    assert blue["summary"] == {"selection": 600, "baseline": 600}
    assert found["result"]["summary"]["tried_within"] >= 6
    assert [row["attribute"] for row in found["result"]["rows"]] == ["os"]


def test_broken_down_the_whole_stays_as_it_is_and_what_is_past_the_limit_is_one(tmp_path):
    before = made(900, start=NOON - HOUR, seed=2, team=lambda at: f"t{at % 9}")
    after = made(900, team=lambda at: f"t{at % 9}", os=lambda at: "win" if at % 9 > 1 else None)
    plain = told(tmp_path / "1", [*before, *after], attributes=("os", "plan", "size"))["result"]
    split = told(
        tmp_path / "2", [*before, *after], by=("team",), limit=2, attributes=("os", "plan", "size")
    )["result"]
    assert split["rows"] == plain["rows"]
    *_, rest = split["breakdown"]
    assert [group["key"]["team"] for group in split["breakdown"]] == ["t0", "t1", ""]
    assert (rest["folded"], rest["summary"]["selection"]) == (True, 700)
    assert rest["rows"][0]["attribute"] == "os"


def test_a_breakdown_by_what_nobody_sent_is_refused(tmp_path):
    with pytest.raises(UsageError, match="did you mean plan"):
        told(tmp_path, made(40), by=("plam",))


def test_each_value_is_compared_as_if_it_were_alone(tmp_path):
    before = made(1500, start=NOON - HOUR, seed=2, team=lambda at: "ab"[at % 3 == 0])
    after = made(1500, seed=3, team=lambda at: "ab"[at % 3 == 0])
    for at, row in enumerate(after):
        row["plan"] = "pro" if at % 2 else row["plan"]
        row["size"] += 5 * (row["team"] == "b")
    rows = [*before, *after]
    for row in told(tmp_path / "all", rows, by=("team",))["result"]["breakdown"]:
        (team,) = row["key"].values()
        alone = told(tmp_path / team, rows, where=f"team={team}")["result"]["rows"]
        assert row["rows"] == alone
        assert {each["attribute"] for each in row["rows"]} >= {
            "a": {"plan"},
            "b": {"plan", "size"},
        }[team]
