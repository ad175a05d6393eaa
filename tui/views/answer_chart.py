"""Points of any answer as a chart: counts as stacked columns, anything else as lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from math import isfinite
from typing import Final

from store.analytics.shapes import Answer, Series, Timeline
from store.timespan import TimeSpan, duration_text
from tui.formatting import clean, duration_scale, value_name
from tui.glyphs import Glyphs
from tui.plots.lines import Curve
from tui.plots.scale import Value, nice_top
from tui.plots.stack import Layer
from tui.views.answer_units import Units, title_of
from tui.views.timeline import BREAKDOWN_ROLES, Frame, cut_at
from tui.widgets.chart_panel import Chart

# Measures whose parts add up to something, so that they may stand on each other.
SUMS: Final = frozenset({"count", "increase", "users", "new", "returning", "resurrecting"})
# Those that go away are drawn below the base.
BELOW: Final = "dormant"
ROLE_OF: Final = {"new": "live", "returning": "info", "resurrecting": "p95", BELOW: "p99"}
PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A series as it is drawn: its name in the legend, its colour, its values in their unit."""

    name: str
    role: str
    values: Sequence[Value]


def answer_chart(answer: Answer, span: TimeSpan, zone: tzinfo, glyphs: Glyphs) -> Chart | None:
    """None for an answer without points in time, or with nothing in them. Of shares beside counts, the shares are drawn."""
    timeline = answer.result
    if not isinstance(timeline, Timeline) or not timeline.starts:
        return None
    units = Units(zone, frozenset())
    frame = Frame.of(timeline, span)
    series = _of_a_kind(timeline.series, units)
    if not series:
        return None
    measures = [one.measure for one in series]
    stacked = all(m in SUMS | {BELOW} or m.startswith("sum:") for m in measures)
    drawn, unit = _drawn(series, frame, units)
    if not any(value for one in drawn for value in one.values):
        return None
    above = [one for one in drawn if one.name != BELOW]
    below = [one for one in drawn if one.name == BELOW]
    tops = [value for one in above for value in one.values if value is not None]
    if stacked:
        tops = [
            sum(v or 0 for v in column) for column in zip(*(o.values for o in above), strict=True)
        ]
    depth = max((-(v or 0) for one in below for v in one.values), default=0)
    named = len(drawn) > 1 or drawn[0].name not in measures
    return Chart(
        title=", ".join(filter(None, [clean(_about(answer, measures)), unit])),
        span=frame.span,
        top=nice_top(max(tops, default=0) if stacked else cut_at(tops)),
        layers=tuple(Layer(one.role, one.values) for one in above) if stacked else (),
        curves=() if stacked else tuple(Curve(one.role, one.values) for one in above[::-1]),
        below=tuple(
            Layer(one.role, [None if v is None else -v for v in one.values]) for one in below
        ),
        bottom=nice_top(depth) if below else 0.0,
        legend=tuple(
            (glyphs.severity["info"] if stacked else glyphs.line, one.name, one.role)
            for one in drawn
        )
        if named
        else (),
        zone=zone,
    )


def _of_a_kind(found: Sequence[Series], units: Units) -> list[Series]:
    """Shares alone where there are some: beside counts they would lie on the base."""
    shares = [one for one in found if units.is_share(one.measure)]
    return shares or list(found)


def _drawn(series: Sequence[Series], frame: Frame, units: Units) -> tuple[list[_Drawn], str]:
    """The largest ones in colours of their own, the rest together where they can be added."""
    several = len({one.measure for one in series}) > 1
    named = [one for one in series if not one.folded][: len(BREAKDOWN_ROLES)]
    rest = [one for one in series if one not in named]
    rows = [frame.values(one) for one in named]
    known = [abs(v) for row in rows for v in row if v is not None and isfinite(v)]
    scale, unit = _scale(named[0].measure if named else "", max(known, default=0), units)
    drawn = [
        _Drawn(
            _name(one, several=several),
            ROLE_OF.get(one.measure, role),
            [value / scale if value is not None and isfinite(value) else None for value in row],
        )
        for one, role, row in zip(named, BREAKDOWN_ROLES, rows, strict=False)
    ]
    if rest and all(one.measure in SUMS for one in rest):
        others = zip(*(frame.values(one) for one in rest), strict=True)
        sums: list[Value] = [sum(value or 0 for value in column) / scale for column in others]
        drawn.append(_Drawn("others", "other", sums))
    return drawn, unit


def _scale(measure: str, top: float, units: Units) -> tuple[float, str]:
    """What values are divided by, and the unit that they are in then."""
    if units.is_share(measure):
        return 1 / PERCENT, "%"
    milliseconds = units.milliseconds(measure)
    if milliseconds:
        size, unit = duration_scale(top * milliseconds)
        return size / milliseconds, unit
    return 1.0, ""


def _name(series: Series, *, several: bool) -> str:
    key = clean(", ".join(map(value_name, series.key.values())))
    words = clean(title_of(series.measure))
    return f"{key} {words}".strip() if several or not key else key


def _about(answer: Answer, measures: Sequence[str]) -> str:
    """What the values are: the one measure, or two, else that of the analysis."""
    known = list(dict.fromkeys(measures))
    named = (
        " and ".join(map(title_of, known)) if len(known) <= 2 else f"{answer.analysis} over time"
    )
    rolling = getattr(answer.query, "rolling", None)
    return f"{named} of {duration_text(rolling)}" if rolling else named
