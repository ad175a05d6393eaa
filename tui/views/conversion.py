"""How conversion goes over time, as a chart; what is not decided yet is dotted."""

from datetime import datetime, timedelta, tzinfo

from store.analytics.shapes import Timeline
from tui.glyphs import Glyphs
from tui.plots.lines import Curve
from tui.plots.scale import Value, nice_top
from tui.views.timeline import Frame, series_of
from tui.widgets.chart_panel import Chart

MEASURE = "conversion"


def conversion_chart(
    frame: Frame, *, window: timedelta | None, now: datetime, zone: tzinfo, glyphs: Glyphs
) -> Chart:
    """The share that came to the last step, by when they came to the first. Of those whose window
    is open some may still come: from the first such point on the curve is dotted.
    """
    timeline = frame.timeline
    rates = [None if rate is None else rate * 100 for rate in _rates(frame)]
    width = timedelta(seconds=timeline.interval_seconds)
    starts = timeline.starts[len(timeline.starts) - frame.points :]
    decided = sum(window is not None and start + width + window <= now for start in starts)
    so_far: list[Value] = [*[None] * max(0, decided - 1), *rates[max(0, decided - 1) :]]
    known: list[Value] = [*rates[:decided], *[None] * (len(rates) - decided)]
    legend = [(glyphs.line, "came to the last step", "live")]
    if decided < len(rates):
        legend.append((glyphs.dotted, "so far", "muted"))
    return Chart(
        title="conversion by when they began, %",
        span=frame.span,
        top=nice_top(max((rate for rate in rates if rate is not None), default=0)),
        curves=(Curve("muted", so_far, dotted=True), Curve("live", known)),
        legend=tuple(legend),
        zone=zone,
    )


def _rates(frame: Frame) -> list[Value]:
    """None where nobody began: nothing is no share of nobody."""
    timeline: Timeline = frame.timeline
    entered = frame.values(series_of(timeline, "entered"))
    rates = frame.values(series_of(timeline, MEASURE))
    return [rate if began else None for rate, began in zip(rates, entered, strict=True)]
