from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.shapes import Series, Timeline
from store.timespan import TimeSpan
from tui.glyphs import FULL
from tui.views.timeline import (
    Frame,
    breakdown_layers,
    cut_at,
    duration_chart,
    rate_unit,
    severity_layers,
    stack_chart,
)

START = datetime(2026, 11, 22, 14, tzinfo=UTC)
STEP = timedelta(seconds=10)


def timeline(**series):
    """Points of ten seconds; `error=[…]` is the series of that severity class."""
    points = len(next(iter(series.values())))
    starts = [START + STEP * at for at in range(points)]
    made = [Series({"severity_class": name}, values) for name, values in series.items()]
    return Timeline(10.0, starts, made)


def span(points, end=1.0):
    """As many points, of the last one only the share `end`."""
    return TimeSpan(START, START + STEP * (points - 1 + end))


def test_counts_are_shown_a_second():
    frame = Frame.of(timeline(info=[100, 200, 50]), span(3))
    assert frame.rates(frame.timeline.series[0], span(3)) == [10, 20, 5]


def test_the_point_at_the_live_edge_is_over_what_has_passed_of_it():
    frame = Frame.of(timeline(info=[100, 50]), span(2, 0.5))
    assert frame.rates(frame.timeline.series[0], span(2, 0.5)) == [10, 10]


def test_a_point_that_just_began_does_not_jump():
    shown = TimeSpan(START + STEP * 0.01, START + STEP * 2.01)
    frame = Frame.of(timeline(info=[100, 100, 10]), shown)
    assert frame.rates(frame.timeline.series[0], shown) == [10, 4]


def test_the_first_point_that_is_cut_is_not_shown():
    shown = TimeSpan(START + STEP * 0.5, START + STEP * 2.5)
    frame = Frame.of(timeline(info=[5, 10, 5]), shown)
    assert frame.values(frame.timeline.series[0]) == [10, 5]
    assert frame.span == TimeSpan(START + STEP, START + STEP * 3)


def test_errors_stand_at_the_base_and_fatal_is_among_them():
    told = timeline(info=[10], error=[10], fatal=[20], warning=[0], debug=[30])
    layers = severity_layers(Frame.of(told, span(1)), span(1))
    assert [(name, list(layer.values)) for name, layer in layers] == [
        ("error", [3]),
        ("info", [1]),
        ("other", [3]),
    ]


def test_where_nothing_has_a_severity_the_rest_has_the_colour_of_info():
    layers = severity_layers(Frame.of(timeline(**{"": [10]}), span(1)), span(1))
    assert [(name, layer.role) for name, layer in layers] == [("other", "info")]


def test_a_stack_of_one_without_a_name_has_no_legend():
    frame = Frame.of(timeline(**{"": [10]}), span(1))
    layers = severity_layers(frame, span(1))
    assert stack_chart(frame, layers, marks=(), zone=UTC, glyphs=FULL).legend == ()


def test_values_past_the_colours_are_one_layer():
    told = timeline(**{f"v{at}": [10] for at in range(8)})
    layers = breakdown_layers(Frame.of(told, span(1)), span(1))
    assert [name for name, _ in layers] == ["v0", "v1", "v2", "v3", "v4", "other"]
    assert list(layers[-1][1].values) == [3]


def durations(**series):
    starts = [START]
    return Timeline(10.0, starts, [Series({}, [v], f"{p}:duration_ms") for p, v in series.items()])


def chart(now, before=None):
    frame = Frame.of(now, span(1))
    options = {"measure": "duration_ms", "marks": (), "zone": UTC, "glyphs": FULL}
    return duration_chart(frame, before, **options)


def test_durations_are_in_the_unit_of_the_largest():
    drawn = chart(durations(p50=800, p95=2000, p99=4000))
    assert drawn.title == "duration, s"
    assert drawn.top == 4
    assert [curve.role for curve in drawn.curves] == ["p99", "p95", "p50"]


def test_the_period_before_is_dotted_and_lies_below():
    drawn = chart(durations(p50=1, p95=2, p99=3), durations(p50=2, p95=5, p99=9))
    assert [(curve.dotted, list(curve.values)) for curve in drawn.curves] == [
        *((True, [9]), (True, [5]), (True, [2])),
        *((False, [3]), (False, [2]), (False, [1])),
    ]
    assert drawn.top == 10
    assert drawn.legend[-1][1] == "before"


def test_without_any_duration_there_is_nothing_to_draw():
    drawn = chart(durations(p50=None, p95=None, p99=None))
    assert not any(any(curve.values) for curve in drawn.curves)


@pytest.mark.parametrize(
    ("per_second", "unit"),
    [
        (150, "second"),
        (1, "second"),
        (0.5, "minute"),
        (0.004, "hour"),
        (1e-5, "day"),
        (0, "second"),
    ],
)
def test_a_rate_is_told_in_the_unit_in_which_it_is_a_number(per_second, unit):
    assert rate_unit(per_second)[1] == unit


def test_a_low_rate_has_an_axis_that_people_read():
    told = Frame.of(timeline(info=[1, 2, 0]), span(3))
    drawn = stack_chart(told, severity_layers(told, span(3)), marks=(), zone=UTC, glyphs=FULL)
    assert drawn.title == "events per minute"
    assert (list(drawn.layers[0].values), drawn.top) == ([6, 12, 0], 15)


def spiky(*p99):
    starts = [START + STEP * at for at in range(len(p99))]
    named = {"p50": [10.0] * len(p99), "p95": [20.0] * len(p99), "p99": list(p99)}
    series = [Series({}, values, f"{p}:duration_ms") for p, values in named.items()]
    frame = Frame.of(Timeline(10.0, starts, series), span(len(p99)))
    options = {"measure": "duration_ms", "marks": (), "zone": UTC, "glyphs": FULL}
    return duration_chart(frame, None, **options)


def test_one_spike_does_not_press_the_others_flat_and_is_told():
    drawn = spiky(*[30.0] * 20, 14_000.0, *[30.0] * 9)
    assert (drawn.title, drawn.top) == ("duration, ms", 50)
    assert [(peak.text, peak.instant) for peak in drawn.peaks] == [("14 s", START + STEP * 20.5)]


def test_of_neighbours_that_are_cut_off_the_highest_says_how_much():
    drawn = spiky(*[30.0] * 30, 500.0, 900.0, 700.0)
    assert [peak.text for peak in drawn.peaks] == ["", "900 ms", ""]


def test_what_is_usual_is_never_cut_off():
    assert spiky(*[30.0, 900.0] * 20).peaks == ()
    assert spiky(30.0, 900.0).top == 1_000
    assert cut_at([]) == cut_at([None]) == 0
    assert cut_at([0.0] * 20 + [5.0]) == 5
