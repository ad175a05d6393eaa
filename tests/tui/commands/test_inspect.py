"""What is stored, and whether it can be read."""

import json
from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2025, 11, 22, 12, tzinfo=UTC)


def test_inspect_counts_what_is_stored(eventdeck, stored):
    stored(plan=["pro", "free"], event_name=["a", "b"])
    document = json.loads(eventdeck("inspect", "--json").out)
    assert document["events"] == 2
    assert document["parts"] == 1
    assert document["event_names"] == 2
    assert document["first_event_time"] == "2025-11-22T12:00:00Z"
    assert document["last_event_time"] == "2025-11-22T12:00:01Z"
    assert document["tally"]["received"] == document["tally"]["stored"] == 2
    assert document["bytes"] > 0
    assert document["generation"]


def test_inspect_of_nothing_is_zeros(eventdeck):
    done = eventdeck("inspect", "--json")
    assert done.code == 0
    document = json.loads(done.out)
    assert (document["events"], document["parts"], document["first_event_time"]) == (0, 0, None)
    assert "first event time  ·" in eventdeck("inspect").out


def test_inspect_names_the_files_that_count(eventdeck, stored):
    (part,) = stored(plan=["pro"])
    assert eventdeck("inspect", "--files").out == f"{part.path}\n"
    assert json.loads(eventdeck("inspect", "--files", "--json").out)["files"] == [str(part.path)]


def test_inspect_for_people_has_columns_and_tally(eventdeck, stored):
    stored(**{"pl\x1ban": ["pro"]})
    lines = eventdeck("inspect").out.splitlines()
    assert "events            1" in lines
    assert "stored            1" in lines
    assert "intake native     1" in [line.replace("  1", " 1", 0) for line in lines]
    assert any(line.startswith("pl␛an") and line.endswith("String") for line in lines)


def test_a_sound_store_is_a_0(eventdeck, stored):
    stored(plan=["pro", "free"])
    done = eventdeck("check", "--json")
    assert done.code == 0
    document = json.loads(done.out)
    assert document["ok"] is True
    assert (document["events"], document["unique_event_ids"], document["parts"]) == (2, 2, 1)
    assert (document["unreadable"], document["staged"], document["quarantined"]) == (0, 0, 0)
    assert eventdeck("check").out.splitlines()[-1] == "sound"


@pytest.mark.parametrize("fault", ["flipped", "cut"])
def test_a_broken_part_is_a_1_and_named(eventdeck, stored, fault):
    (part,) = stored(plan=["pro"])
    stored(plan=["free"])
    content = bytearray(part.path.read_bytes())
    if fault == "cut":
        content = content[:-5]
    else:
        content[10] ^= 1
    part.path.write_bytes(content)
    done = eventdeck("check", "--json")
    assert done.code == 1
    assert (json.loads(done.out)["ok"], json.loads(done.out)["unreadable"]) == (False, 1)
    assert str(part.path) in done.err


def test_a_query_says_when_parts_of_its_time_cannot_be_read(eventdeck, stored):
    stored(plan=["pro"])
    (part,) = stored(plan=["free"])
    part.path.write_bytes(b"")
    done = eventdeck("query", "trends", "--json")
    assert (done.code, json.loads(done.out)["unreadable_parts"]) == (0, 1)
    assert "a part of this time cannot be read" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("query", "top"),
        ("query", "top", "--since", "2025-11-22", "--until", "2025-11-23T12:00"),
        ("sql", "SELECT count(*) FROM events"),
        ("export", "-"),
        ("tail", "--once", "--last", "1000w"),
    ],
)
def test_a_part_that_cannot_be_read_is_told_also_where_it_was_the_first_or_last(
    eventdeck, stored, words
):
    stored(plan=["pro"])
    (part,) = stored(plan=["free"], start=NOON - timedelta(days=1))
    (other,) = stored(plan=["free"], start=NOON + timedelta(days=1))
    part.path.write_bytes(b"")
    other.path.write_bytes(b"")
    lost = "a part" if "--since" in words else "2 parts"
    assert f"{lost} of this time cannot be read" in eventdeck(*words).err
    assert f"{lost} of this time cannot be read" not in eventdeck(*words, "--quiet").err


@pytest.mark.parametrize(
    "words",
    [
        ("query", "top", "--by", "text"),
        ("sql", "SELECT text FROM events"),
        ("export", "-"),
        ("export", "-", "--format", "csv"),
        ("tail", "--once", "--last", "1000w"),
    ],
)
def test_bytes_that_no_reader_understands_cost_their_part_alone(eventdeck, stored, words):
    stored(text=["one of those that are whole"])
    (part,) = stored(text=[f"text {number}" for number in range(2000)], start=NOON)
    content = bytearray(part.path.read_bytes())
    content[200:-2000] = b"\xff" * len(content[200:-2000])
    part.path.write_bytes(content)
    done = eventdeck(*words)
    assert done.code == 0, done
    assert "one of those that are whole" in done.out
    assert "text 7" not in done.out
    assert "a part of this time cannot be read" in done.err


def test_parts_of_other_days_are_not_missed(eventdeck, stored):
    stored(plan=["pro"])
    (part,) = stored(plan=["free"], start=NOON - timedelta(days=9))
    part.path.write_bytes(b"")
    span = ("--since", "2025-11-22", "--until", "2025-11-23")
    for words in (("query", "top"), ("sql", "SELECT 1 FROM events"), ("export", "-")):
        assert "cannot be read" not in eventdeck(*words, *span).err


def test_an_id_that_is_there_twice_is_a_1(eventdeck, stored):
    stored(event_id=["same"])
    stored(event_id=["same"])
    done = eventdeck("check")
    assert done.code == 1
    assert "same is there 2 times" in done.err


def test_the_numbers_are_a_row_of_csv(eventdeck, stored):
    (part,) = stored(plan=["pro", "free"])
    header, row = eventdeck("inspect", "--csv").out.splitlines()
    assert header.startswith("events,parts,bytes,first_event_time,")
    assert row.startswith("2,1,")
    assert eventdeck("inspect", "--files", "--csv").out == f"path\n{part.path}\n"
    assert eventdeck("check", "--csv").out.splitlines()[0].startswith("ok,events,")
