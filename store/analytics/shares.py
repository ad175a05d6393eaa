"""Shares with their uncertainty: the Wilson interval, which holds also near 0 and 1 and for few.

https://doi.org/10.1080/01621459.1927.10502953, and for the difference of two shares, Newcombe's
hybrid score interval (his method 10), https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873
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


class Gap(NamedTuple):
    """One share less another, -1 to 1, and its 95 % interval; all None where one is of nothing."""

    difference: float | None
    low: float | None
    high: float | None


def newcombe(now: Share, before: Share) -> Gap:
    """`now` less `before`, out of their Wilson intervals.

    Of two sets of people who have nothing to do with each other; where many are in both, the truth
    lies closer than the interval says.
    """
    if now.share is None or before.share is None:
        return Gap(None, None, None)
    assert now.low is not None
    assert now.high is not None
    assert before.low is not None
    assert before.high is not None
    gap = now.share - before.share
    below = math.hypot(now.share - now.low, before.high - before.share)
    above = math.hypot(now.high - now.share, before.share - before.low)
    return Gap(gap, max(-1.0, gap - below), min(1.0, gap + above))
