"""Funnels on the command line."""

import json

import pytest
import xxhash

PEOPLE = ["ada", "bob", "ada", "bob", "bob"]


@pytest.fixture
def visits(stored):
    stored(
        subject_hash=[xxhash.xxh3_64_intdigest(name.encode()) for name in PEOPLE],
        event_name=["signup", "signup", "pay", "x", "signup where"],
        user_id=PEOPLE,
        plan=["pro", "free", "pro", None, "free"],
    )


def answer(done):
    assert done.code == 0, done.err
    return json.loads(done.out)


FUNNEL = ("query", "funnel", "--step", "signup", "--step", "pay")


def test_a_funnel_is_a_row_a_step(eventdeck, visits):
    done = eventdeck(*FUNNEL, "--csv")
    assert done.out.splitlines() == [
        (
            "at,step,count,conversion,conversion_from_previous,drop_off,still_possible,"
            "median_seconds,mean_seconds"
        ),
        "1,signup,2,1,1,0,0,,",
        "2,pay,1,0.5,0.5,1,0,2,2",
    ]


def test_its_json_is_as_promised(eventdeck, visits):
    words = ("--users", "--by", "plan", "--attribution", "step:1", "--window", "none")
    told = answer(eventdeck(*FUNNEL, *words, "--json"))
    assert told["query"]["window"] is None
    assert [group["key"] for group in told["result"]["breakdown"]] == [
        {"plan": "free"},
        {"plan": "pro"},
    ]
    assert told["result"]["users"]["ada"] == {
        "level": 2,
        "step_times": ["2025-11-22T12:00:00Z", "2025-11-22T12:00:02Z"],
    }
    assert [step["step"] for step in told["result"]["steps"]] == ["signup", "pay"]


def test_the_same_question_comes_as_json(eventdeck, visits, tmp_path):
    words = ("--step", '"signup where" where plan=free', "--exclude", "x between 1 2")
    first = answer(eventdeck("query", "funnel", "--step", "signup", *words, "--json"))
    assert [step["count"] for step in first["result"]["steps"]] == [1, 0]
    again = tmp_path / "again.json"
    again.write_text(json.dumps(first["query"]))
    second = answer(eventdeck("query", "funnel", "--query", again, "--json"))
    assert second["result"] == first["result"]
    again.write_text('{"steps": ["signup where", {"name": "x"}], "window": 60}')
    assert answer(eventdeck("query", "funnel", "--query", again, "--json"))["result"]["steps"]


def test_people_see_who_and_other_windows(eventdeck, visits):
    out = eventdeck(*FUNNEL, "--users", "--sensitivity", "--by", "plan", "--limit", "1").out
    assert "ada   " in out
    assert "(others)  2   pay" in out
    assert "43200" in out


def test_a_conversion_that_is_too_low_fails(eventdeck, visits):
    assert eventdeck(*FUNNEL, "--fail-if", "conversion<0.6").code == 1
    assert eventdeck(*FUNNEL, "--fail-if", "conversion<0.5").code == 0
    assert eventdeck(*FUNNEL, "--fail-if", "step=pay median_seconds>1").code == 1


def test_a_name_that_nobody_sent_is_told(eventdeck, visits):
    done = eventdeck("query", "funnel", "--step", "Sign-up", "--step", "pay", "--csv")
    assert done.err == "eventdeck: no event is named Sign-up; did you mean signup?\n"
    assert eventdeck(*FUNNEL).err == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--window", "0s"), "window: 0s"),
        (("--step", ""), "it has no name"),
        (("--step", "pay where plan=("), None),
        (("--step", "pay where (plan=x"), "never closed"),
        (("--step", "pay where plann=x"), "did you mean plan"),
        (("--by", "plann"), "did you mean plan"),
        (("--attribution", "step:9"), "step:9"),
        (("--exclude", "x between 2 1"), "between steps 2 and 1"),
        (("--order", "any"), "--order"),
    ],
)
def test_what_makes_no_sense_is_a_2_and_a_sentence(eventdeck, visits, words, says):
    done = eventdeck(*FUNNEL, *words)
    if says is None:
        assert done.code == 0
        return
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_why(eventdeck, visits):
    told = answer(eventdeck("why", "bob", *FUNNEL[2:], "--exclude", "x", "--json"))["result"]
    assert (told["outcome"], told["ended_by"], told["level"]) == ("spoiled", "x", 1)
    assert [step["time"] for step in told["steps"]] == ["2025-11-22T12:00:01Z", None]
    done = eventdeck("why", "ada", *FUNNEL[2:])
    assert (done.code, done.err) == (0, "")
    assert "converted" in done.out
    assert eventdeck("why", *FUNNEL[2:]).code == 2


def test_somebody_of_whom_there_is_nothing_is_told(eventdeck, visits):
    done = eventdeck("why", "adda", *FUNNEL[2:])
    assert done.err == "eventdeck: no event of these steps is of adda\n"


def test_the_trend_and_the_drivers(eventdeck, visits):
    words = FUNNEL[2:]
    points = answer(eventdeck("query", "funnel-trend", *words, "--interval", "1m", "--json"))
    assert points["result"]["points"] == [
        {"start": "2025-11-22T12:00:00Z", "entered": 2, "converted": 1, "conversion": 0.5}
    ]
    rows = answer(eventdeck("query", "drivers", *words, "--json"))["result"]["rows"]
    assert [row["event_name"] for row in rows] == ["signup where", "x"]
    assert eventdeck("query", "drivers", *words, "--of", "attributes", "--csv").code == 0


def test_a_trend_broken_down_of_nothing_is_empty_and_says_which_names_are_none(eventdeck, stored):
    stored(plan=["pro"])
    words = ("--step", "visit", "--step", "pay", "--by", "plan", "--json")
    done = eventdeck("query", "funnel-trend", *words)
    assert answer(done)["result"]["breakdown"] == []
    assert "no event is named pay" in done.err


def test_a_trend_broken_down_tells_of_no_name_when_the_rarest_value_converts_nobody(
    eventdeck, visits
):
    words = ("--step", "signup", "--step", "pay", "--by", "plan", "--json")
    done = eventdeck("query", "funnel-trend", *words)
    assert [group["key"]["plan"] for group in answer(done)["result"]["breakdown"]] == [
        "free",
        "pro",
    ]
    assert done.err == ""


def test_the_difference_to_the_span_before_is_told_in_points(eventdeck, visits):
    words = ("--since", "2025-11-22T12:00", "--until", "2025-11-22T12:01", "--compare", "previous")
    told = answer(eventdeck(*FUNNEL, *words, "--json"))
    assert [step["difference"] for step in told["compared"]["steps"]] == [None, None]
    head, _, last = eventdeck(*FUNNEL, *words, "--csv").out.splitlines()
    cells = dict(zip(head.split(","), last.split(","), strict=True))
    assert (cells["difference"], cells["difference_low"], cells["difference_high"]) == ("",) * 3
    assert "points" not in eventdeck(*FUNNEL, *words).out
    halves = ("--since", "2025-11-22T12:00:01", "--until", "2025-11-22T12:00:02", *words[4:])
    shown = eventdeck("query", "funnel", "--step", "*", "--step", "pay", *halves).out
    assert "-100.0 points (" in shown


def test_few_people_are_told_one_by_one_instead_of_in_shares(eventdeck, visits):
    out = eventdeck(*FUNNEL).out.splitlines()
    assert out[:3] == [
        "user_id  level  way               outcome    then",
        "ada          2  signup ▸ +2s pay  converted",
        "bob          1  signup            stopped    x",
    ]
    assert "1 of 2" in out[-1]
    assert "0.5" in eventdeck(*FUNNEL, "--csv").out
    by_plan = eventdeck(*FUNNEL, "--by", "plan").out.splitlines()
    assert by_plan[1].split()[:2] == ["ada", "pro"]


def test_twenty_people_are_told_in_shares(eventdeck, stored):
    names = [f"u{at}" for at in range(20)]
    subjects = [xxhash.xxh3_64_intdigest(name.encode()) for name in names]
    stored(subject_hash=subjects, event_name=["signup"] * 20, user_id=names)
    assert "of 20" not in eventdeck(*FUNNEL).out
    fewer = eventdeck(*FUNNEL, "--where", "-user_id=u3").out
    assert "0 of 19" in fewer
    assert "u19" in fewer


def test_names_of_few_people_and_of_what_they_did_are_harmless_and_short(eventdeck, stored):
    evil = "\x1b]0;owned\x07" + "x" * 300
    subjects = [xxhash.xxh3_64_intdigest(evil.encode())] * 3
    stored(subject_hash=subjects, event_name=["a", evil, evil], user_id=[evil] * 3)
    done = eventdeck("query", "funnel", "--step", "a", "--step", evil, "--step", "*")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines()[:2])) < 200


def test_equal_steps_say_how_many_times(eventdeck, visits):
    words = ("--step", "signup", "--step", "*", "--step", "*", "--step", "signup where plan=x")
    out = eventdeck("query", "funnel", *words).out
    for label in ("signup ▸ ", "* (2 times)", "signup where plan=x"):
        assert label in out
    names = [
        step["step"]
        for step in answer(eventdeck("query", "funnel", *words, "--json"))["result"]["steps"]
    ]
    assert names == ["signup", "*", "*", "signup"]
