"""The answers of `changes` and `releases`: findings in words, and marks on the charts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from store.analytics.shapes import Answer, Row, Table
from tui.formatting import count, moment
from tui.glyphs import Glyphs
from tui.plots.chart import Mark
from tui.widgets.findings_panel import Detail, Finding

DETAILS_MAX: Final = 4
# What one asks first: which version, which fault, for whom.
FIRST_ASKED: Final = ("service_version", "message", "user_id")
_WHEN: Final = {"new": "at", "gone": "last at"}
_ROLES: Final = {"fatal": "error", "error": "error", "warning": "warning", "info": "info"}


def marks_of(answer: Answer) -> list[Mark]:
    """A mark for each version that was first seen within the span."""
    assert isinstance(answer.result, Table)
    marks = []
    for row in answer.result.rows:
        first: datetime | None = row.values.get("first_seen")
        if first is not None and answer.span.contains(first):
            name = f"{row.key.get('service_name', '')} {row.key.get('service_version', '')}"
            marks.append(Mark(first, name.strip()))
    return marks


def findings_of(answer: Answer, *, zone: tzinfo, glyphs: Glyphs) -> tuple[Finding, ...]:
    """The findings in their order: the one that matters most comes first. Names and values are as
    they were sent; the panel cleans them.
    """
    assert isinstance(answer.result, Table)
    return tuple(_finding(row, answer.as_of, zone, glyphs) for row in answer.result.rows)


def _finding(row: Row, now: datetime, zone: tzinfo, glyphs: Glyphs) -> Finding:
    values = row.values
    kind = str(values.get("kind", ""))
    name = row.key.get("event_name", "")
    since: datetime | None = values.get("since")
    when = moment(since, zone, now) if since else ""
    return Finding(
        subject=f"p95 {name}" if kind == "p95" else name,
        change=_change(kind, values, glyphs) + (" errors" if kind == "errors" else ""),
        when=f"{_WHEN.get(kind, 'since')} {when}" if when else "",
        role=_role(kind, values),
        trend=tuple(values.get("trend") or ()),
        details=tuple(_details(values.get("attributes") or ())),
        terms=(("event_name", name),),
    )


def _change(kind: str, values: Mapping[str, Any], glyphs: Glyphs) -> str:
    if kind == "new":
        return f"{glyphs.new} new"
    if kind == "gone":
        return f"{glyphs.gone} gone"
    factor = values.get("factor")
    if factor is None:
        return ""
    if factor >= 3:
        return f"{glyphs.up} {glyphs.times}{factor:,.1f}"
    percent = round((factor - 1) * 100)
    sign = glyphs.up if percent >= 0 else glyphs.down
    return f"{sign} {'+' if percent >= 0 else glyphs.minus}{abs(percent)} %"


def _role(kind: str, values: Mapping[str, Any]) -> str:
    severity = str(values.get("severity") or "")
    if _ROLES.get(severity) in ("error", "warning"):
        return _ROLES[severity]
    factor = values.get("factor") or 0
    if kind == "p95" and factor > 1:
        return "warning"
    return "info" if kind == "new" else "dim"


def _details(attributes: Sequence[Mapping[str, Any]]) -> list[Detail]:
    details = []
    asked = {name: place for place, name in enumerate(FIRST_ASKED)}
    ordered = sorted(attributes, key=lambda entry: asked.get(str(entry["attribute"]), len(asked)))
    for entry in ordered[:DETAILS_MAX]:
        share = entry.get("share")
        of = entry.get("of")
        said = f"{share * 100:.0f} %" if share is not None else ""
        if of:
            said = f"{count(entry.get('count', 1))} of {count(of)}"
        details.append(Detail(str(entry["attribute"]), str(entry["value"]), said))
    return details
