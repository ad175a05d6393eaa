"""Numbers that are never cut, and text from events that a terminal cannot obey."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from tui.formatting import clean, clock, count, delta, duration, fit, length, percent, rate, size


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (948, "948"),
        (71_402, "71,402"),
        (99_999, "99,999"),
        (100_000, "100 k"),
        (221_300, "221 k"),
        (999_499, "999 k"),
        (999_999, "1.00 M"),
        (1_300_000, "1.30 M"),
        (12_520_000, "12.5 M"),
        (-4, "-4"),
        (2.5, "2.5"),
    ],
)
def test_counts_keep_three_digits_and_never_round_into_a_fourth(number, text):
    assert count(number) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, ("0", "ms")),
        (0.8, ("800", "µs")),
        (7.4, ("7.4", "ms")),
        (84.2, ("84", "ms")),
        (999.6, ("1.0", "s")),
        (1_843, ("1.8", "s")),
        (12_000, ("12", "s")),
        (150_000, ("2.5", "m")),
        (3_600_000, ("1.0", "h")),
        (200_000_000, ("2.3", "d")),
        (1e12, ("32", "y")),
    ],
)
def test_durations_come_as_number_and_unit(milliseconds, text):
    assert duration(milliseconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0"),
        (0.00001, "<0.01"),
        (0.0136, "1.36"),
        (0.71, "71"),
        (0.9999, ">99"),
        (1, "100"),
    ],
)
def test_percent_says_all_only_of_all_and_none_only_of_none(share, text):
    assert percent(share) == text


def test_sizes_and_rates_have_units():
    assert size(849) == ("849", "B")
    assert size(1_100) == ("1.10", "kB")
    assert (rate(245), rate(0.031), rate(0), rate(12_500)) == ("245.0", "0.03", "0.0", "12.5 k")


def test_a_change_is_a_direction_and_a_size():
    assert delta(112, 100) == (1, "12 %")
    assert delta(97, 100) == (-1, "3 %")
    assert delta(910, 100) == (1, "×9.1")
    assert delta(100.1, 100) == (0, "0 %")
    assert delta(5, 0) == (1, "new")
    assert delta(0, 0) == (0, "0 %")
    assert delta(None, 3) is None


def test_times_show_the_digits_asked_for():
    instant = datetime(2026, 11, 22, 14, 3, 27, 123_456, UTC)
    assert clock(instant, UTC) == "14:03:27"
    assert clock(instant, UTC, digits=3) == "14:03:27.123"
    assert length(timedelta(seconds=3900)) == "1h 05m"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x9b2J", "␛[2J"),
        ("a\x00b\rc", "a␀b␍c"),
        ("ad\u200bmin", "ad⟨ZWSP⟩min"),
        ("\u202egnp.exe", "⟨RLO⟩gnp.exe"),
        ("e\u0301", "é"),
        ("👩\u200d👩\u200d👧", "👩👩👧"),
        ("👍\U0001f3fd", "👍"),
        ("\ud800", "�"),
        ("line\nnext\ttab", "line␊next␉tab"),
        ("\U000e0041", "⟨E0041⟩"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_becomes_visible(hostile, shown):
    assert clean(hostile) == shown


def test_the_ascii_set_writes_control_characters_with_carets():
    assert clean("\x1b\x07\x9b\u202e", ascii_only=True) == "^[^G^[[<RLO>"


def test_every_character_comes_out_harmless():
    for code in range(0x11000):
        shown = clean(f"a{chr(code)}b")
        assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown), hex(code)
        assert not any(0x202A <= ord(c) <= 0x202E for c in shown), hex(code)


def test_marks_that_climb_over_other_rows_are_cut_down():
    assert len(clean("Z" + "\u0335" * 50)) <= 3


@pytest.mark.parametrize(
    "text", ["tool_error", "日本語のエラー", "👩‍👩‍👧 family", "x" * 40_000, ""]
)
def test_fitted_text_takes_exactly_its_cells(text):
    for width in (1, 2, 5, 9, 30):
        assert cell_len(fit(text, width)) == width
        assert cell_len(fit(text, width, right=True)) == width
