"""Names of events that nobody ever sent: a slip of the pen should not look like an answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui.commands.console import Console

if TYPE_CHECKING:
    from store.analytics.query import Query
    from store.analytics.shapes import Answer
    from store.event_store import EventStore

NAMES_MAX: Final = 10_000
ANY: Final = "*"
"""Stands for every event."""


def warn_of_unknown_names(
    query: "Query", answer: "Answer", store: "EventStore", console: Console
) -> None:
    """A note for each name that was asked for and that no stored event has, when nothing was found
    of it; and for somebody of whom there is nothing.
    """
    from store.analytics.funnel.why import Why

    asked = [name for name in dict.fromkeys(_asked(query, answer)) if name != ANY]
    known = _names(store) if asked else []
    for name in asked:
        if known and name not in known:
            console.note(f"no event is named {name}{_hint(name, known)}")
    if isinstance(query, Why) and not answer.events_scanned:
        console.note(f"no event of these steps is of {query.user}")


def _asked(query: "Query", answer: "Answer") -> Sequence[str]:
    """The names in the question of which the answer says nothing."""
    from store.analytics.funnel.definition import Stepped, definition_of
    from store.analytics.registry import ANALYSES, find

    in_filters = [] if answer.events_scanned else _filtered(query)
    if isinstance(query, Stepped):
        made = definition_of(query)
        named = [step.name for step in made.steps] + [each.name for each in made.exclusions]
        return in_filters if _finds_all(answer) else [*named, *in_filters]
    unmet = getattr(find(query.analysis, ANALYSES), "unmet", None)
    return [*(unmet(answer.query, answer.result) if unmet else []), *in_filters]


def _filtered(query: "Query") -> Sequence[str]:
    """The names that the filter wants."""
    from store.analytics.filters import parse_filter
    from store.analytics.filters.nodes import Term, leaves

    terms = (leaf for leaf in leaves(parse_filter(query.where).root) if isinstance(leaf, Term))
    wanted = [term for term in terms if (term.field, term.operator) == ("event_name", "=")]
    return [name for term in wanted for name in term.values]


def _finds_all(answer: "Answer") -> bool:
    """Whether somebody came to every step, so that every name is one."""
    from store.analytics.shapes import Steps, Table, Timeline

    match answer.result:
        case Steps(steps=steps):
            return all(step.count for step in steps)
        case Timeline(series=series):
            # A breakdown of nothing has no series at all.
            return any(each.total for each in series if each.measure == "converted")
        case Table(summary=summary):
            return bool(summary.get("converted")) or summary.get("outcome") == "converted"


def _names(store: "EventStore") -> list[str]:
    from store.analytics.shapes import Table
    from store.analytics.top import Top

    found = store.run(Top(limit=NAMES_MAX)).result
    assert isinstance(found, Table)
    return [row.key["event_name"] for row in found.rows if not row.folded]


def _hint(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    folded = {other.casefold(): other for other in known}
    near = get_close_matches(name.casefold(), folded, 1)
    return f"; did you mean {folded[near[0]]}?" if near else ""
