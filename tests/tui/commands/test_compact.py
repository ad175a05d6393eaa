import json

from store.maintenance.maintainer import Maintainer
from store.parts.layout import StoreFolder
from store.settings import Settings


def parts_of(eventdeck):
    return json.loads(eventdeck("inspect", "--json").out)["parts"]


def test_compact_makes_one_part_of_a_day_and_says_so(eventdeck, stored):
    stored(plan=["pro", "free"])
    stored(plan=["pro"])
    assert eventdeck("compact").out == "merge 2 parts of 2025-11-22, 3 events: its time is over\n"
    assert parts_of(eventdeck) == 1
    assert eventdeck("compact").out == "nothing to do\n"
    assert eventdeck("check").code == 0


def test_a_dry_run_prints_the_plan_and_changes_nothing(eventdeck, stored, store):
    stored(plan=["pro"])
    stored(plan=["pro"])
    (planned,) = json.loads(eventdeck("compact", "--dry-run", "--json").out)["planned"]
    assert (planned["job"], planned["date"], planned["events"]) == ("compaction", "2025-11-22", 2)
    assert len(planned["merge"]) == 2
    assert parts_of(eventdeck) == 2
    assert not (store / "maintenance.json").exists()


def test_the_report_for_scripts_counts_files(eventdeck, stored):
    stored(plan=["pro"])
    stored(plan=["pro"])
    report = json.loads(eventdeck("compact", "--json").out)
    assert (report["files_added"], report["files_removed"], report["faults"]) == (1, 0, [])


def test_a_part_that_cannot_be_read_is_told_and_left(eventdeck, stored):
    stored(plan=["pro"])
    (part,) = stored(plan=["pro"])
    stored(plan=["pro"])
    spoiled = bytearray(part.path.read_bytes())
    spoiled[20] ^= 1
    part.path.write_bytes(spoiled)
    done = eventdeck("compact")
    assert done.code == 1
    assert "checksum" in done.err
    assert part.path.exists()


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
