"""Answers as tables and as conditions; query fields as options."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from store.analytics.query import Query, option
from store.analytics.shapes import Answer, Row, Series, Timeline
from store.analytics.shapes import Table as Rows
from store.errors import UsageError
from store.timespan import TimeSpan
from tui.commands.answer_table import pivoted, table_of
from tui.commands.command import Parser
from tui.commands.condition import rows_matching
from tui.commands.console import Console
from tui.commands.fields import add_query_options, given
from tui.commands.progress import Progress

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STARTS = [NOON + timedelta(minutes=at) for at in range(3)]


def answer(result, previous=None, by=("plan",), incomplete_from=None):
    return Answer(
        analysis="x",
        query=Query(by=by),
        as_of=NOON,
        span=TimeSpan(NOON, NOON),
        result=result,
        previous=previous,
        incomplete_from=incomplete_from,
    )


def timeline(*series):
    return Timeline(60.0, STARTS, series)


def cells(table):
    return [tuple(table.columns), *(tuple(row) for row in table.rows)]


def at(minute):
    return NOON + timedelta(minutes=minute)


TWO_PLANS = timeline(
    Series({"plan": "pro"}, [1, 2, 3]), Series({"plan": ""}, [4, 5, 6], folded=True)
)


def test_a_timeline_is_a_row_per_key_and_time():
    assert cells(table_of(answer(TWO_PLANS))) == [
        ("time", "plan", "folded", "count"),
        (at(0), "pro", False, 1),
        (at(1), "pro", False, 2),
        (at(2), "pro", False, 3),
        (at(0), "", True, 4),
        (at(1), "", True, 5),
        (at(2), "", True, 6),
    ]


def test_people_see_a_few_series_side_by_side():
    assert cells(pivoted(answer(TWO_PLANS))) == [
        ("time", "pro", "(others)"),
        (at(0), 1, 4),
        (at(1), 2, 5),
        (at(2), 3, 6),
    ]


def test_measures_are_columns_and_the_previous_period_stands_beside():
    now = timeline(Series({}, [1, 2, 3]), Series({}, [7.5, None, 9.5], measure="p95:duration_ms"))
    before = timeline(Series({}, [4, 5, 6]))
    assert cells(table_of(answer(now, before, by=()))) == [
        ("time", "count", "p95:duration_ms", "previous_count", "previous_p95:duration_ms"),
        (at(0), 1, 7.5, 4, None),
        (at(1), 2, None, 5, None),
        (at(2), 3, 9.5, 6, None),
    ]
    assert pivoted(answer(now, by=())).columns == ("time", "count", "p95:duration_ms")


ROWS = Rows(
    ("value", "share"),
    [
        Row({"plan": "pro"}, {"value": 6, "share": 0.6}),
        Row({"plan": ""}, {"value": 3, "share": 0.3}),
        Row({"plan": ""}, {"value": 1, "share": 0.1}, folded=True),
    ],
)


def test_rows_keep_a_missing_key_and_the_folded_rest_apart():
    assert cells(table_of(answer(ROWS))) == [
        ("plan", "folded", "value", "share"),
        ("pro", False, 6, 0.6),
        ("", False, 3, 0.3),
        ("", True, 1, 0.1),
    ]
    assert cells(pivoted(answer(ROWS))) == [
        ("plan", "value", "share"),
        ("pro", 6, 0.6),
        ("(none)", 3, 0.3),
        ("(others)", 1, 0.1),
    ]


def test_rows_find_their_previous_by_key():
    before = Rows(("value", "share"), [Row({"plan": "pro"}, {"value": 2, "share": 1.0})])
    table = table_of(answer(ROWS, before))
    assert table.columns[-2:] == ["previous_value", "previous_share"]
    assert [row[-2:] for row in table.rows] == [(2, 1.0), (None, None), (None, None)]


def test_nothing_found_is_a_header():
    assert cells(table_of(answer(Rows(("value",), [])))) == [("plan", "value")]
    assert cells(table_of(answer(timeline()))) == [("time", "plan")]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("value>=3", 2),
        ("value>=3 plan=pro", 1),
        ("share<0.2", 1),
        ("folded=True", 1),
        ("plan=nobody", 0),
        ("value>5 or share<0.2", 2),
    ],
)
def test_a_condition_is_a_filter_over_the_rows(condition, rows):
    assert rows_matching(answer(ROWS), condition) == rows


def test_an_interval_that_is_still_running_fails_nothing():
    low_at_the_end = timeline(Series({}, [9, 9, 1]))
    assert rows_matching(answer(low_at_the_end, by=()), "count<5") == 1
    running = answer(low_at_the_end, by=(), incomplete_from=at(2))
    assert rows_matching(running, "count<5") == 0


@pytest.mark.parametrize(
    ("condition", "says"),
    [("vlaue>3", "did you mean value?"), ("value>1s", "'1s' is none"), ("value>", "missing")],
)
def test_a_condition_that_cannot_hold_is_refused(condition, says):
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        rows_matching(answer(ROWS), condition)


@dataclass(frozen=True, kw_only=True, slots=True)
class Toy(Query):
    analysis: ClassVar[str] = "toy"
    events: tuple[str, ...] = option((), "only these, 100 %", metavar="NAME")
    exact: bool = option(False, "read all values")
    mode: str = option("exactly", "how", choices=("exactly", "on-or-after"))
    window: timedelta | None = option(timedelta(days=1), "time to convert")
    share: float = option(0.5, "of all")


def asked(*words):
    parser = Parser("eventdeck query toy", "help", "example")
    add_query_options(parser, Toy)
    assert "100 %" in parser.format_help()
    return dict(given(parser.read(words), Toy))


def test_query_fields_are_options():
    assert asked() == {}
    assert asked(
        *("--event", "a", "--event", "-b", "--exact", "--mode", "on-or-after", "--no-link"),
        *("--window", "none", "--interval", "5m", "--by", "x", "--by", "y", "--limit", "3"),
        *("--share", "0.25", "--where", "-a=1", "--compare", "previous"),
    ) == {
        "events": ("a", "-b"),
        "exact": True,
        "mode": "on-or-after",
        "link": False,
        "window": None,
        "interval": timedelta(minutes=5),
        "by": ("x", "y"),
        "limit": 3,
        "share": 0.25,
        "where": "-a=1",
        "compare": "previous",
    }


@pytest.mark.parametrize(
    "words",
    [("--mode", "loosely"), ("--limit", "many"), ("--interval", "5 parsecs"), ("--share", "x")],
)
def test_a_value_of_the_wrong_kind_is_refused(words):
    with pytest.raises(UsageError):
        asked(*words)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_for_terminals_only():
    for err, quiet, drawn in (
        (Terminal(), False, True),
        (Terminal(), True, False),
        (io.StringIO(), False, False),
    ):
        with Progress(Console(err=err, quiet=quiet), "checking") as progress:
            progress.show(1, 4)
        assert ("25%" in err.getvalue()) is drawn
        assert err.getvalue().endswith("\x1b[K") is drawn


def test_what_rests_on_few_is_marked_for_people_and_named_in_csv():
    rows = Rows(
        ("count", "p95", "p99"),
        [
            Row({"plan": "pro"}, {"count": 100, "p95": 8.5, "p99": 9.25}),
            Row({"plan": "free"}, {"count": 7, "p95": 7.0, "p99": 7.5}, few=("p95", "p99")),
            Row({"plan": ""}, {"count": 20, "p95": 7.0, "p99": None}, folded=True, few=("p99",)),
        ],
    )
    assert cells(table_of(answer(rows)))[:3] == [
        ("plan", "folded", "count", "p95", "p99", "few"),
        ("pro", False, 100, 8.5, 9.25, ""),
        ("free", False, 7, 7.0, 7.5, "p95 p99"),
    ]
    assert pivoted(answer(rows)).lines(bold=False) == [
        "plan      count  p95   p99",
        "pro         100  8.5  9.25",
        "free          7   *7  *7.5",
        "(others)     20    7     ·",
        "* rests on too few values: a p95 needs 20, a p99 100, a p99.9 1,000",
    ]


def test_what_rested_on_few_before_is_marked_there():
    now = Rows(("p99",), [Row({"plan": "pro"}, {"p99": 9.0})])
    before = Rows(("p99",), [Row({"plan": "pro"}, {"p99": 8.0}, few=("p99",))])
    lines = pivoted(answer(now, before)).lines(bold=False)
    assert lines[:2] == ["plan  p99  previous_p99", "pro     9            *8"]


@pytest.mark.parametrize("across", [2, 9])
def test_points_that_rest_on_few_are_marked(across):
    series = [
        Series({"plan": f"{at}"}, [1.0, None, 3.0], "p99:d", few=(True, False, False))
        for at in range(across)
    ]
    table = pivoted(answer(timeline(*series)))
    assert sum("*1" in line for line in table.lines(bold=False)) == (1 if across == 2 else across)
    assert table.legend.startswith("* rests on too few")
    assert table_of(answer(timeline(*series))).columns[-1] == "few"


def test_conditions_read_what_rests_on_few_as_any_other():
    rows = Rows(("p99",), [Row({"plan": "pro"}, {"p99": 900.0}, few=("p99",))])
    assert rows_matching(answer(rows), "p99>500") == 1


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        ((0.041, 0.012, 0.07), "+4.1 points (1.2 to 7.0)"),
        ((-0.041, -0.07, -0.012), "-4.1 points (-7.0 to -1.2)"),
        ((0.0, -0.2775, 0.2775), "+0.0 points (-27.8 to 27.8)"),
        ((-0.0001, -0.0004, 0.0004), "+0.0 points (0.0 to 0.0)"),
    ],
)
def test_a_difference_of_shares_is_told_in_points_with_its_interval(gap, text):
    columns = ("difference", "difference_low", "difference_high")
    rows = Rows(columns, [Row({"plan": "pro"}, dict(zip(columns, gap, strict=True)))])
    assert cells(table_of(answer(rows)))[1] == ("pro", *gap)
    assert pivoted(answer(rows)).lines(bold=False)[1] == f"pro   {text}"


def test_what_lies_in_a_bucket_without_an_end_is_told_to_be_no_less():
    series = Series({}, [20.0, 5.0, None], "p99", at_least=(True, False, False), few=(True,) * 3)
    told = answer(timeline(series), by=())
    assert cells(table_of(told)) == [
        ("time", "p99", "few", "at_least"),
        (at(0), 20.0, "p99", "p99"),
        (at(1), 5.0, "p99", ""),
        (at(2), None, "p99", ""),
    ]
    lines = pivoted(told).lines(bold=False)
    assert [line.split("  ")[-1].strip() for line in lines[1:4]] == ["*≥20", "*5", "·"]
    assert lines[4].endswith("; ≥ lies in the last bucket, which has no end")


def test_signs_stand_at_names_with_blanks_too():
    few = (True,) * 3
    series = [Series({"plan": plan}, [1.0] * 3, "p99:my ms", few=few) for plan in "abcdefghij"]
    shown = pivoted(answer(timeline(*series))).lines(bold=False)
    assert all(line.endswith("*1") for line in shown[1:-1])
