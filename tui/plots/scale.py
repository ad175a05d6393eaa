"""From values to cells: round tops, tick values, and values brought to a number of columns."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_NICE: Final = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
# Into how many equal steps an axis falls well, by the mantissa of its top.
_DIVISIONS: Final = {
    1.0: (5, 2, 1),
    1.5: (3, 1),
    2.0: (4, 2, 1),
    2.5: (5, 1),
    3.0: (3, 2, 1),
    4.0: (4, 2, 1),
    5.0: (5, 1),
    6.0: (3, 2, 1),
    8.0: (4, 2, 1),
}

Value = float | int | None


def known(value: Value) -> bool:
    return value is not None and math.isfinite(value)


def nice_top(value: float) -> float:
    """The least round number (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten) that is not
    below `value`; 1 for nothing, negative or not finite.
    """
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    # A hair above: 0.3 is 2.9999999999999996 times 0.1.
    factor = next((nice for nice in _NICE if value <= nice * power * (1 + 1e-9)), 10)
    return float(f"{factor * power:.3g}")


def divisions(top: float, rows: int) -> int:
    """How many equal steps an axis up to `top` gets over `rows` rows: two rows each or more."""
    mantissa = round(top / 10.0 ** math.floor(math.log10(top) + 1e-9), 6)
    fitting = _DIVISIONS.get(mantissa, (2, 1))
    return next((steps for steps in fitting if rows >= steps * 2), 1)


def axis_label(value: float) -> str:
    """At most five cells: `0`, `0.25`, `5e-4`, `400`, `1,500`, `12.5k`, `150k`, `1.5M`."""
    if 0 < value < 0.01:
        digits = 1 - math.floor(math.log10(value))
        mantissa = round(value * 10**digits)
        whole = mantissa // 10 if mantissa % 10 == 0 else mantissa
        return f"{whole}e-{digits - (whole != mantissa)}"
    if value < 10_000:
        return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def columns(values: Sequence[Value], width: int) -> list[float | None]:
    """`width` values for as many columns: neighbours averaged where there are more values, one
    value spread over several columns where there are fewer. None where nothing is known.
    """
    total = len(values)
    if not total or width <= 0:
        return [None] * max(0, width)
    if total <= width:
        return [_finite(values[column * total // width]) for column in range(width)]
    edges = [column * total // width for column in range(width + 1)]
    return [_mean(values[start:end]) for start, end in pairwise(edges)]


def _finite(value: Value) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _mean(values: Sequence[Value]) -> float | None:
    found = [float(value) for value in values if value is not None and math.isfinite(value)]
    return sum(found) / len(found) if found else None
