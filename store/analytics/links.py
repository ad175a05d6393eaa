"""Devices and the users they were linked to: who an event without a `user_id` belongs to."""

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Final

import polars as pl

from store.schema import INSTANT

LINKS: Final = {"device": pl.UInt64(), "user": pl.UInt64(), "time": INSTANT}


class Links:
    """device -> user over all history, as hashes (`subject_hash`); found when first needed."""

    def __init__(self, load: Callable[[], pl.DataFrame]) -> None:
        """`load` gives the frame; it is called once, or never when no device was seen."""
        self._load = load
        self.asked: pl.Series | None = None
        """The devices whose users somebody asked for."""

    def of(self, devices: pl.Series) -> pl.DataFrame:
        """The rows of `frame` for these hashes of devices."""
        self.asked = devices if self.asked is None else self.asked.append(devices)
        return self._of(devices)

    def version(self, devices: pl.Series) -> Hashable:
        """Equal while these devices belong to the same users."""
        found = self._of(devices)
        return found.height, int(found.hash_rows(seed=3).sum())

    def _of(self, devices: pl.Series) -> pl.DataFrame:
        return self.frame.filter(self.frame["device"].is_in(devices.implode()))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The columns `device` and `user` (UInt64), each device once."""
        return self._load().select("device", "user")


def no_links() -> Links:
    """For `--no-link`: each device counts as itself."""
    return Links(lambda: pl.DataFrame(schema=LINKS))


def is_given(column: str) -> pl.Expr:
    """True where an identity is there, else False; an empty text is none."""
    # A column that nobody sent has the type Null.
    return (pl.col(column).cast(pl.String).str.len_bytes() > 0).fill_null(value=False)
