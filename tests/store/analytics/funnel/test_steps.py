"""Steps and exclusions as people write them."""

from datetime import timedelta

import pytest

from store.analytics.funnel.analysis import Funnel, FunnelAnalysis
from store.analytics.funnel.definition import definition_of
from store.analytics.funnel.steps import exclusion_of, exclusion_of_text, step_of, step_of_text
from store.errors import UsageError
from store.testing import journeys
from tests.store.analytics.funnel.asking import SPAN, counts, told


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("signup", "signup"),
        ("  sign up  ", "sign up"),
        ("*", "*"),
        ("optional", "optional"),
        ("pay optional", {"name": "pay", "optional": True}),
        ("pay first-time optional", {"name": "pay", "optional": True, "first_time": True}),
        ("pay where plan=pro", {"name": "pay", "where": "plan=pro"}),
        (
            "pay where plan=pro or x=1 first-time",
            {"name": "pay", "where": "plan=pro or x=1", "first_time": True},
        ),
        ("pay within 10m", {"name": "pay", "within": "10m"}),
        (
            "pay where plan=pro within 90s optional",
            {"name": "pay", "where": "plan=pro", "within": "90s", "optional": True},
        ),
        ('"pay within 10m"', "pay within 10m"),
        ('"pay" within 1h30m', {"name": "pay", "within": "1h30m"}),
        ("came within reach", "came within reach"),
        ('"a where b"', "a where b"),
        ("'a where b' where c=d", {"name": "a where b", "where": "c=d"}),
        ('"pay optional"', "pay optional"),
        ('"pay" optional', {"name": "pay", "optional": True}),
        (r'"say \"hi\""', 'say "hi"'),
        ('"hi" there', '"hi" there'),
        ("it's", "it's"),
        ("$pageview / [x] (y) — ü", "$pageview / [x] (y) — ü"),
    ],
)
def test_a_step_on_the_command_line(text, held):
    usual = {"where": None, "optional": False, "first_time": False}
    assert step_of_text(text) == ({**usual, **held} if isinstance(held, dict) else held)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("x", ("x", 1, 4)),
        ("x between 2 3", ("x", 2, 3)),
        ("x where y=1 between 1 2", ("x", 1, 2)),
        ('"x between 1 2"', ("x between 1 2", 1, 4)),
    ],
)
def test_an_exclusion_on_the_command_line(text, held):
    found = exclusion_of(exclusion_of_text(text), 4)
    assert (found.name, found.after, found.before) == held


@pytest.mark.parametrize("name", ["a where b", "pay optional", '"q"', "x between 1 2", " "])
def test_in_json_a_name_is_taken_as_it_is(name):
    assert step_of(name).name == name
    assert step_of({"name": name}).name == name


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"steps": ()}, "there are none"),
        ({"window": "zero"}, "0s is no time"),
        ({"order": "orderd"}, "ordered, strict, unordered"),
        ({"count": "all"}, "users, attempts"),
        ({"attribution": "step:3"}, "step:3"),
        ({"attribution": "middle"}, "first, last, all"),
        ({"exclude": ({"name": "x", "after": 2, "before": 1},)}, "between steps 2 and 1 of 2"),
        ({"exclude": ({"name": "x", "after": "1"},)}, "after is '1'"),
        ({"steps": ({"nam": "x"},)}, "did you mean name"),
        ({"steps": ({"name": ""},)}, "no name"),
        ({"steps": ({"name": "x", "optional": "yes"},)}, "optional is 'yes'"),
        ({"steps": ({"name": "x", "where": 3},)}, "where is 3"),
        ({"steps": ({"name": "x", "where": "a=("},)}, None),
        ({"steps": ({"name": "x", "where": "(a=1"},)}, "never closed"),
        ({"steps": ({"name": "x", "optional": True}, "y")}, "first one cannot be optional"),
        ({"order": "unordered", "steps": ("x", {"name": "y", "optional": True})}, "optional"),
        ({"break_on": "a=1"}, "strict"),
        ({"steps": ("a", {"name": "b", "within": 0})}, "b: within 0 is no time to come in"),
        ({"steps": ("a", {"name": "b", "within": "soon"})}, "b: within is 'soon', .*no duration"),
        ({"steps": ("a", {"name": "b", "within": True})}, "within is True, wanted a duration"),
        ({"steps": ({"name": "a", "within": "1m"}, "b")}, "1 a: within 1m .*the first has none"),
        ({"steps": ("a", {"name": "b", "within": "2d"})}, "2 b: .*longer than the window of 1d"),
        ({"steps": ("a", {"name": "b", "within": 5}), "order": "unordered"}, "any|unordered"),
        (
            {"steps": ("a", {"name": "b", "optional": True, "within": 5}), "order": "strict"},
            "2 b: .*optional",
        ),
        ({"steps": ("x",) * 61}, "61"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(options, says):
    if "window" in options:
        options = {"window": timedelta()}
    query = Funnel(**{"steps": ("a", "b"), **options})
    if says is None:
        assert definition_of(query)
        return
    with pytest.raises(UsageError, match=says):
        FunnelAnalysis().columns(query)


def test_a_span_in_the_future_is_empty():
    later = SPAN.shifted(timedelta(days=400))
    assert told(journeys(ada="a b"), "a", "b", span=later) == (0, 0)


def test_a_window_of_ages_is_a_window():
    assert counts("a", "b", options={"window": timedelta(days=999_999_999)}, ada="a b") == (1, 1)
