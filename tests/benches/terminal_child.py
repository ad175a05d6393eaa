"""The dashboard of bench_terminal: on a store, with the cell diff or without, its loop watched."""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

# As the dashboard command does: one core stays free for the loop.
os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, (os.cpu_count() or 2) - 1)))

from tui.app import DeckApp
from tui.view_state import View


class WatchedDeck(DeckApp):
    """Notes every gap of its event loop of more than 20 ms."""

    CSS_PATH = str(Path(sys.modules[DeckApp.__module__].__file__).with_name("app.tcss"))
    gaps_file = None

    def on_ready(self):
        self.run_worker(self._watch_loop())

    async def _watch_loop(self):
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            gap = time.perf_counter() - before - 0.005
            if gap > 0.02:
                self._note(gap)

    def _note(self, gap):
        with Path(self.gaps_file).open("a") as out:
            out.write(f"{gap * 1000:.1f}\n")


def main():
    store, gaps_file, mode, view = sys.argv[1:5]

    def opened():
        from store.event_store import EventStore

        return EventStore(Path(store))

    app = WatchedDeck(opened, view=View.parse(view, now=datetime.now(UTC)))
    app.cell_diff = mode == "diff"
    app.gaps_file = gaps_file
    app.run()


if __name__ == "__main__":
    main()
