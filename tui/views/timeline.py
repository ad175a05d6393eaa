"""Timelines as charts and silhouettes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from itertools import groupby
from typing import Final

from store.analytics.shapes import Series, Timeline
from store.timespan import TimeSpan
from tui.formatting import NONE, clean, duration, duration_scale, value_name
from tui.glyphs import Glyphs
from tui.plots.chart import Mark, Peak
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
RATE_UNITS: Final = ((1, "second"), (60, "minute"), (3_600, "hour"), (86_400, "day"))
# A few values so many times above what nine of ten stay below would press all others flat.
CUT_RATIO: Final = 3.0
USUAL_SHARE: Final = 0.9
CUT_POINTS_MIN: Final = 10
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
    return clean(", ".join(map(value_name, series.key.values()))) or NONE


def _summed(rows: Sequence[Sequence[Value]]) -> list[Value]:
    return [sum(value or 0 for value in column) for column in zip(*rows, strict=True)]


def stack_chart(
    frame: Frame,
    layers: Sequence[tuple[str, Layer]],
    *,
    marks: Sequence[Mark],
    zone: tzinfo,
    glyphs: Glyphs,
) -> Chart:
    """Layers of events a second, with their names, as one chart; the title says the unit."""
    sums = _summed([layer.values for _, layer in layers])
    seconds, unit = rate_unit(_largest(sums))
    # A stack of one that has no name needs no legend.
    named = layers if [name for name, _ in layers] != ["other"] else ()
    signs = glyphs.severity
    return Chart(
        title=f"events per {unit}",
        span=frame.span,
        top=nice_top(_largest(sums) * seconds),
        layers=tuple(replace(each, values=_over(each.values, 1 / seconds)) for _, each in layers),
        marks=tuple(marks),
        legend=tuple(
            (signs.get(name, glyphs.severity["info"]), name, layer.role) for name, layer in named
        ),
        zone=zone,
    )


def rate_unit(per_second: float) -> tuple[int, str]:
    """In which unit of time a rate is a number from 1 on: its seconds, and its name."""
    fitting = ((size, name) for size, name in RATE_UNITS if per_second * size >= 1)
    return next(fitting, RATE_UNITS[-1]) if per_second else RATE_UNITS[0]


def duration_chart(
    frame: Frame,
    before: Timeline | None,
    *,
    measure: str,
    marks: Sequence[Mark],
    zone: tzinfo,
    glyphs: Glyphs,
) -> Chart:
    """p50, p95 and p99 as lines, those of the previous period dotted behind them. A few values
    far above all others are cut off, and told where they stand.
    """
    named = _percentiles(frame.timeline, measure, frame)
    ghosts = _percentiles(before, measure, frame) if before is not None else {}
    highest, before_it = (next(iter(each.values()), []) for each in (named, ghosts))
    top = cut_at([*highest, *before_it])
    scale, unit = duration_scale(top)
    curves = [
        Curve("dim", [None if v is None or v > top else v / scale for v in values], dotted=True)
        for values in ghosts.values()
        if any(values)
    ]
    legend = [(glyphs.line, name, name) for name in PERCENTILES]
    if curves:
        legend.append((glyphs.dotted, "before", "dim"))
    curves += [Curve(name, _over(values, scale)) for name, values in named.items() if values]
    return Chart(
        title=f"duration, {unit}",
        span=frame.span,
        top=nice_top(top / scale),
        curves=tuple(curves),
        marks=tuple(marks),
        peaks=_peaks(frame, highest, nice_top(top / scale) * scale),
        legend=tuple(legend),
        zone=zone,
    )


def _percentiles(timeline: Timeline, measure: str, frame: Frame) -> dict[str, list[Value]]:
    """The values of each percentile that is there, the highest first."""
    found = {name: series_of(timeline, f"{name}:{measure}") for name in PERCENTILES}
    return {name: frame.values(series) for name, series in found.items() if series}


def cut_at(values: Iterable[Value]) -> float:
    """Up to where an axis shows `values`: the largest, unless it and a few others stand out."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return 0.0
    usual = known[int(USUAL_SHARE * (len(known) - 1))]
    stands_out = len(known) >= CUT_POINTS_MIN and known[-1] > CUT_RATIO * usual > 0
    return usual * CUT_RATIO / 2 if stands_out else known[-1]


def _peaks(frame: Frame, values: Sequence[Value], top: float) -> tuple[Peak, ...]:
    """Where values are cut off; of neighbours the highest says how much it is."""
    step = frame.span.length / max(1, frame.points)
    above = [value is not None and value > top * (1 + 1e-9) for value in values]
    peaks: list[Peak] = []
    for is_cut, group in groupby(enumerate(values), lambda each: above[each[0]]):
        run = list(group) if is_cut else []
        highest = max((value or 0 for _, value in run), default=0)
        peaks += [
            Peak(
                frame.span.start + step * (at + 0.5),
                " ".join(duration(value or 0)) if value == highest else "",
                PERCENTILES[0],
            )
            for at, value in run
        ]
    return tuple(peaks)


def _over(values: Iterable[Value], scale: float) -> list[Value]:
    return [None if value is None else value / scale for value in values]


def _largest(values: Iterable[Value]) -> float:
    return max((value for value in values if value is not None), default=0.0)
