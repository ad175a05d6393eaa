"""What one picks the settings of funnels and cohorts from; each choice is the text that a view keeps."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from store.errors import UsageError
from store.timespan import duration_text, parse_duration
from tui.formatting import length as spoken
from tui.view_state import LENGTHS
from tui.views.funnel_question import (
    COUNTS,
    ORDERS,
    UNLIMITED,
    USER,
    VALUES,
    suited_window,
)
from tui.views.retention_question import INTERVALS, suited_interval
from tui.widgets.picker import Choice

WINDOW_MIN: Final = timedelta(seconds=10)
_MEANT: Final = {
    "ordered": "other events may lie between",
    "strict": "nothing else of theirs between",
    "unordered": "all of them, in any order",
}
# Whose steps one asks for most, and in what words.
_USUAL: Final = {"user_id": "users", "session_id": "sessions", "install_id": "devices"}


def window_choices(length: timedelta) -> list[Choice[str]]:
    """What suits a span of that length first."""
    suited = Choice("as suits the span", "", spoken(suited_window(length)))
    rungs = [rung for rung in LENGTHS if rung >= WINDOW_MIN]
    named = [Choice(duration_text(rung), duration_text(rung)) for rung in rungs]
    return [suited, Choice("any time", UNLIMITED, "no limit"), *named]


def read_window(text: str) -> tuple[str, str]:
    """A window in free text, and what it means; a UsageError says what it is not."""
    found = parse_duration(text)
    if found <= timedelta():
        raise UsageError("window", "nothing is no time to convert in", next_step="write 1d")
    return duration_text(found), f"from the first step to the last in {spoken(found)}"


def interval_choices(length: timedelta) -> list[Choice[str]]:
    """The widths of periods, the one that suits a span of that length first."""
    suited = Choice("as suits the span", "", spoken(suited_interval(length)))
    return [suited, *(Choice(duration_text(each), duration_text(each)) for each in INTERVALS)]


def read_interval(text: str) -> tuple[str, str]:
    """A width in free text, and what it means; a UsageError says what it is not."""
    found = parse_duration(text)
    if found <= timedelta():
        raise UsageError("period", "nothing is no period", next_step="write 1d")
    return duration_text(found), f"a period is {spoken(found)} long"


def order_choices() -> list[Choice[str]]:
    return [Choice(words, name, _MEANT[name]) for name, words in ORDERS.items()]


def count_choices() -> list[Choice[str]]:
    return [Choice(words, name, name) for name, words in COUNTS.items()]


def value_choices(steps: Sequence[str]) -> list[Choice[str]]:
    """Whose value of a breakdown counts, also that of a step by its number."""
    named = [Choice(words, name, name) for name, words in VALUES.items()]
    of_steps = [
        Choice(f"the value at {at} {step}", f"step:{at}", f"step:{at}")
        for at, step in enumerate(steps, 1)
    ]
    return [*named, *of_steps]


def per_choices(names: Sequence[str]) -> list[Choice[str]]:
    """Users, sessions, devices, then any attribute."""
    usual = [Choice(words, name, name) for name, words in _USUAL.items() if name in names]
    rest = [Choice(n, n) for n in names if n not in _USUAL and not n.startswith("_")]
    first = usual if USER in names else [Choice("users", USER), *usual]
    return [*first, *rest]
