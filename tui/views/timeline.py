"""Timelines as charts and silhouettes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Final

from store.analytics.shapes import Series, Timeline
from store.timespan import TimeSpan
from tui.formatting import clean, duration_scale
from tui.glyphs import Glyphs
from tui.plots.chart import Mark
from tui.plots.lines import Curve
from tui.plots.scale import Value, nice_top
from tui.plots.stack import Layer
from tui.views.intervals import points_of
from tui.widgets.chart_panel import Chart

# The layers of the stack from the base up: name, role, and the classes that it holds.
SEVERITY_LAYERS: Final = (
    ("error", "error", ("fatal", "error")),
    ("warning", "warning", ("warning",)),
    ("info", "info", ("info",)),
    ("other", "muted", ("debug", "trace", "")),
)
# The roles of the largest values of a breakdown; the rest is `other`.
BREAKDOWN_ROLES: Final = ("info", "p50", "p95", "p99", "live")
PERCENTILES: Final = ("p99", "p95", "p50")
# The share of its interval that a point at the live edge is taken for at least: a rate over less
# would jump.
EDGE_SHARE_MIN: Final = 0.25


@dataclass(frozen=True, slots=True)
class Frame:
    """The last `points` of a timeline: what a chart of the span shows of it."""

    timeline: Timeline
    span: TimeSpan
    points: int

    @classmethod
    def of(cls, timeline: Timeline, span: TimeSpan) -> "Frame":
        interval = timedelta(seconds=timeline.interval_seconds)
        points = min(points_of(span, interval), len(timeline.starts))
        if not points:
            return cls(timeline, span, 0)
        end = timeline.starts[-1] + interval
        return cls(timeline, TimeSpan(end - interval * points, end), points)

    def values(self, series: Series | None) -> list[Value]:
        return list(series.values[-self.points :]) if series and self.points else []

    def rates(self, series: Series | None, seen: TimeSpan) -> list[Value]:
        """Counts as events a second; the last point over what has passed of it."""
        values = self.values(series)
        seconds = self.timeline.interval_seconds
        rates = [None if value is None else value / seconds for value in values]
        if rates and rates[-1] is not None:
            passed = (seen.end - self.timeline.starts[-1]).total_seconds() / seconds
            rates[-1] /= min(max(passed, EDGE_SHARE_MIN), 1.0)
        return rates


def series_of(timeline: Timeline, measure: str) -> Series | None:
    """The series of a measure without a breakdown."""
    return next((s for s in timeline.series if s.measure == measure), None)


def severity_layers(frame: Frame, seen: TimeSpan) -> list[tuple[str, Layer]]:
    """Errors at the base, then warnings, the rest on top, each with its name; only what there is.
    Where nothing says it is `info`, the rest has its colour.
    """
    by_class = {s.key.get("severity_class", ""): s for s in frame.timeline.series}
    layers: list[tuple[str, Layer]] = []
    for name, role, classes in SEVERITY_LAYERS:
        found = [frame.rates(by_class[each], seen) for each in classes if each in by_class]
        if found and any(any(values) for values in found):
            free = role == "muted" and "info" not in dict(layers)
            layers.append((name, Layer("info" if free else role, _summed(found))))
    return layers


def breakdown_layers(frame: Frame, seen: TimeSpan) -> list[tuple[str, Layer]]:
    """The largest values of the breakdown, each with its name; the rest together on top."""
    named = [s for s in frame.timeline.series if not s.folded][: len(BREAKDOWN_ROLES)]
    rest = [s for s in frame.timeline.series if s not in named]
    layers = [
        (_name(series), Layer(role, frame.rates(series, seen)))
        for role, series in zip(BREAKDOWN_ROLES, named, strict=False)
    ]
    if rest:
        layers.append(("other", Layer("other", _summed([frame.rates(s, seen) for s in rest]))))
    return layers


def _name(series: Series) -> str:
    return clean(", ".join(series.key.values())) or "(none)"


def _summed(rows: Sequence[Sequence[Value]]) -> list[Value]:
    return [sum(value or 0 for value in column) for column in zip(*rows, strict=True)]


def stack_chart(
    frame: Frame,
    layers: Sequence[tuple[str, Layer]],
    *,
    marks: Sequence[Mark],
    zone: tzinfo,
    glyphs: Glyphs,
    title: str = "events per second",
) -> Chart:
    """Layers with their names as one chart."""
    sums = _summed([layer.values for _, layer in layers])
    # A stack of one that has no name needs no legend.
    named = layers if [name for name, _ in layers] != ["other"] else ()
    signs = glyphs.severity
    return Chart(
        title=title,
        span=frame.span,
        top=nice_top(_largest(sums)),
        layers=tuple(layer for _, layer in layers),
        marks=tuple(marks),
        legend=tuple(
            (signs.get(name, glyphs.severity["info"]), name, layer.role) for name, layer in named
        ),
        zone=zone,
    )


def duration_chart(
    frame: Frame,
    before: Timeline | None,
    *,
    measure: str,
    marks: Sequence[Mark],
    zone: tzinfo,
    glyphs: Glyphs,
) -> Chart:
    """p50, p95 and p99 as lines; p95 of the previous period dotted behind them."""
    named = {p: frame.values(series_of(frame.timeline, f"{p}:{measure}")) for p in PERCENTILES}
    ghost = []
    if before is not None and (series := series_of(before, f"p95:{measure}")):
        ghost = list(series.values[-frame.points :])
    largest = _largest(v for values in (*named.values(), ghost) for v in values if v is not None)
    scale, unit = duration_scale(largest)
    curves = [Curve("dim", _over(ghost, scale), dotted=True)] if any(ghost) else []
    curves += [Curve(name, _over(values, scale)) for name, values in named.items() if values]
    legend = [(glyphs.line, name, name) for name in PERCENTILES]
    if curves and curves[0].dotted:
        legend.append((glyphs.dotted, "before", "dim"))
    return Chart(
        title=f"duration, {unit}",
        span=frame.span,
        top=nice_top(largest / scale),
        curves=tuple(curves),
        marks=tuple(marks),
        legend=tuple(legend),
        zone=zone,
    )


def _over(values: Iterable[Value], scale: float) -> list[Value]:
    return [None if value is None else value / scale for value in values]


def _largest(values: Iterable[Value]) -> float:
    return max((value for value in values if value is not None), default=0.0)
