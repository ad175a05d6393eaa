from datetime import UTC, datetime, timedelta

from store.analytics.shapes import Series, Timeline
from store.timespan import TimeSpan
from tui.glyphs import FULL
from tui.views.timeline import Frame, breakdown_layers, duration_chart, severity_layers, stack_chart

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
    drawn = chart(durations(p50=1, p95=2, p99=3), durations(p95=9))
    assert (drawn.curves[0].dotted, list(drawn.curves[0].values)) == (True, [9])
    assert drawn.top == 10
    assert drawn.legend[-1][1] == "before"


def test_without_any_duration_there_is_nothing_to_draw():
    drawn = chart(durations(p50=None, p95=None, p99=None))
    assert not any(any(curve.values) for curve in drawn.curves)
