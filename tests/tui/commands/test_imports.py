"""Files into the store, and what is said about them."""

import io
import json

import pytest


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(
        "when,event,plan\n"
        "2025-11-22 12:00:00,signup,pro\n"
        "soon,signup,\x1b[31mred\n"
        "2025-11-22 13:00:00,pay,free\n"
    )
    return path


MAPPED = ("--map", "event_time=when", "--map", "event_name=event", "--set", "event_type=behavioral")


def test_a_receipt_says_what_became_of_every_row(eventdeck, shop):
    done = eventdeck("import", shop, *MAPPED, "--json")
    assert done.code == 1
    receipt = json.loads(done.out)
    assert (receipt["received"], receipt["stored"], receipt["rejected"]) == (3, 2, 1)
    assert receipt["errors"][0]["place"] == "shop.csv:3"
    rows = eventdeck("tail", "--last", "10000d", "--once", "--json").out.splitlines()
    assert [json.loads(row)["event_type"] for row in rows] == ["behavioral"] * 2


def test_people_read_a_sentence_and_what_was_wrong(eventdeck, shop):
    done = eventdeck("import", shop, *MAPPED)
    assert done.code == 1
    assert done.out == "3 received: 2 stored, 1 rejected\n"
    assert done.err.startswith("eventdeck: shop.csv:3: ")
    assert (
        eventdeck("import", shop, *MAPPED).out == "3 received: 0 stored, 2 duplicate, 1 rejected\n"
    )


def test_a_receipt_is_a_row_of_csv(eventdeck, shop):
    assert eventdeck("import", shop, *MAPPED, "--csv").out == (
        "received,stored,filtered,sampled_out,duplicate,rejected,dropped\n3,2,0,0,0,1,0\n"
    )


def test_times_without_a_zone_follow_tz(eventdeck, shop):
    eventdeck("import", shop, *MAPPED, "--tz", "Europe/Berlin", "--quiet")
    inspected = json.loads(eventdeck("inspect", "--json").out)
    assert inspected["first_event_time"] == "2025-11-22T11:00:00Z"


def test_standard_input_is_a_dash(eventdeck, monkeypatch):
    lines = io.TextIOWrapper(
        io.BufferedReader(io.BytesIO(b'{"event_name": "a"}\n{"event_name": "b"}\n'))
    )
    monkeypatch.setattr("sys.stdin", lines)
    done = eventdeck("import", "-", "--format", "ndjson")
    assert (done.code, done.out) == (0, "2 received: 2 stored\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("/no/such.csv",), "/no/such.csv"),
        (("/",), "folder"),
        (("-", "--format", "xml"), "xml"),
        (("x.csv", "--map", "event_time"), "'event_time' is not FIELD=…"),
        (("x.csv", "--set", "=3"), "'=3' is not FIELD=…"),
        (("x.csv", "--set", "a=1", "--set", "a=2"), "a is given twice"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(eventdeck, words, says):
    done = eventdeck("import", *words)
    assert (done.code, done.out) == (2, ""), done
    assert says in done.err
    assert done.err.count("\n") == 1


def test_ordinary_logs_are_taken_when_asked_for(eventdeck, tmp_path):
    path = tmp_path / "app.log"
    path.write_text('starting\n{"level": "info", "msg": "up"}\nlevel=warn msg=down\n')
    done = eventdeck("import", path)
    assert (done.code, done.out) == (0, "0 received: 0 stored\n")
    assert "--logs" in done.err
    assert eventdeck("import", path, "--logs").out == "2 received: 2 stored\n"
