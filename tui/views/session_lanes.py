"""The parts of a session over its length, out of counts by component and severity."""

from collections.abc import Sequence
from typing import Final

from store.analytics.shapes import Series, Timeline
from tui.views.timeline import SEVERITY_LAYERS
from tui.widgets.lanes import Lane

REST: Final = "others"
NAMELESS: Final = "events"


def lanes_of(timeline: Timeline, most: int) -> tuple[Lane, ...]:
    """At most so many, those with the most events first; what is beyond is one lane."""
    groups: dict[str, list[Series]] = {}
    for series in timeline.series:
        groups.setdefault(REST if series.folded else series.key["component"], []).append(series)
    named = len([name for name in groups if name]) > 0
    ordered = sorted(groups, key=lambda name: (name == REST, -_total(groups[name]), name))
    if len(ordered) > most:
        beyond = [series for name in ordered[most - 1 :] for series in groups[name]]
        groups = {name: groups[name] for name in ordered[: most - 1]} | {REST: beyond}
        ordered = list(groups)
    return tuple(_lane(name or ("-" if named else NAMELESS), groups[name]) for name in ordered)


def _total(group: Sequence[Series]) -> float:
    return sum(series.total or 0 for series in group)


def _lane(name: str, group: Sequence[Series]) -> Lane:
    columns = list(zip(*(series.values for series in group), strict=True))
    classes = [series.key.get("severity_class", "") for series in group]
    counts = [int(sum(value or 0 for value in column)) for column in columns]
    roles = [
        _worst([kind for kind, value in zip(classes, column, strict=True) if value])
        for column in columns
    ]
    return Lane(name, counts, roles)


def _worst(classes: Sequence[str]) -> str:
    """The role of the worst class of severity; empty where there is none."""
    return next((role for _, role, held in SEVERITY_LAYERS if set(held) & set(classes)), "")
