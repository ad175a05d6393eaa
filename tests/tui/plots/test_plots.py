"""Plots: what stands in which cell, at any size and for any value."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from store.timespan import TimeSpan
from tui.glyphs import ASCII
from tui.plots import (
    Curve,
    Layer,
    Mark,
    chart,
    chart_frame,
    lines,
    nice_top,
    spark,
    stack,
    time_ticks,
    trend,
)
from tui.plots.chart import Peak
from tui.plots.scale import axis_label, columns, divisions
from tui.theme import DARK, look

LOOK = look(DARK)
LOOKS = [LOOK, look(DARK, "16"), look(DARK, "none"), look(DARK, "full", ASCII)]
START = datetime(2026, 11, 22, 13, 48, 29, tzinfo=UTC)
SPAN = TimeSpan(START, START + timedelta(minutes=15))
ODD = [None, math.nan, math.inf, -math.inf, 1e300, -5, 0, 0.0001]


def texts(strips):
    return [strip.text for strip in strips]


def test_tops_are_round_and_never_below_the_value():
    assert [nice_top(v) for v in (0, 0.3, 7, 84, 350, 400, 401, 9_001)] == [
        *(1, 0.3, 8, 100, 400, 400, 500, 10_000)
    ]
    assert nice_top(math.nan) == 1
    assert all(nice_top(v / 7) >= v / 7 for v in range(1, 5_000, 13))


def test_axis_labels_fit_the_gutter():
    tops = [nice_top(10**power * factor) for power in range(-3, 14) for factor in (1, 2.4, 7)]
    assert all(
        len(axis_label(top * step / divisions(top, 9))) <= 5
        for top in tops
        for step in range(divisions(top, 9) + 1)
    )


def test_more_values_than_columns_are_averaged_and_fewer_spread():
    assert columns([1, 3, 5, 7], 2) == [2, 6]
    assert columns([1, None], 4) == [1, 1, None, None]
    assert columns([math.nan, 4], 1) == [4]


def test_a_stack_puts_the_first_layer_at_the_base():
    drawn = stack([Layer("error", [1]), Layer("info", [1])], 1, 2, 2, LOOK)
    assert texts(drawn) == ["█", "█"]
    assert next(iter(drawn[1])).style.color == LOOK.style("error").color


def test_two_layers_share_a_cell_as_foreground_and_background():
    (row,) = stack([Layer("error", [1]), Layer("warning", [1])], 1, 1, 2, LOOK)
    (cell,) = row
    assert cell.text == "▄"
    assert cell.style.color == LOOK.style("error").color
    assert cell.style.bgcolor == LOOK.style("warning").color


def test_the_least_error_among_thousands_of_events_shows():
    drawn = stack([Layer("error", [1]), Layer("info", [9_999])], 1, 3, 10_000, LOOK)
    assert next(iter(drawn[-1])).style.color == LOOK.style("error").color


def test_without_colour_the_fill_tells_the_layers_apart():
    drawn = stack([Layer("error", [1]), Layer("info", [1])], 1, 2, 2, look(DARK, "none"))
    assert texts(drawn) == ["░", "█"]
    drawn = stack([Layer("error", [1]), Layer("info", [1])], 1, 2, 2, look(DARK, "full", ASCII))
    assert texts(drawn) == [":", "E"]


def test_a_sparkline_fills_from_its_foot():
    assert texts(spark([0, 1, 2, 4], 2, 1, LOOK)) == ["⣀⣼"]
    assert texts(spark([None, None], 1, 2, LOOK)) == [" ", " "]


def test_a_trend_never_reaches_the_row_above():
    assert trend([0, 1, 2, 4], 4, LOOK).text == "▁▂▄▇"
    assert trend([], 3, LOOK).text == "   "


def test_a_gap_in_a_curve_stays_empty():
    (row,) = lines([Curve("p50", [1, 1, 1, None, None, None, 1, 1, 1])], 9, 1, 2, LOOK)
    assert row.text[4] in " ⠀"
    assert row.text[1] not in " ⠀"


def test_curves_take_their_styles_from_the_theme_and_not_from_plotext():
    rows = lines([Curve("p50", [1, 1]), Curve("p99", [9, 9])], 8, 4, 10, LOOK)
    used = {part.style.color for row in rows for part in row if part.text.strip()}
    assert used == {LOOK.style("p50").color, LOOK.style("p99").color}


@pytest.mark.parametrize("drawn_for", LOOKS)
@pytest.mark.parametrize("size", [(0, 0), (1, 1), (7, 2), (58, 11)])
def test_every_plot_fills_its_size_whatever_the_values(drawn_for, size):
    width, height = size
    plots = [
        spark(ODD, width, height, drawn_for),
        stack([Layer("error", ODD), Layer("info", ODD)], width, height, 10, drawn_for),
        lines([Curve("p50", ODD), Curve("dim", [], dotted=True)], width, height, 10, drawn_for),
        chart(
            lambda w, h: stack([Layer("info", [1, 2])], w, h, 2, drawn_for),
            span=SPAN,
            top=2,
            width=width,
            height=height,
            look=drawn_for,
            marks=[Mark(START + timedelta(minutes=3), "api 2.4.0")],
            brush=TimeSpan(START, START + timedelta(minutes=1)),
        ),
    ]
    for strips in plots:
        assert [strip.cell_length for strip in strips] == [width] * height


def test_ticks_fall_on_round_times_of_the_zone():
    assert [tick.label for tick in time_ticks(SPAN, 52)] == ["13:50", "13:55", "14:00"]
    kathmandu = time_ticks(SPAN, 52, ZoneInfo("Asia/Kathmandu"))
    assert [tick.label for tick in kathmandu] == ["19:35", "19:40", "19:45"]


def test_midnight_shows_the_date_and_long_spans_show_months():
    night = TimeSpan(START, START + timedelta(hours=24))
    assert "23 Nov" in [tick.label for tick in time_ticks(night, 52)]
    years = TimeSpan(START, START + timedelta(days=900))
    assert all(tick.label[-4:].isdigit() for tick in time_ticks(years, 52))


def test_ticks_stay_round_across_the_end_of_summer_time():
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 24, 21, tzinfo=UTC)
    labels = [t.label for t in time_ticks(TimeSpan(start, start + timedelta(hours=25)), 80, zone)]
    assert "25 Oct" in labels
    assert [int(label[:2]) % 3 for label in labels if ":" in label] == [0] * (len(labels) - 1)


@pytest.mark.parametrize("seconds", [0.05, 1, 90, 900, 3600, 86_400, 7e6, 4e7, 9e8])
@pytest.mark.parametrize("width", [5, 20, 52, 112])
def test_labels_never_touch_nor_leave_the_axis(seconds, width):
    ticks = time_ticks(TimeSpan(START, START + timedelta(seconds=seconds)), width)
    line = [0] * width
    for tick in ticks:
        first = tick.x - len(tick.label) // 2
        assert first >= 0
        assert first + len(tick.label) <= width
        for cell in range(first, first + len(tick.label)):
            line[cell] += 1
    assert max(line) <= 1


def drawn(marks=(), brush=None, drawn_for=LOOK):
    return chart(
        lambda w, h: stack([Layer("info", [1] * 4 + [2] * 4)], w, h, 2, drawn_for),
        span=SPAN,
        top=2,
        width=58,
        height=11,
        look=drawn_for,
        marks=marks,
        brush=brush,
    )


def test_a_chart_has_values_at_its_left_and_times_below():
    rows = texts(drawn())
    assert rows[0].startswith("    2 ┈")
    assert rows[9].startswith("    0 ─")
    assert rows[10].split() == ["13:50", "13:55", "14:00"]


def test_words_of_a_mark_lie_over_the_data_and_its_stem_behind():
    rows = texts(drawn([Mark(START + timedelta(minutes=9), "api 2.4.0")]))
    column = chart_frame(SPAN, 58, 11).column(START + timedelta(minutes=9))
    assert rows[0][column:].startswith("▾ api 2.4.0")
    assert rows[5][column] == "█"
    early = texts(drawn([Mark(START + timedelta(minutes=2), "api")]))
    assert early[1][chart_frame(SPAN, 58, 11).column(START + timedelta(minutes=2))] == "┊"


def test_marks_side_by_side_do_not_overwrite_each_other():
    first = Mark(START + timedelta(minutes=2), "api 2.4.0")
    second = Mark(START + timedelta(minutes=2.4), "web 1.2")
    assert "▾ api 2.4.0" in texts(drawn([first, second]))[0]
    last = Mark(SPAN.end - timedelta(seconds=20), "api 2.5.0")
    assert "api 2.5.0 ▾" in texts(drawn([last]))[0]


def test_hostile_words_of_a_mark_are_harmless():
    assert "␛" in texts(drawn([Mark(START + timedelta(minutes=2), "\x1b[2J")]))[0]


@pytest.mark.parametrize("drawn_for", LOOKS)
def test_a_brush_shows_on_the_axis_in_every_look(drawn_for):
    brush = TimeSpan(START + timedelta(minutes=5), START + timedelta(minutes=10))
    glyphs = drawn_for.glyphs
    axis = texts(drawn(brush=brush, drawn_for=drawn_for))[9]
    frame = chart_frame(SPAN, 58, 11)
    assert axis[frame.column(brush.start)] == glyphs.brush_start
    assert axis[frame.column(brush.end) - 1] == glyphs.brush_end


def test_columns_and_instants_are_each_others_way_back():
    frame = chart_frame(SPAN, 58, 11)
    for column in range(frame.left, frame.left + frame.width):
        assert frame.column(frame.instant(column) + timedelta(milliseconds=1)) == column


def peaks_drawn(*peaks, marks=(), width=46):
    start = datetime(2026, 11, 22, 14, tzinfo=UTC)
    span = TimeSpan(start, start + timedelta(minutes=40))
    told = [Peak(start + timedelta(minutes=at), words, "p99") for at, words in peaks]
    blank = lambda columns, rows: lines([], columns, rows, 1, LOOK)  # noqa: E731
    drawn = chart(
        blank, span=span, top=1, width=width, height=6, look=LOOK, marks=marks, peaks=told
    )
    return texts(drawn)


def test_a_value_above_the_axis_is_told_beside_its_sign():
    top, *_ = peaks_drawn((10, "14 s"), (39, "2 s"))
    assert top[16:22] == "▲ 14 s"
    assert top.rstrip().endswith("2 s ▲")


def test_the_words_of_peaks_keep_clear_of_each_other_and_of_marks():
    top, *_ = peaks_drawn((10, "14 s"), (12, "9 s"), (14, ""))
    assert (top[16], top[18], top[20]) == ("▲", "▲", "▲")
    assert "14 s ▲" in top
    assert "▲ 9 s" not in top
    start = datetime(2026, 11, 22, 14, tzinfo=UTC)
    first, second, *_ = peaks_drawn((10, "14 s"), marks=[Mark(start, "2.4.0")])
    assert "▲" not in first
    assert "▲ 14 s" in second
