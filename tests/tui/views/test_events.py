"""An event as a line of the table and as the pane that shows all of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from store.timespan import TimeSpan
from tui.glyphs import ASCII
from tui.theme import DARK, look
from tui.views.event_columns import event_columns, severity_of, telling_first
from tui.views.event_detail import as_filter_value, detail_lines
from tui.widgets.columns import fitting

NOW = datetime(2026, 11, 22, 14, 3, 27, 123_456, tzinfo=UTC)
SPAN = TimeSpan(NOW - timedelta(minutes=15), NOW)
LOOK = look(DARK)
LOOKS = [LOOK, look(DARK, "16"), look(DARK, "none"), look(DARK, "full", ASCII)]
HOSTILE = (
    "\x1b]0;x\x07 \x9b2J \u202egnp \u200b 👩\u200d👩\u200d👧 e\u0301 \x00\r\n日本語 [red]markup[/]"
)


def line_of(row, width=70, drawn_for=LOOK, span=SPAN):
    row = {"event_time": NOW, "event_name": "visit", **row}
    cells = [
        column.cell(row, size, drawn_for)
        for column, size in fitting(event_columns(span, UTC), width)
    ]
    return ["".join(text for text, _ in parts) for parts in cells]


@pytest.mark.parametrize("drawn_for", LOOKS)
@pytest.mark.parametrize("width", [20, 40, 70, 110])
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"severity": 17, "message": HOSTILE, "user_id": HOSTILE, "service_name": HOSTILE},
        {"event_name": HOSTILE, "duration_ms": 1843.2, "plan": HOSTILE, "amount": 12345.678},
        {"severity": 1, "install_id": "dev-1", "duration_ms": 0.0004, "value": 42.1, "unit": "%"},
        {HOSTILE: HOSTILE, "is": True, "duration_ms": 1e300},
        {"duration_ms": float("nan"), "cost": float("inf"), "rate": 1e300},
    ],
)
def test_every_cell_fills_its_column_and_nothing_in_it_can_be_obeyed(row, width, drawn_for):
    shown = line_of(row, width, drawn_for)
    sizes = [size for _, size in fitting(event_columns(SPAN, UTC), width)]
    assert [cell_len(text) for text in shown] == sizes
    assert not any(
        ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in "".join(shown)
    )
    assert "\u202e" not in "".join(shown)


@pytest.mark.parametrize(("width", "size"), [(34, 11), (26, 19), (19, 19), (12, 12), (4, 8)])
def test_where_there_is_no_room_the_name_stays(width, size):
    days = replace(SPAN, start=SPAN.start - timedelta(days=2))
    shown = {column.name: size for column, size in fitting(event_columns(days, UTC), width)}
    assert shown["event_name"] == size
    assert ("event_time" in shown) == (width == 34)


def test_a_line_without_a_message_says_what_tells_most():
    page = telling_first(
        {
            0: {"event_time": NOW, "browser": "Chrome", "query": "wool socks"},
            1: {"event_time": NOW, "browser": "Safari", "query": None},
        }
    )
    assert line_of(page[0])[-1].startswith("query wool socks")
    assert line_of(page[1])[-1].startswith("browser Safari")


def test_a_number_is_there_whole_or_not_at_all():
    for width in range(60, 90):
        summary = line_of({"cost_usd": 0.10516, "tokens": 29_874}, width)[-1]
        assert set(summary.split()) <= {"cost_usd", "0.105", "tokens", "29,874"}


def test_a_measured_value_comes_with_its_unit():
    assert line_of({"value": 42.1, "unit": "ms"})[-1].startswith("value 42.1 ms")


def test_a_span_of_several_days_shows_the_day():
    week = TimeSpan(NOW - timedelta(days=7), NOW)
    assert line_of({}, span=week)[0] == "22 Nov 14:03:27.123"
    assert line_of({})[0] == "14:03:27.123"
    one_day = TimeSpan(NOW.replace(hour=0, minute=0, second=0, microsecond=0), NOW)
    assert line_of({}, span=one_day)[0] == "14:03:27.123"


@pytest.mark.parametrize(
    ("number", "severity"),
    [(None, ""), (0, ""), (1, "trace"), (9, "info"), (20, "error"), (24, "fatal")],
)
def test_severities_have_their_class(number, severity):
    assert severity_of({"severity": number})[0] == severity


EVENT = {
    "event_id": "01a20275-ec3e-7002-aa08-5eed32a39056",
    "event_time": NOW,
    "event_name": "tool_error",
    "event_type": "error",
    "severity": 17,
    "message": "EACCES: permission denied, open '/etc/shadow'",
    "service_name": "agent",
    "user_id": "ada",
    "duration_ms": 1843.2,
    "is_dev": False,
    "input_tokens": 29_874,
    "cost": 0.10516,
    "files": '["a.py", {"b": 1}]',
}


def pane(event=None, width=40, drawn_for=LOOK, zone=UTC):
    return detail_lines(event or EVENT, width, drawn_for, zone)


def texts(lines):
    return [entry.strip.text.rstrip() for entry in lines]


def test_the_pane_shows_every_attribute_once_in_groups():
    lines = pane()
    named = [entry.attribute for entry in lines if entry.attribute]
    assert set(named) == set(EVENT) - {"event_time", "event_name"}
    shown = texts(lines)
    assert shown[0].startswith("● error")
    assert shown[0].endswith("22 Nov 2026 14:03:27.123456")
    headings = [text.split()[0] for text in shown if text.endswith("─")]
    assert headings == ["what", "where", "who", "attributes", "record"]


def test_values_are_typed_and_keep_all_their_digits():
    shown = "\n".join(texts(pane()))
    assert "1.8 s" in shown
    assert "1,843.2 ms" in shown
    assert "29,874" in shown
    assert "0.10516" in shown
    assert "false" in shown
    assert "- a.py" in shown
    assert '- {"b":1}' in shown


def test_times_are_shown_in_the_zone():
    assert texts(pane(zone=ZoneInfo("Asia/Kathmandu")))[0].endswith("19:48:27.123456")


def test_what_can_be_chosen_has_the_value_that_a_filter_takes():
    values = {entry.attribute: entry.value for entry in pane()}
    assert values["severity"] == "error"
    assert values["is_dev"] == "false"
    assert values["input_tokens"] == "29874"
    assert values["message"] == EVENT["message"]
    assert [as_filter_value(v) for v in (2.0, 0.5, True, NOW)] == [
        *("2", "0.5", "true", "2026-11-22T14:03:27.123456Z")
    ]


@pytest.mark.parametrize("drawn_for", LOOKS)
@pytest.mark.parametrize("width", [8, 20, 39, 100])
def test_the_pane_keeps_its_width_whatever_an_event_says(width, drawn_for):
    event = {**EVENT, "message": HOSTILE * 50, "k" * 90: "v" * 900, HOSTILE: HOSTILE, "none": "[]"}
    lines = detail_lines(event, width, drawn_for)
    assert {entry.strip.cell_length for entry in lines} == {width}
    assert all(cell_len(entry.strip.text) == width for entry in lines)
    together = "".join(entry.strip.text for entry in lines)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in together)


def test_a_long_value_is_wrapped_at_spaces_and_bounded():
    lines = pane({**EVENT, "prompt": "word " * 5_000})
    wrapped = [entry.strip.text for entry in lines if entry.attribute == "prompt"]
    assert len(wrapped) == 40
    assert all("wor " not in text for text in wrapped)


def test_text_that_looks_like_markup_stays_as_it_is():
    assert "[red]markup[/]" in "\n".join(texts(pane({**EVENT, "note": "[red]markup[/]"})))
