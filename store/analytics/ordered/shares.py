"""Work on subjects that need nothing of each other, done on shares of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import polars as pl

from store.analytics.ordered.subjects import WHO

SHARES: Final = 4
"""So that a share's columns stay in a processor's cache while rows are put in order."""
AT_ONCE: Final = 2
SHARED_ROWS: Final = 200_000
"""From here dividing the rows costs less than it saves."""


def by_shares(rows: pl.DataFrame, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `work` makes of `rows`, one after the other for each share of the subjects; all rows of
    a WHO are in one share, and none is null. Raises what `work` does.
    """
    if rows.height < SHARED_ROWS:
        return work(rows)
    own = pl.col(WHO) % SHARES
    with ThreadPoolExecutor(AT_ONCE, "share") as pool:
        shares = pool.map(lambda share: work(rows.filter(own == share)), range(SHARES))
        return pl.concat(list(shares))
