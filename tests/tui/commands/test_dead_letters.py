"""What was rejected, listed."""

import json

import pytest


@pytest.fixture
def rejected(eventdeck, tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_text('{"n": 1}\n{"event_name": "a"}\n{"event_name": "\\u001b[2J", \n')
    eventdeck("import", path)


def test_a_line_for_each_the_newest_last(eventdeck, rejected):
    done = eventdeck("dead-letters")
    assert done.code == 0
    header, first, second = done.out.splitlines()
    assert header.split() == ["time", "intake", "reason", "place", "fault", "content"]
    assert "events.ndjson:3" in first + second
    assert "no_name" in done.out
    assert "\x1b" not in done.out


def test_as_json_with_what_the_folder_takes(eventdeck, rejected):
    found = json.loads(eventdeck("dead-letters", "--limit", "1", "--json").out)
    (letter,) = found["letters"]
    assert (letter["intake"], found["files"]) == ("import", 1)
    assert found["bytes"] > 0


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_a_list_of_none_is_refused(eventdeck, rejected, limit):
    done = eventdeck("dead-letters", "--limit", limit)
    assert (done.code, done.out) == (2, "")


def test_nothing_is_said_so(eventdeck, store):
    assert eventdeck("dead-letters").out == "nothing was rejected\n"
    assert json.loads(eventdeck("dead-letters", "--json").out)["letters"] == []
