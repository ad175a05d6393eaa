"""Shares with their uncertainty: the Wilson interval, which holds also near 0 and 1 and for few.

https://doi.org/10.1080/01621459.1927.10502953
"""

import math
from typing import Final, NamedTuple

Z: Final = 1.959963984540054
"""Of the normal distribution: 95 % lie within so many deviations."""


class Share(NamedTuple):
    """A share from 0 to 1 and its 95 % interval; all None where there is nothing to share."""

    share: float | None
    low: float | None
    high: float | None


def wilson(count: float, of: float) -> Share:
    """`count` out of `of`, which may be weighted sums."""
    if of <= 0:
        return Share(None, None, None)
    share = min(max(count / of, 0.0), 1.0)
    spread = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    middle, whole = share + Z * Z / (2 * of), 1 + Z * Z / of
    return Share(share, max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole))
