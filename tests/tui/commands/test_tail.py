"""Events as lines: what is shown, in which order, and that nothing is shown twice."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tui.commands import tail
from tui.commands.command import Parser
from tui.commands.console import Console

ROOT = Path(__file__).parents[3]
ALL = ("tail", "--last", "10000d", "--once")
NOON = datetime(2025, 11, 22, 12, tzinfo=UTC)


def test_json_lines_hold_what_an_event_has_and_no_more(eventdeck, stored):
    stored(plan=["pro", None], n=[None, 3], duration_ms=[1.5, None], ok=[True, None])
    lines = [json.loads(line) for line in eventdeck(*ALL, "--json").out.splitlines()]
    assert [{k: v for k, v in line.items() if k != "received_time"} for line in lines] == [
        {
            "event_id": "e000000",
            "event_time": "2025-11-22T12:00:00Z",
            "event_type": "log",
            "event_name": "visit",
            "duration_ms": 1.5,
            "ok": True,
            "plan": "pro",
        },
        {
            "event_id": "e000001",
            "event_time": "2025-11-22T12:00:01Z",
            "event_type": "log",
            "event_name": "visit",
            "n": 3,
        },
    ]


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "12:00:00Z"),
        (500_000, "12:00:00.5Z"),
        (120_030, "12:00:00.12003Z"),
        (1, "12:00:00.000001Z"),
    ],
)
def test_times_keep_their_microseconds(eventdeck, stored, micro, text):
    stored(NOON + timedelta(microseconds=micro), plan=["x"])
    assert json.loads(eventdeck(*ALL, "--json").out)["event_time"] == f"2025-11-22T{text}"


def test_a_line_for_people_says_the_telling_things_first(eventdeck, stored):
    stored(
        severity=[17],
        service_name=["api"],
        event_name=["tool_error"],
        message=["EACCES:\n\x1b[31mdenied"],
        user_id=["ada b"],
        ok=[True],
    )
    assert eventdeck(*ALL).out == (
        '2025-11-22T12:00:00Z error   api tool_error EACCES:␊␛[31mdenied user_id="ada b" ok=true\n'
    )


def test_only_wanted_events_in_the_order_of_their_time(eventdeck, stored):
    stored(NOON + timedelta(hours=2), n=[4, 5])
    stored(NOON - timedelta(days=1), n=[1, 2])
    stored(NOON, n=[3])
    done = eventdeck(*ALL, "--json", "--where", "n>=2 -n=4")
    assert [json.loads(line)["n"] for line in done.out.splitlines()] == [2, 3, 5]


def test_a_store_that_is_not_there_yet_has_no_events(eventdeck):
    assert eventdeck(*ALL) == (0, "", "")


def test_new_events_are_shown_once_and_old_ones_are_not(store, stored):
    stored(n=[1])
    running = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "tail", "--json", "--store", str(store), "--last", "1h"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stored(datetime.now(UTC), n=[2])
        stored(datetime.now(UTC), n=[3])
        seen = [json.loads(running.stdout.readline())["n"] for _ in range(2)]
    finally:
        running.send_signal(2)
        out, err = running.communicate(timeout=60)
    assert sorted(seen) == [2, 3]
    assert (running.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(("started", "shown"), [(NOON, 1), (NOON + timedelta(seconds=1), 0)])
def test_what_landed_while_it_started_is_new(store, stored, monkeypatch, started, shown):
    stored(n=[1])  # received at NOON by the clock of the test's writer
    naps = iter([None])

    def sleep(_):
        if next(naps, "over") == "over":
            raise KeyboardInterrupt

    monkeypatch.setattr(tail, "time", SimpleNamespace(sleep=sleep))
    parser = Parser("tail", "", "")
    tail.configure(parser, ())
    out = io.StringIO()
    options = parser.read(["--store", str(store)])
    assert tail.run(options, Console(out=out, now=lambda: started)) == 0
    assert out.getvalue().count("n=1") == shown


def test_a_field_that_no_event_has_so_far_is_told(eventdeck, stored):
    stored(user_id=["ada"])
    done = eventdeck(*ALL, "--where", "usr_id=ada")
    assert done == (0, "", "eventdeck: no event has usr_id so far; did you mean user_id?\n")
