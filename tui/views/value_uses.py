"""What the value of an attribute can be used for: each use is the view that it leads to."""

from dataclasses import replace

from tui.view_state import View
from tui.widgets.picker import Choice

Use = View | str
"""A view to go to, or a text to copy."""


def value_uses(view: View, attribute: str, value: str) -> list[Choice[Use]]:
    """Keep the events with it, leave them out, break down by it, copy it."""
    by = "severity_class" if attribute == "severity" else attribute
    return [
        Choice("only events with it", _filtered(view, attribute, "=", value), f"= {value}"),
        Choice("events without it", _filtered(view, attribute, "!=", value), f"!= {value}"),
        Choice("break down by it", replace(view, by=by), f"by {by}"),
        Choice("copy it", value),
    ]


def _filtered(view: View, attribute: str, operator: str, value: str) -> View:
    from store.analytics.filters import parse_filter, term

    wanted = parse_filter(view.where or None).and_(term(attribute, operator, value))
    return replace(view, where=wanted.text())
