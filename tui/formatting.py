"""Values as people read them, and text from events made safe to show.

Numbers come without their unit where a table has a column for it: `duration(1843)` is
`("1.8", "s")`. No function here ever cuts a number.
"""

import math
import re
import unicodedata
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size

OTHERS: Final = "(others)"
NONE: Final = "(none)"
"""In the place of a breakdown value: all that are not shown by themselves, and a missing one."""
# Characters that a terminal obeys, hides or draws in a width of its own.
_INVISIBLE: Final = {
    0x00AD: "SHY",
    0x034F: "CGJ",
    0x061C: "ALM",
    0x115F: "HF",
    0x1160: "HF",
    0x180E: "MVS",
    0x200B: "ZWSP",
    0x200C: "ZWNJ",
    0x200D: "ZWJ",
    0x200E: "LRM",
    0x200F: "RLM",
    0x2028: "LS",
    0x2029: "PS",
    0x202A: "LRE",
    0x202B: "RLE",
    0x202C: "PDF",
    0x202D: "LRO",
    0x202E: "RLO",
    0x2060: "WJ",
    0x2066: "LRI",
    0x2067: "RLI",
    0x2068: "FSI",
    0x2069: "PDI",
    0x3164: "HF",
    0xFEFF: "BOM",
    0xFFA0: "HF",
}
_SUSPECT: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u20e3\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
# Parts of a grapheme whose width terminals disagree on: joiners, variation selectors, skin tones,
# keycaps. After text that is not ASCII they only change a drawing, so they go without a trace.
_MODIFIER: Final = re.compile(
    "(?<=[^\x00-\x7f])[\u200c\u200d\ufe00-\ufe0f\u20e3]|[\U0001f3fb-\U0001f3ff]"
    "|[\ufe00-\ufe0f]\u20e3?"
)
# More marks than any language stacks on a letter; beyond that they climb over other rows.
_STACKED: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{2})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


@lru_cache(maxsize=8192)
def clean(text: str, *, ascii_only: bool = False) -> str:
    """Text from an event, safe for a terminal and measured alike by all of them.

    Control characters become visible (`␛`, `␀`; C1 as the escape it stands for), and so does what
    hides or turns text (`⟨RLO⟩`, `⟨ZWSP⟩`). Composed (NFC); emoji families fall apart into people.
    `ascii_only` writes the signs that are put in, not the text, in ASCII.
    """
    if text.isascii():
        if text.isprintable():
            return text
    else:
        text = _STACKED.sub(r"\1", unicodedata.normalize("NFC", text))
    if not _SUSPECT.search(text):
        return text
    text = _MODIFIER.sub("", text)
    return _SUSPECT.sub(lambda found: _visible(ord(found[0]), ascii_only), text)


def _visible(code: int, ascii_only: bool) -> str:
    if code < 0x20:
        return f"^{chr(code + 0x40)}" if ascii_only else chr(0x2400 + code)
    if code == 0x7F:
        return "^?" if ascii_only else "␡"
    if code < 0xA0:
        return ("^[" if ascii_only else "␛") + chr(code - 0x40)
    if 0xD800 <= code <= 0xDFFF:
        return "?" if ascii_only else "�"
    name = _INVISIBLE.get(code) or f"{code:X}"
    return f"<{name}>" if ascii_only else f"⟨{name}⟩"


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """Clean text in exactly `width` cells: padded, or cut with an ellipsis. Not for numbers."""
    if width <= 0:
        return ""
    # A cell takes at least half of a character after cleaning drops modifiers: cut before, so
    # that a message of 32 KiB costs no more than what is shown of it.
    shown = clean(text[: width * 8 + 8], ascii_only=ellipsis.isascii())
    size = cell_len(shown)
    if size > width:
        return set_cell_size(shown, width - 1) + ellipsis
    gap = " " * (width - size)
    return gap + shown if right else shown + gap


def _three_digits(number: float) -> str:
    size = abs(number)
    return f"{number:.2f}" if size < 9.995 else f"{number:.1f}" if size < 99.95 else f"{number:.0f}"


def _scaled(number: float, steps: tuple[tuple[float, str], ...]) -> tuple[str, str]:
    """In the largest unit of which there is at least one after rounding to three digits."""
    for size, unit in steps:
        if abs(number) >= size * 0.9995:
            return _three_digits(number / size), unit
    return f"{number:,.0f}", ""


_MANY: Final = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SIZES: Final = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def count(number: float) -> str:
    """`71,402`, from 100,000 `221 k`, `1.30 M`; fractions below 100 keep one place."""
    if abs(number) < 99_999.5:
        fractional = number != int(number) and abs(number) < 99.95
        return f"{number:,.1f}" if fractional else f"{number:,.0f}"
    text, unit = _scaled(number, _MANY)
    return f"{text} {unit}"


def number(value: float) -> str:
    """Any value of an attribute in a few cells: `0.105`, `12.5`, `71,402`, `1.30 M`."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size >= 99.95 or value == int(value):
        return count(value)
    return f"{value:.1f}" if size >= 9.95 else f"{value:.3g}"


def rate(number: float) -> str:
    """Per second: `245.0`, `0.03`, `12.5 k`."""
    size = abs(number)
    if size >= 9_999.5:
        text, unit = _scaled(number, _MANY)
        return f"{text} {unit}"
    if size >= 999.95:
        return f"{number:,.0f}"
    return f"{number:.1f}" if size >= 0.05 or not size else f"{number:.1g}"


def size(number: float) -> tuple[str, str]:
    """Bytes in decimal units: `("1.10", "kB")`."""
    text, unit = _scaled(number, _SIZES)
    return text, unit or "B"


_DURATIONS: Final = (
    (31_557_600_000.0, "y"),
    (86_400_000.0, "d"),
    (3_600_000.0, "h"),
    (100_000.0, "m"),
    (1_000.0, "s"),
    (1.0, "ms"),
    (0.001, "µs"),
    (0.000001, "ns"),
)
_MINUTE: Final = 60_000.0


def duration(milliseconds: float) -> tuple[str, str]:
    """Two digits and the unit: `("7.4", "ms")`, `("12", "s")`, `("800", "µs")`, `("2.5", "m")`."""
    for start, unit in _DURATIONS:
        if abs(milliseconds) >= start * 0.9995:
            number = milliseconds / (_MINUTE if unit == "m" else start)
            return (f"{number:.1f}" if abs(number) < 9.95 else f"{number:,.0f}"), unit
    return "0", "ms"


def duration_scale(top_ms: float) -> tuple[float, str]:
    """For an axis that reaches `top_ms`: how many milliseconds its unit is, and the unit."""
    for start, unit in _DURATIONS:
        if top_ms >= start * 1.5:
            return (_MINUTE if unit == "m" else start), unit
    return 1.0, "ms"


def length(span: timedelta) -> str:
    """A length of time to the nearest of two units: `1h 05m`, `42s`, `3d 4h`."""
    seconds = round(span.total_seconds())
    if seconds < 60:
        return f"{seconds}s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}m {seconds:02}s" if seconds else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes:02}m" if minutes else f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h" if hours else f"{days}d"


def percent(share: float, *, digits: int = 2) -> str:
    """A share of one, in per cent without the sign: `1.36`, `12`, `<0.01`; never `100` for less
    than all, never `0` for more than nothing. Below ten it has `digits` places.
    """
    number = share * 100
    least = 0.1**digits
    if 0 < number < least / 2:
        return f"<{least:.{digits}f}"
    if 99.5 <= number < 100:
        return ">99"
    return f"{number:.{digits}f}" if number < 10 - least / 2 and number else f"{number:.0f}"


class Delta(NamedTuple):
    """A change: its direction (-1, 0, 1) and its size as text without a sign."""

    direction: int
    text: str


def delta(now: float | None, before: float | None) -> Delta | None:
    """How `now` differs from `before`: `12 %`, from triple on `×9.1`; None where neither says."""
    if now is None or before is None:
        return None
    if not before:
        return Delta(1, "new") if now else Delta(0, "0 %")
    ratio = now / before
    if abs(ratio) >= 3:
        return Delta(1, f"×{ratio:.1f}" if ratio < 9.95 else f"×{ratio:,.0f}")
    change = round((ratio - 1) * 100)
    return Delta((change > 0) - (change < 0), f"{abs(change)} %")


def clock(instant: datetime, zone: tzinfo, *, digits: int = 0) -> str:
    """`14:03:27` in `zone`, with up to six digits of the second."""
    local = instant.astimezone(zone)
    text = f"{local:%H:%M:%S}"
    return f"{text}.{local.microsecond:06d}"[: 9 + digits] if digits else text


def moment(instant: datetime, zone: tzinfo, now: datetime) -> str:
    """`14:03` today, `21 Nov 14:03` this year, `2025-11-21 14:03` before: for `since …`."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%-d %b %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def value_name(value: str) -> str:
    """A breakdown value: NONE for an empty one; one that reads as NONE or OTHERS is in quotes."""
    return f'"{value}"' if value in (OTHERS, NONE) else value or NONE
