from tui.views.health import collector_facts


def lines(stats):
    facts = collector_facts("http://127.0.0.1:4318", {"uptime_seconds": 1, **stats})
    return [(fact.label, fact.number) for fact in facts]


def test_the_last_round_of_maintenance_is_told_once_there_was_one():
    round_of = {"seconds": 1.26, "files_added": 1, "files_removed": 33, "faults": ["a: broken"]}
    assert ("last maintenance", "1.3") in lines({"maintenance": round_of})
    assert "a: broken" in [name for name, _ in lines({"maintenance": round_of})]
    assert "last maintenance" not in [name for name, _ in lines({"maintenance": None})]


def test_dead_letters_are_counted_once_there_are_some():
    told = lines({"dead_letters": {"letters": 3, "left_out": 2}})
    assert ("dead letters", "3") in told
    assert ("rejected without a letter", "2") in told
    assert "dead letters" not in [name for name, _ in lines({"dead_letters": {"letters": 0}})]
