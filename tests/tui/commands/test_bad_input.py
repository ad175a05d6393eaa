"""Every analysis on the command line with every wrong answer to "how?": a sentence and a 2, or an
answer that is JSON; never a traceback, never an empty word.
"""

import json
from itertools import cycle

import pytest

from store.analytics.registry import ANALYSES
from tests.tui.commands.conftest import NOON

WANTED = {
    "funnel": ("--step", "visit", "--step", "pay"),
    "funnel-trend": ("--step", "visit", "--step", "pay"),
    "drivers": ("--step", "visit", "--step", "pay"),
    "went": ("--way", "visit"),
    "compare": ("--where", "plan=pro"),
    "adoption": ("--feature", "pay"),
}
REFUSED = {
    "a filter": ("--where", "message=~["),
    "a limit of nothing": ("--limit", "0"),
    "a limit below nothing": ("--limit", "-5"),
    "a limit past all numbers": ("--limit", "9" * 20),
    "a span that ends before it begins": ("--since", "2025-11-22", "--until", "2025-11-21"),
    "no time at all": ("--last", "0s"),
    "what to compare with": ("--compare", "next"),
    "a condition": ("--fail-if", "nosuch<2"),
}
ANSWERED = {
    "nothing else": (),
    "a span in the future": ("--since", "2030-01-01", "--until", "2030-01-02"),
    "a span of no length": ("--since", "2025-11-22T12:00", "--until", "2025-11-22T12:00"),
    "a field that is none": ("--where", "nosuch=1"),
    "text where a number is": ("--where", "plan>3"),
    "a name that is none": ("--where", "event_name=nosuch"),
    "a large limit": ("--limit", "4294967296"),
    "the span before": ("--compare", "previous"),
}
OF_SOME = {
    "a window of nothing": ("--window", "0s"),
    "a step without a name": ("--step", ""),
    "a step's number": ("--attribution", "step:9"),
    "users slower than no duration": ("--users", "--slower-than", "soon"),
    "slower users that nobody asked for": ("--slower-than", "10m"),
    "a step's time that is none": ("--step", "pay within 0s"),
    "a step's time without a unit": ("--step", "pay within 10x"),
    "a step's time beyond the window": ("--step", "pay within 3d"),
    "a step's time in any order": ("--step", "pay within 1h", "--order", "unordered"),
    "a gap of nothing": ("--session-gap", "0s"),
    "a depth below nothing": ("--depth", "-1"),
    "an offset below nothing": ("--offset", "-1"),
    "an offset past all numbers": ("--offset", "9" * 20),
    "no periods": ("--periods", "0"),
    "more periods than a table holds": ("--periods", "100000000"),
    "no returns": ("--min-returns", "0"),
    "points past counting": ("--interval", "1us", "--last", "1d"),
    "an instant that is none": ("--at", "soon"),
    "an instant of another time": ("--at", "2020-01-01"),
    "a release that nobody has": ("--release", "nosuch"),
    "a release without a name": ("--release", ""),
    "a window of no length": ("--rolling", "0s"),
    "a window of less than nothing": ("--rolling", "-1d"),
    "a window that is no whole number of points": ("--rolling", "90m", "--interval", "1h"),
    "a window past all times": ("--rolling", "36500d", "--interval", "100d"),
    "a window in no unit": ("--rolling", "7"),
    "a breakdown by what is none": ("--by", "nosuch"),
    "a subject that is none": ("--per", "nosuch"),
    "text where numbers are needed": ("--of", "plan"),
    "a measure of text": ("--measure", "sum:plan"),
    "a measure of nothing": ("--measure", "sum:"),
}
"""What some of them have as an option; where it is one, it is refused or means nothing to them."""
STORES = ("empty", "of one event", "without any value", "of a few")


def put(stored, kind):
    if kind == "of one event":
        stored(plan=["pro"], duration_ms=[1.0])
    elif kind == "without any value":
        stored(plan=[None, None], duration_ms=[None, None], user_id=[None, None])
    elif kind == "of a few":
        stored(
            event_name=["visit", "pay", "visit", "pay"],
            user_id=["ada", "ada", "bob", None],
            plan=["pro", "free", None, "pro"],
            order=["o1", "o2", "o3", "o4"],
            duration_ms=[1.0, -5.0, 1e300, None],
        )


def ask(eventdeck, analysis, words):
    done = eventdeck("query", analysis, *WANTED.get(analysis, ()), *words, "--json")
    assert "internal error" not in done.err
    assert done.code in (0, 2), done
    if done.code == 2:
        assert done.out == ""
        assert done.err.startswith("eventdeck")
    else:
        json.loads(done.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    return done


KINDS = dict(zip((entry.name for entry in ANALYSES), cycle(STORES[1:]), strict=False))


@pytest.mark.parametrize(("analysis", "kind"), KINDS.items())
def test_whatever_is_asked_is_answered_or_refused_with_a_sentence(
    eventdeck, stored, analysis, kind
):
    put(stored, kind)
    for words in REFUSED.values():
        done = ask(eventdeck, analysis, words)
        assert (done.code, words) == (2, words), done.err
        assert "years 1 to 9999" not in done.err
    for words in ANSWERED.values():
        assert (ask(eventdeck, analysis, words).code, words) == (0, words)
    there = eventdeck("query", analysis, "--help").out
    for words in (words for words in OF_SOME.values() if words[0] in there):
        assert "years 1 to 9999" not in ask(eventdeck, analysis, words).err


@pytest.mark.parametrize("analysis", [entry.name for entry in ANALYSES])
def test_an_empty_store_answers_everything(eventdeck, analysis):
    assert ask(eventdeck, analysis, ()).code == 0
    ask(eventdeck, analysis, ("--by", "plan", "--by", "order", "--compare", "previous"))


@pytest.mark.parametrize("kind", STORES)
def test_what_an_answer_cannot_have_fails_no_condition(eventdeck, stored, kind):
    put(stored, kind)
    words = ("--step", "nosuch", "--step", "pay", "--fail-if", "conversion<0.05", "--json")
    done = eventdeck("query", "funnel", *words, "--since", NOON.isoformat(), "--last", "1h")
    assert done.code == 1, done
    assert json.loads(done.out)["result"]["steps"][1]["conversion"] == 0


@pytest.mark.parametrize(
    ("analysis", "asked"),
    [
        ("trends", {"measures": []}),
        ("trends", {"measures": "x"}),
        ("trends", {"limit": 1.5}),
        ("trends", {"by": {"a": 1}}),
        ("top", {"where": {"plan": {"$nosuch": 1}}}),
        ("top", {"where": {"$or": 5}}),
        ("funnel", {"steps": []}),
        ("funnel", {"steps": [1]}),
        ("funnel", {"steps": ["a", {"name": "b", "nosuch": 1}]}),
        ("funnel", {"steps": ["a", {"name": None}]}),
        ("funnel", {"steps": ["a"], "window": -1}),
        ("funnel", {"steps": [{"name": "a", "within": "10m"}, "b"]}),
        ("funnel", {"steps": ["a", {"name": "b", "within": -1}]}),
        ("funnel", {"steps": ["a", {"name": "b", "within": True}]}),
        ("funnel", {"steps": ["a", {"name": "b", "within": "soon"}]}),
        ("funnel", {"steps": ["a", {"name": "b", "within": 1e300}]}),
        ("funnel", {"steps": ["a"], "window": True}),
        ("funnel", {"steps": ["a", "b"], "exclude": [{"name": "x", "after": "1"}]}),
        ("retention", {"periods": True}),
        ("retention", {"start_event": {"name": 3}}),
        ("retention", {"start_event": {"nosuch": "a"}}),
        ("sessions", {"session_gap": None}),
        ("sessions", {"offset": -1}),
        ("transitions", {"share_of": "x"}),
        ("drop-off", {"per": "cart"}),
        ("increase", {"measure": "decrease"}),
        ("names", {"points": 0}),
        ("names", {"points": 10**9}),
        ("paths", {"depth": "many"}),
        ("paths", {"per_step": 0}),
        ("paths", {"from": {"name": "a", "nosuch": 1}}),
        ("paths", {"from": {"name": 3}}),
        ("step-matrix", {"depth": 0}),
        ("step-matrix", {"depth": 10**9}),
        ("step-matrix", {"to": ["pay"]}),
        ("paths", {"only": "a", "nosuch": 1}),
    ],
)
def test_a_question_as_json_that_makes_no_sense_is_a_sentence(
    eventdeck, stored, tmp_path, analysis, asked
):
    put(stored, "of a few")
    file = tmp_path / "q.json"
    file.write_text(json.dumps(asked))
    done = eventdeck("query", analysis, "--query", file, "--json")
    assert (done.code, done.out) == (2, ""), done
    assert "internal error" not in done.err
