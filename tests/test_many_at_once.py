"""Many at once on one store: a collector, imports, a maintainer, dashboards and other programs."""

import contextlib
import threading
import time

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pytest

from store.analytics.trends import Trends
from store.event_store import EventStore
from store.importer import import_files
from store.maintenance.maintainer import Maintainer
from store.testing import events_of, write
from tests.collecting import collecting, ndjson, settings
from tests.killing import Sender

SECONDS = 4.0
SECONDS_MAX = 30.0
PARTS = 40
HASTE = 30.0
"""The maintainer's clock runs so much faster: covered parts go after two seconds."""


class Worker(threading.Thread):
    """Does `work` again and again until it is told to stop; `end` raises what it raised."""

    def __init__(self, work, stop):
        super().__init__()
        self.work, self.stop = work, stop
        self.times, self.error = 0, None

    def run(self):
        try:
            while not self.stop.is_set():
                self.work()
                self.times += 1
        except BaseException as error:  # noqa: BLE001  raised again by `end`
            self.error = error
            self.stop.set()

    def end(self):
        self.join()
        if self.error:
            raise self.error
        assert self.times > 0


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def senders(store, imported):
    """Two that send to a collector as long as the test goes on."""
    stop = threading.Event()
    with collecting(settings(store)) as collector:
        threads = [Sender(name, lambda: collector.port, stop) for name in "ab"]
        for thread in threads:
            thread.start()
        yield threads
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def acknowledged(senders, imported):
    """All ids whose storage was confirmed so far."""
    return lambda: {each for ids in (*(s.acknowledged for s in senders), imported) for each in ids}


@pytest.fixture
def imported(store):
    """What came by other ways than the collector: at first enough small parts to be merged."""
    ids = [f"first-{number}" for number in range(PARTS)]
    write(store, *(events_of([{"event_id": each}]) for each in ids))
    return ids


def importing(store, folder, imported):
    """One more file with history."""

    def work():
        number = len(imported)
        ids = [f"i{number + row}" for row in range(500)]
        path = folder / f"{number}.ndjson"
        path.write_bytes(ndjson(*({"event_id": e, "event_name": "y", "n": number} for e in ids)))
        import_files([path], settings=settings(store))
        imported.extend(ids)

    return work


def maintaining(store):
    """Rounds without a pause, in a hurry."""
    folder = EventStore(store, create=True).folder

    def work():
        with Maintainer(
            folder, settings(store), ticks=lambda: HASTE * time.monotonic()
        ) as maintainer:
            assert maintainer.round().faults == ()

    return work


def reading(store, acknowledged):
    """A dashboard: sees each acknowledged event once, at every instant."""
    events = EventStore(store)

    def work():
        before = acknowledged()
        assert events.run(Trends()).events_scanned >= len(before)
        with contextlib.suppress(FileNotFoundError):  # merged meanwhile: its users ask again
            ids = events.events(columns=["event_id"]).collect()["event_id"]
            assert before <= set(ids)
            assert not ids.is_duplicated().any()

    return work


GLOB = "events/*/*.parquet"
VANISHED = (FileNotFoundError, duckdb.IOException)


def by_duckdb(store):
    files = f"read_parquet('{store / GLOB}', hive_partitioning=true, union_by_name=true)"
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT event_id, _date FROM {files}").fetchall()
    return {event_id for event_id, _ in rows}


def by_polars(store):
    files = pl.scan_parquet(store / GLOB, hive_partitioning=True, extra_columns="ignore")
    return set(files.select("event_id", "_date").collect()["event_id"])


def by_pyarrow(store):
    # Of a folder's name it would leave out what begins with an underscore.
    paths = [str(path) for path in store.glob(GLOB)]
    files = ds.dataset(paths, format="parquet", partitioning="hive")
    return set(files.to_table(["event_id", "_date"]).column("event_id").to_pylist())


def globbing(store, acknowledged, answered):
    """Programs that know nothing of us see all that was acknowledged; for a minute after a merge
    maybe twice.
    """

    def work():
        for read in (by_duckdb, by_polars, by_pyarrow):
            before = acknowledged()
            with contextlib.suppress(*VANISHED):
                assert before <= read(store)
                answered.add(read)

    return work


def test_all_see_what_was_acknowledged_at_every_instant(
    tmp_path, store, senders, imported, acknowledged
):
    first = set(store.glob(GLOB))
    stop, answered, begun = threading.Event(), set(), time.monotonic()
    works = [
        importing(store, tmp_path, imported),
        maintaining(store),
        reading(store, acknowledged),
        reading(store, acknowledged),
        globbing(store, acknowledged, answered),
    ]
    workers = [Worker(work, stop) for work in works]
    for worker in workers:
        worker.start()
    while not stop.wait(SECONDS) and time.monotonic() - begun < SECONDS_MAX:
        if first.isdisjoint(store.glob(GLOB)):
            stop.set()
    stop.set()
    for worker in workers:
        worker.end()
    assert answered == {by_duckdb, by_polars, by_pyarrow}
    assert first.isdisjoint(store.glob(GLOB)), "nothing was merged and unlinked"
    reading(store, acknowledged)()
