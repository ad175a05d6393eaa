"""The shop's events with thirty attributes more, as services that log well have them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.tally import Receipt, Tally
from tests.benches import shop

WORDS = {  # name: how many values
    **{f"flag_{at}": 2 for at in range(6)},
    **{f"kind_{at}": 5 + at for at in range(8)},
    **{f"host_{at}": 40 + 20 * at for at in range(4)},
    **{f"page_{at}": 1_000 * (1 + at) for at in range(4)},
}
NUMBERS = tuple(f"number_{at}" for at in range(8))
ATTRIBUTES = (*WORDS, *NUMBERS)


def fill(folder: Path, size: int, *, length: timedelta) -> None:
    """A store of `size` events over `length`; in its last quarter, `kind_3` is mostly `w0`, and
    `number_2` twice as large.
    """
    end = shop.START + length
    writer = PartWriter(StoreFolder.open(folder, create=True), now=lambda: end)
    for seed, events in enumerate(shop.commits(size, length=length)):
        wide = widened(events, seed, is_late=(seed * shop.COMMIT) > size * 3 / 4)
        writer.commit(wide, Tally.of(Receipt(stored=wide.height), intake="bench"))


def widened(events: pl.DataFrame, seed: int, *, is_late: bool) -> pl.DataFrame:
    return events.with_columns(_columns(events.height, seed, is_late=is_late))


def _columns(count: int, seed: int, *, is_late: bool) -> Iterator[pl.Series]:
    rng = np.random.default_rng(1_000 + seed)
    for name, values in WORDS.items():
        words = pl.Series([f"w{at}" for at in range(values)])
        places = (rng.random(count) ** 2 * values).astype(np.int64)
        if is_late and name == "kind_3":
            places[rng.random(count) < 0.6] = 0
        yield words.gather(pl.Series(places)).alias(name)
    for name in NUMBERS:
        scale = 2.0 if is_late and name == "number_2" else 1.0
        yield pl.Series(name, (rng.lognormal(3, 1, count) * scale).round(2))
