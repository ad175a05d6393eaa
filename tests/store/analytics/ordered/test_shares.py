"""Work on shares of the subjects."""

from datetime import timedelta
from random import Random

import polars as pl
import pytest

from store.analytics.ordered import shares
from store.analytics.ordered.shares import by_shares
from store.analytics.sessions.pieces import joined
from store.testing import NOON


def test_each_subject_is_worked_on_once_with_all_of_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares, "SHARED_ROWS", 10)
    rows = pl.DataFrame({"who": [k % 37 for k in range(1_000)]}, {"who": pl.UInt64()})
    counts = by_shares(rows, lambda share: share.group_by("who").len())
    expected = rows.group_by("who").len()
    assert counts.sort("who").equals(expected.sort("who"))


def test_few_rows_are_one_share() -> None:
    rows = pl.DataFrame({"who": [1, 2, 3]}, {"who": pl.UInt64()})
    seen = []

    def work(share: pl.DataFrame) -> pl.DataFrame:
        seen.append(share.height)
        return share

    assert by_shares(rows, work).equals(rows)
    assert seen == [3]


def test_sessions_of_shares_are_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(5)
    starts = [NOON + timedelta(minutes=chance.randrange(2_000)) for _ in range(3_000)]
    pieces = pl.DataFrame(
        {"who": [chance.getrandbits(64) % 101 for _ in starts], "start": starts},
        {"who": pl.UInt64(), "start": pl.Datetime("us", "UTC")},
    ).with_columns(
        end=pl.col("start") + pl.duration(minutes=4),
        events=pl.lit(2),
        errors=pl.lit(1),
        interactions=pl.lit(0),
    )
    whole = joined(pieces, timedelta(minutes=30))
    monkeypatch.setattr(shares, "SHARED_ROWS", 10)
    shared = joined(pieces, timedelta(minutes=30))
    assert whole["events"].sum() == 6_000
    assert shared.sort("who", "start").equals(whole.sort("who", "start"))
