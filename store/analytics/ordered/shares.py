"""Work on subjects that need nothing of each other, done on shares of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import polars as pl

from store.analytics.ordered.subjects import WHO

SHARES: Final = 4
"""So that a share's columns stay in a processor's cache while rows are put in order."""
AT_ONCE: Final = 2
SHARED_ROWS: Final = 200_000
"""From here dividing the rows costs less than it saves."""


Made = TypeVar("Made")


def by_shares(rows: pl.DataFrame, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `work` makes of `rows`, one after the other for each share of the subjects; all rows of
    a WHO are in one share, and none is null. Raises what `work` does.
    """
    return pl.concat(of_shares(rows, work))


def of_shares(
    rows: pl.DataFrame,
    work: Callable[[pl.DataFrame], Made],
    *,
    who: str = WHO,
    shares: int = SHARES,
) -> list[Made]:
    """The same, share by share; of few rows, there is but one."""
    if rows.height < SHARED_ROWS:
        return [work(rows)]
    own = pl.col(who) % shares
    with ThreadPoolExecutor(AT_ONCE, "share") as pool:
        return list(pool.map(lambda share: work(rows.filter(own == share)), range(shares)))
