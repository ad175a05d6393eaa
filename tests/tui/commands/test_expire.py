import json


def parts_of(eventdeck):
    return json.loads(eventdeck("inspect", "--json").out)["parts"]


def test_expire_lets_old_events_go_and_keeps_what_they_add_up_to(eventdeck, stored):
    stored(plan=["pro", "free"])
    before = json.loads(eventdeck("inspect", "--json").out)["tally"]
    planned = eventdeck("expire", "--dry-run").out
    assert "roll up" in planned
    assert "expire 1 parts of 2025-11-22 with 2 events: age" in planned
    assert parts_of(eventdeck) == 1
    done = eventdeck("expire")
    assert done.code == 0
    assert "expire 1 parts of 2025-11-22 with 2 events: age" in done.out
    after = json.loads(eventdeck("inspect", "--json").out)
    assert (after["parts"], after["tally"]) == (0, before)


def test_a_dry_run_for_scripts_names_the_files(eventdeck, stored):
    (part,) = stored(plan=["pro"])
    planned = json.loads(eventdeck("expire", "--dry-run", "--json").out)["planned"]
    (expired,) = [each for each in planned if each["job"] == "expiry"]
    assert expired["expire"] == [{"path": str(part.path), "why": "age"}]


def test_young_events_stay(eventdeck, store):
    assert eventdeck("expire").out == "nothing to do\n"
