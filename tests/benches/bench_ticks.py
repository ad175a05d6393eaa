"""A live tick: what an answer takes after 10,000 new events, when it was given before.

Run it with `python -m tests.benches.bench_ticks [FOLDER] [WORD…]`; ordered analyses are asked over a
day of a million, additive ones over the ten million of `bench_questions` in FOLDER (made when
missing, never written to: its parts are linked). Words choose questions by their titles.

The peer is the same question over the same parts with nothing kept, in the same process. Medians of
TICKS, the worst beside; the bounds are what a screen that ticks each second can spare.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from store.analytics.funnel.analysis import Funnel
from store.analytics.funnel.trend import FunnelTrend
from store.analytics.paths.drop_off import DropOff
from store.analytics.paths.paths import Paths
from store.analytics.paths.transitions import Transitions
from store.analytics.percentiles import Percentiles
from store.analytics.query import Query
from store.analytics.retention import Retention
from store.analytics.sessions.analysis import Sessions
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.tally import Receipt, Tally
from store.timespan import TimeSpan
from tests.benches import shop
from tests.benches.bench_questions import SIZE
from tests.benches.questions import STEPS, WINDOW

DAY_SIZE, TICK_SIZE, TICKS = 1_000_000, 10_000, 9
DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
ORDERED_MS, ADDITIVE_MS = 250, 50
_TIMED: Final = (STEPS[0], *({"name": step, "within": "10m"} for step in STEPS[1:]))
ORDERED: Final[Mapping[str, Query]] = {
    "funnel": Funnel(steps=STEPS, window=WINDOW),
    "funnel, strict": Funnel(steps=STEPS, window=WINDOW, order="strict"),
    "funnel, unordered": Funnel(steps=STEPS, window=WINDOW, order="unordered"),
    "funnel, a time a step": Funnel(steps=_TIMED, window=WINDOW),
    "funnel by region": Funnel(steps=STEPS, window=WINDOW, by=("region",)),
    "funnel-trend": FunnelTrend(steps=STEPS, window=WINDOW, interval=timedelta(hours=1)),
    "retention": Retention(periods=7),
    "paths": Paths(),
    "transitions": Transitions(),
    "drop-off": DropOff(),
    "sessions": Sessions(),
}
ADDITIVE: Final[Mapping[str, Query]] = {
    "trends": Trends(),
    "trends of users": Trends(measures=("users",)),
    "percentiles": Percentiles(by=("event_name",)),
    "top": Top(),
}


def main() -> None:
    words = sys.argv[2:]
    with tempfile.TemporaryDirectory() as scratch:
        stored = Path(sys.argv[1] if len(sys.argv) > 1 else scratch) / "questions"
        if not stored.exists():
            shop.fill(stored, SIZE)
        day = Path(scratch) / "day"
        shop.fill(day, DAY_SIZE, length=DAY)
        ticks(day, shop.START + DAY, chosen(ORDERED, words), ORDERED_MS)
        end = EventStore(stored).span()
        assert end is not None
        ticks(linked(stored, Path(scratch) / "all"), end.end, chosen(ADDITIVE, words), ADDITIVE_MS)


def chosen(asked: Mapping[str, Query], words: list[str]) -> Mapping[str, Query]:
    return {t: query for t, query in asked.items() if not words or any(w in t for w in words)}


def linked(folder: Path, to: Path) -> Path:
    """The same store with parts that are the same files, which nobody ever writes to again."""
    for file in folder.rglob("*"):
        there = to / file.relative_to(folder)
        if file.is_file():
            there.parent.mkdir(parents=True, exist_ok=True)
            (os.link if file.suffix == ".parquet" else shutil.copyfile)(file, there)
    return to


def ticks(folder: Path, end: datetime, asked: Mapping[str, Query], most: int) -> None:
    """Prints a line for each question; all of them see the same new events."""
    clock = [end]
    writer = PartWriter(StoreFolder.open(folder), now=lambda: clock[0])
    store = EventStore(folder, now=lambda: clock[0])
    span = store.span()
    assert span is not None
    until = TimeSpan(span.start, end + TICKS * MINUTE)
    questions = {title: query.with_span(until) for title, query in asked.items()}
    for query in questions.values():
        store.run(query)
    taken: dict[str, list[float]] = {title: [] for title in questions}
    for tick in range(TICKS):
        events = shop.made(SIZE * 2 + tick, TICK_SIZE, clock[0], MINUTE)
        clock[0] += MINUTE
        writer.commit(events, Tally.of(Receipt(stored=TICK_SIZE), intake="bench"))
        for title, query in questions.items():
            taken[title].append(timed(store, query))
    for title, query in questions.items():
        anew = timed(EventStore(folder, now=lambda: clock[0]), query)
        median, worst = statistics.median(taken[title]), max(taken[title])
        print(
            f"{title:22} {median:5.0f} ms, worst {worst:5.0f}; asked anew {anew:6.0f} ms, "
            f"ratio {median / anew:.2f}; at most {most} ms: {'yes' if median <= most else 'NO'}",
            flush=True,
        )


def timed(store: EventStore, query: Query) -> float:
    begun = time.perf_counter()
    store.run(query)
    return (time.perf_counter() - begun) * 1_000


if __name__ == "__main__":
    main()
