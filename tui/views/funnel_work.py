"""What is done off the event loop for the funnel screen: the questions, one after the other where
one needs the answer of another.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from store.analytics.shapes import Answer, Steps
from store.timespan import TimeSpan, duration_text
from tui.store_door import Cancelled, Store
from tui.view_state import Seen
from tui.views.funnel_question import (
    COUNTS,
    ORDERS,
    USER,
    VALUES,
    Definition,
    definition_of,
    driver_questions,
    funnel_questions,
    proposed,
)
from tui.views.journey import journey_of
from tui.views.people import People, people_of, stop_of, with_next
from tui.views.proposal import propose
from tui.views.reasons import Reasons, reasons_of
from tui.views.sequences import TELLING, sequences
from tui.views.steps import Stop
from tui.widgets.definition_line import Said

if TYPE_CHECKING:
    from store.analytics.funnel.analysis import Funnel

SENSITIVE_MAX: Final = 300_000
"""Of more events, other windows are asked for on the command line."""
# Clocks of those who send may be a little ahead.
AHEAD: Final = timedelta(minutes=1)


def funnel_work(
    seen: Seen, interval: timedelta, known: Definition | None
) -> Callable[[Store, Cancelled], Mapping[str, Any]]:
    """Gives `definition`, and with steps the answers `steps` and `trend`; where nothing is drilled into,
    `few` people's ways or the shares in other `windows`; `people`, `journey` and `why` where the view asks for them. Steps that nobody wrote are looked for once: `known` keeps
    them.
    """
    stop = stop_of(seen.view.option("who"))
    user, why = seen.view.option("user"), seen.view.option("why")

    def work(store: Store, cancelled: Cancelled) -> Mapping[str, Any]:
        definition = _defined(store, seen, known, cancelled)
        found: dict[str, Any] = {"definition": definition}
        if not definition.steps:
            return found
        questions = dict(funnel_questions(definition, seen, interval))
        if stop:
            # Of attempts, those who made them; else the numbers of the steps, and who they are.
            people = "people" if definition.count == "attempts" else "steps"
            questions[people] = definition.query(seen, users=True, by=(), count="users")
            questions.pop("trend", None)
        answers = store.run_all(tuple(questions.values()), cancelled=cancelled)
        found |= dict(zip(questions, answers, strict=True))
        found["steps"] = _told_apart(found["steps"])
        if not (stop or user or why):
            found |= _beside(store, definition.query(seen), found["steps"], cancelled)
        if stop:
            listed = _people(found[people].result, stop, definition, seen)
            found["people"] = _with_next(listed, store, seen, definition)
        if user:
            found["journey"] = journey_of(store, seen, definition, user, cancelled)
        if why.isdecimal() and len(definition.steps) > 1:
            found["why"] = _why(int(why), store, seen, definition, cancelled)
        return found

    return work


def _beside(
    store: Store, query: "Funnel", answer: Answer, cancelled: Cancelled
) -> Mapping[str, Any]:
    """The ways of `few`; of more, the shares in other `windows`, where they cost next to nothing."""
    assert isinstance(answer.result, Steps)
    few = sequences(store, query, answer.result, cancelled)
    if few or answer.events_scanned > SENSITIVE_MAX or len(answer.result.steps) < 2:
        return {"few": few}
    asked = replace(query, sensitivity=True, by=())
    told = store.run(asked, cancelled=cancelled).result
    assert isinstance(told, Steps)
    return {"windows": told.windows}


def _told_apart(answer: Answer) -> Answer:
    """With steps of one name told apart."""
    from store.analytics.funnel.definition import definition_of as checked

    assert isinstance(answer.result, Steps)
    pairs = zip(answer.result.steps, checked(answer.query).labels, strict=True)
    steps = [replace(step, name=label) for step, label in pairs]
    return replace(answer, result=replace(answer.result, steps=steps))


def _defined(
    store: Store, seen: Seen, known: Definition | None, cancelled: Cancelled
) -> Definition:
    asked = definition_of(seen.view, seen.view.length)
    if asked.steps:
        return asked
    kept = known.steps if known and known.proposed else ()
    return proposed(asked, kept or propose(store, seen.span, seen.view.where, cancelled))


def _people(found: object, stop: Stop, definition: Definition, seen: Seen) -> People:
    from store.analytics.funnel.definition import definition_of as checked

    assert isinstance(found, Steps)
    before = checked(definition.query(seen)).before(min(stop.step, len(found.steps) - 1))
    return people_of(found, stop, before)


def _why(
    step: int, store: Store, seen: Seen, definition: Definition, cancelled: Cancelled
) -> Reasons:
    """Of a step by its number from 1; of the first one nobody can be told, so the second."""
    from store.analytics.funnel.definition import definition_of as checked

    made = checked(definition.query(seen))
    to = max(1, min(step, len(made.steps)) - 1)
    before = made.before(to)
    asked = driver_questions(definition, seen, before, to)
    answers = store.run_all(tuple(asked), cancelled=cancelled)
    return reasons_of(answers, made.names[before], made.names[to])


def _with_next(people: People, store: Store, seen: Seen, definition: Definition) -> People:
    """What each did after the last step; told of those who are listed."""
    import polars as pl

    from store.analytics.funnel.instead import THEN, WHO, columns, done_after

    if not people.rows:
        return people
    last = pl.DataFrame({WHO: [row["user"] for row in people.rows]}).with_columns(
        pl.Series("at", [row["at"] for row in people.rows])
    )
    span = TimeSpan(min(row["at"] for row in people.rows), seen.now + AHEAD)
    events = store.events(span, TELLING, columns(definition.per))
    then = done_after(events, last, definition.per)
    return with_next(people, dict(then.select(WHO, THEN).iter_rows()))


def said(definition: Definition) -> Said:
    """The definition as the line above the steps says it, the weightiest settings first."""
    window = duration_text(definition.window) if definition.window else "any time"
    settings = [
        ("within", window, "proposed" if definition.suited else ""),
        ("", ORDERS.get(definition.order, definition.order)),
        ("per", "user" if definition.per == USER else definition.per),
        *([("without", ", ".join(definition.exclude))] if definition.exclude else []),
        *([("", COUNTS["attempts"])] if definition.count == "attempts" else []),
        *([("", VALUES.get(definition.value, definition.value))] * (definition.value != "first")),
    ]
    return Said("steps", definition.steps, settings, "proposed" if definition.proposed else "")
