"""The five numbers on top of the Overview."""

from collections.abc import Iterator

from store.analytics.shapes import Answer, Timeline
from store.timespan import TimeSpan
from tui.formatting import Delta, count, delta, duration, percent
from tui.plots.scale import Value
from tui.views.timeline import Frame, series_of
from tui.widgets.stat_panel import Stat

Total = float | int | None


def stats(totals: Answer, severities: Answer) -> list[Stat]:
    """Events, errors, p95, users, sessions; what the store does not hold has none."""
    now, before = _timelines(totals)
    found = [
        _events(now, before, totals.span),
        _errors(severities),
        _duration(now, before, totals.span),
        _distinct("users", now, before, totals.span, good=1),
        _distinct("sessions", now, before, totals.span, good=0),
    ]
    return [stat for stat in found if stat is not None]


def _timelines(answer: Answer) -> tuple[Timeline, Timeline | None]:
    assert isinstance(answer.result, Timeline)
    assert answer.previous is None or isinstance(answer.previous, Timeline)
    return answer.result, answer.previous


def _total(timeline: Timeline | None, measure: str) -> Total:
    series = series_of(timeline, measure) if timeline else None
    return series.total if series else None


def _change(now: Total, before: Total) -> Delta | None:
    """Against nothing before, a change says nothing."""
    return delta(now, before) if before else None


def _events(now: Timeline, before: Timeline | None, span: TimeSpan) -> Stat:
    total = _total(now, "count") or 0
    frame = Frame.of(now, span)
    values = frame.rates(series_of(now, "count"), span)
    return Stat("events", *_number(total), values, "info", _change(total, _total(before, "count")))


def _number(total: float) -> tuple[str, str]:
    """The letter of millions belongs to the number: `1.30 M`."""
    return count(total), ""


def _errors(severities: Answer) -> Stat | None:
    now, before = _timelines(severities)
    if not any(series.key.get("severity_class") for series in now.series):
        return None
    share, share_before = _error_share(now), _error_share(before) if before else None
    frame = Frame.of(now, severities.span)
    values = list(_error_values(frame))
    change = _change(share, share_before)
    return Stat("errors", percent(share or 0), "%", values, "error", change, good=-1)


def _error_share(timeline: Timeline) -> float | None:
    totals = [(s.key.get("severity_class"), s.total or 0) for s in timeline.series]
    everything = sum(total for _, total in totals)
    errors = sum(total for name, total in totals if name in ("error", "fatal"))
    return errors / everything if everything else None


def _error_values(frame: Frame) -> Iterator[Value]:
    """The share of errors in each point; unknown where nothing happened."""
    rows = [(s.key.get("severity_class"), frame.values(s)) for s in frame.timeline.series]
    for point in range(frame.points):
        everything = sum(values[point] or 0 for _, values in rows)
        errors = sum(values[point] or 0 for name, values in rows if name in ("error", "fatal"))
        yield errors / everything if everything else None


def _duration(now: Timeline, before: Timeline | None, span: TimeSpan) -> Stat | None:
    measure = "p95:duration_ms"
    total = _total(now, measure)
    if total is None:
        return None
    series = series_of(now, measure)
    values = Frame.of(now, span).values(series)
    change = _change(total, _total(before, measure))
    number, unit = duration(total)
    note = "* of too few" if series and series.few_total else ""
    number = f"*{number}" if note else number
    return Stat("p95 duration", number, unit, values, "p95", change, good=-1, note=note)


def _distinct(
    measure: str, now: Timeline, before: Timeline | None, span: TimeSpan, *, good: int
) -> Stat | None:
    total = _total(now, measure)
    if not total:
        return None
    values = Frame.of(now, span).values(series_of(now, measure))
    return Stat(
        measure, *_number(total), values, "live", _change(total, _total(before, measure)), good
    )
