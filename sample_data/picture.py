"""The picture in the README: `python -m sample_data.picture` draws the Overview of the demo.

Three minutes into it, on a clock that stands, so that the same code makes the same picture.
"""

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from sample_data.copies import block, demo_history
from sample_data.storing import commit, stored
from store.event_store import EventStore
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from tui.app import DeckApp

PICTURE: Final = Path(__file__).parent / "overview.svg"
STARTED: Final = datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)
SEEN: Final = STARTED + timedelta(minutes=3, seconds=27)
SEED: Final = 7
SIZE: Final = (120, 40)


def fill(folder: Path) -> None:
    """A demo's store as it stands at SEEN."""
    for part in demo_history(folder, STARTED, seed=SEED):
        part()
    writer = PartWriter(StoreFolder.open(folder), now=lambda: SEEN)
    told = pl.col("received_time").is_between(STARTED, SEEN, closed="left")
    for number in (-1, 0):
        commit(writer, stored(block(STARTED, number, seed=SEED).filter(told), SEEN))


async def draw(folder: Path) -> str:
    """The Overview as an SVG, once all panels are answered."""
    store = EventStore(folder, now=lambda: SEEN)
    app = DeckApp(lambda: store, clock=lambda: SEEN, zone=UTC)
    async with app.run_test(size=SIZE) as pilot:
        while app.stored is None or app.runner.askers():
            await pilot.pause(0.05)
        await pilot.pause(0.5)
        return app.export_screenshot(title="eventdeck demo")


def main() -> None:
    """Makes PICTURE anew."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        PICTURE.write_text(asyncio.run(draw(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
