"""From a row of an answer to the events behind it."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from store.analytics.paths.markers import event_named
from store.errors import StoreError
from tui.view_state import View
from tui.views.answer_columns import Source

# Values of a row that name events, beside its key.
NAMING: Final = {
    "event_name": "event_name",
    "feature": "event_name",
    "session_id": "session_id",
    "user_id": "user_id",
    "component": "component",
}
PASSAGE: Final = ("from", "to")


def behind(view: View, source: Source, attributes: Collection[str], now: datetime) -> View | None:
    """The view of Explore on the events that a row stands for; None where nobody can say which.
    `attributes` are those that are stored.
    """
    if source.folded:
        return None
    terms = list(_terms(source, attributes))
    if not terms and source.span is None:
        return None
    for term in terms:
        view = view.narrowed(term)
    view = replace(view, sort="", by="", reverse=False)
    return view.on(source.span, now) if source.span else view


def _terms(source: Source, attributes: Collection[str]) -> Iterator[str]:
    from store.analytics.filters import term

    key, values = source.key, source.values
    if "attribute" in key and isinstance(values.get("value"), str):
        yield term(key["attribute"], "=", values["value"]).text()
        return
    named: dict[str, Any] = {name: key[name] for name in key if name in attributes}
    walked = {name: _event(values[name]) for name in ("event_name", *PASSAGE) if name in values}
    told = {**values, **walked, **key}
    for name, attribute in NAMING.items():
        if isinstance(told.get(name), str) and attribute not in named:
            named[attribute] = told[name]
    if passage := [told[end] for end in PASSAGE if isinstance(told.get(end), str)]:
        yield term("event_name", "=", *passage).text()
    for attribute, value in named.items():
        is_feature = "feature" in told and value == told["feature"]
        yield _of_feature(value) if is_feature else _having(attribute, value)


def _having(attribute: str, value: str) -> str:
    """Events with the value; with none for an empty one."""
    from store.analytics.filters import term
    from store.analytics.filters.filter import Filter
    from store.analytics.filters.nodes import EXISTS, Term, negated

    if value:
        return term(attribute, "=", value).text()
    return Filter(negated(Term(attribute, EXISTS))).text()


def _event(value: Any) -> str | None:
    """The event that an answer about paths tells of; None for a marker in its place."""
    return event_named(value) if isinstance(value, str) else None


def _of_feature(text: str) -> str:
    """A feature is a filter, an event's name, or both."""
    from store.analytics.chosen import EVERY, parse_feature
    from store.analytics.filters import term

    try:
        chosen = parse_feature(text, "feature")
    except StoreError:
        return term("event_name", "=", text).text()
    where = chosen.where
    named = term("event_name", "=", chosen.name)
    return (where if chosen.name == EVERY else named.and_(where)).text()
