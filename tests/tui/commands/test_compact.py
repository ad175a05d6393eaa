import json

import pytest

from store.maintenance.maintainer import Maintainer
from store.parts.layout import StoreFolder
from store.settings import Settings


def parts_of(eventdeck):
    return json.loads(eventdeck("inspect", "--json").out)["parts"]


def test_compact_makes_one_part_of_a_day_and_says_so(eventdeck, stored):
    stored(plan=["pro", "free"])
    stored(plan=["pro"])
    merged = "merge 2 parts of 2025-11-22, 3 events: its time is over\n"
    assert eventdeck("compact").out == f"verify 2 parts\n{merged}"
    assert parts_of(eventdeck) == 1
    assert eventdeck("compact").out == "verify 1 parts\n"
    assert eventdeck("compact").out == "nothing to do\n"
    assert eventdeck("check").code == 0


def test_a_dry_run_prints_the_plan_and_changes_nothing(eventdeck, stored, store):
    stored(plan=["pro"])
    stored(plan=["pro"])
    verified, planned = json.loads(eventdeck("compact", "--dry-run", "--json").out)["planned"]
    assert (verified["job"], len(verified["verify"])) == ("quarantine", 2)
    assert (planned["job"], planned["date"], planned["events"]) == ("compaction", "2025-11-22", 2)
    assert len(planned["merge"]) == 2
    assert parts_of(eventdeck) == 2
    assert not (store / "maintenance.json").exists()


def test_the_report_for_scripts_counts_files(eventdeck, stored):
    stored(plan=["pro"])
    stored(plan=["pro"])
    report = json.loads(eventdeck("compact", "--json").out)
    assert (report["files_added"], report["files_removed"], report["faults"]) == (1, 0, [])
    assert report["quarantined"] == []


def flipped(content):
    return content[:20] + bytes([content[20] ^ 1]) + content[21:]


def cut_off(content):
    return content[:-9]


@pytest.mark.parametrize(("ruin", "why"), [(flipped, "checksum"), (cut_off, "cut off")])
def test_a_broken_part_is_told_and_moved_and_the_others_are_merged(
    eventdeck, stored, store, ruin, why
):
    stored(plan=["pro"])
    (part,) = stored(plan=["pro"])
    stored(plan=["pro"])
    part.path.write_bytes(ruin(part.path.read_bytes()))
    done = eventdeck("compact")
    assert done.code == 1
    assert f"move {part.path.name} to quarantine" in done.out
    moved = store / "quarantine" / part.path.parent.name / part.path.name
    assert str(moved) in done.err
    assert why in done.err
    assert why in json.loads(moved.with_name(f"{moved.name}.json").read_bytes())["fault"]
    assert not part.path.exists()
    assert parts_of(eventdeck) == 1
    assert eventdeck("compact").code == 0


def test_a_dry_run_leaves_a_broken_part_where_it_is_and_says_what_would_be_done(eventdeck, stored):
    (part,) = stored(plan=["pro"])
    part.path.write_bytes(cut_off(part.path.read_bytes()))
    done = eventdeck("compact", "--dry-run")
    assert f"move {part.path.name} to quarantine" in done.out
    assert part.path.exists()


def test_what_is_not_surely_broken_is_left(eventdeck, stored, monkeypatch):
    (part,) = stored(plan=["pro"])
    with monkeypatch.context() as newer:
        newer.setattr("store.parts.footer.FORMAT", 2)
        (later,) = stored(plan=["pro"])
    assert eventdeck("compact").code == 0
    assert part.path.exists()
    assert later.path.exists()


def test_another_maintainer_is_waited_for_and_then_named(eventdeck, stored, store, monkeypatch):
    monkeypatch.setattr("tui.commands.compact.PATIENCE_SECONDS", 0.1)
    stored(plan=["pro"])
    with Maintainer(StoreFolder.open(store), Settings(store=store)):
        done = eventdeck("compact")
    assert done.code == 3
    assert "another process maintains this store" in done.err


def test_compact_of_nothing_does_nothing(eventdeck, store):
    assert eventdeck("compact").out == "nothing to do\n"
    assert not store.exists()
