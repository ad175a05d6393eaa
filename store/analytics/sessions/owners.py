"""Which sessions are meant, where another analysis found them: by what holds each together, and its
first instant.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import polars as pl

from store.analytics.ordered.subjects import WHO
from store.schema import INSTANT

OWNER: Final = "owner"
"""The hash of the session id, else the subject."""
_SEED: Final = 11


def owner_of(is_named: pl.Expr) -> pl.Expr:
    """What holds an event's or a session's events together."""
    return pl.coalesce(session_hash(is_named), WHO)


def session_hash(is_named: pl.Expr) -> pl.Expr:
    """The id that holds an event's session together, as OWNER has it; null without one."""
    return pl.when(is_named).then(pl.col("session_id").hash(seed=_SEED))


class Among:
    """A set of sessions; it is told apart from others by what it holds."""

    def __init__(self, sessions: Iterable[tuple[int, datetime]]) -> None:
        """Of OWNER and `start` each."""
        schema = {OWNER: pl.UInt64(), "start": INSTANT}
        self._frame = pl.DataFrame(list(sessions), schema=schema, orient="row").unique()

    def __repr__(self) -> str:
        """It is part of the key of a kept answer."""
        return f"Among({self._frame.height}, {int(self._frame.hash_rows(seed=5).sum())})"

    def kept(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """Those of `sessions` (as `pieces.merged` gives them) that are in it."""
        owned = sessions.with_columns(owner_of(pl.col("session_id").is_not_null()).alias(OWNER))
        return owned.join(self._frame, on=(OWNER, "start"), how="semi")
