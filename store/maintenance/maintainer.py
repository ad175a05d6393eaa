"""The one that moves, merges, expires or deletes files: one process at a time, job by job."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from store.errors import StoreError
from store.maintenance import JOBS
from store.maintenance.believed import Belief, believed
from store.maintenance.job import AnyJob, Done, State, Step, Tools
from store.maintenance.notes import Notes
from store.maintenance.quarantine import VERIFIED_NOTE
from store.parts.catalog import Catalog, Snapshot
from store.parts.disk import DISK, Disk, as_store_error
from store.parts.layout import StoreFolder
from store.parts.lock import FileLock
from store.parts.writing import leftovers
from store.settings import Settings
from store.timespan import iso

LOCK_FILE: Final = "maintenance.lock"
COVERED_NOTE: Final = "covered_since"
LAST_NOTE: Final = "last_round"
CLOCK_NOTE: Final = "clock"


class BusyError(StoreError):
    """Another process maintains the store."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that a round would take now."""

    job: str
    step: Step

    def as_json(self) -> dict[str, Any]:
        return {"job": self.job, **self.step.as_json()}


@dataclass(frozen=True, slots=True)
class Report:
    """What one round did."""

    started: datetime
    seconds: float
    done: tuple[tuple[str, Done], ...]
    """(job, what became of a step), in order."""

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(f"{job}: {done.text}: {done.fault}" for job, done in self.done if done.fault)

    @property
    def quarantined(self) -> tuple[str, ...]:
        return tuple(text for _, done in self.done for text in done.quarantined)

    def as_json(self) -> dict[str, Any]:
        """Also what `maintenance.json` keeps of the last round."""
        return {
            "started": iso(self.started),
            "seconds": round(self.seconds, 3),
            "steps": len(self.done),
            "files_removed": sum(done.files_removed for _, done in self.done),
            "files_added": sum(done.files_added for _, done in self.done),
            "bytes_freed": sum(done.bytes_freed for _, done in self.done),
            "done": [f"{job}: {done.text}" for job, done in self.done if not done.fault],
            "faults": list(self.faults),
            "quarantined": list(self.quarantined),
        }


class Maintainer:
    """Open it with `with`: then this process alone maintains the store, and dies with the right to
    do so. `plan` needs no lock.
    """

    def __init__(
        self,
        folder: StoreFolder,
        settings: Settings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = time.monotonic,
        disk: Disk = DISK,
        eager: bool = False,
        patience_seconds: float = 0.0,
    ) -> None:
        """`ticks` gives seconds on the system's clock that never steps. With `eager`, what would
        wait for a better moment is done as well. A busy lock is waited for `patience_seconds`.
        """
        self._folder = folder
        self._settings = settings
        self._now = now
        self._ticks = ticks
        self._disk = disk
        self._eager = eager
        self._patience_seconds = patience_seconds
        self._lock = FileLock(folder.root / LOCK_FILE)
        self._catalog = Catalog(folder)
        self._notes = Notes(folder.root, disk=disk)

    def __enter__(self) -> Self:
        """BusyError: another process maintains the store. ReadOnlyStoreError, NoRoomError."""
        try:
            is_mine = self._lock.acquire(patience_seconds=self._patience_seconds)
        except OSError as error:
            raise as_store_error(error, self._folder.root) from error
        if not is_mine:
            raise BusyError(
                "maintenance",
                "another process maintains this store",
                place=str(self._folder.root / LOCK_FILE),
                next_step="try again in a minute",
            )
        self._notes = Notes(self._folder.root, disk=self._disk)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def plan(self, jobs: Sequence[AnyJob] = JOBS) -> list[Planned]:
        """What a round would do now, were nothing to change between its jobs."""
        state = self._state()
        return [Planned(job.name, step) for job in jobs for step in job.plan(state)]

    def round(self, jobs: Sequence[AnyJob] = JOBS) -> Report:
        """Runs each job once, in order, on the store as the jobs before it left it. A step that
        fails is in the report, and keeps no other from being done.
        """
        started, begun = self._now(), self._ticks()
        done = tuple(self._run(jobs))
        # What was covered just now may go a minute from here, however late the next round is.
        state = self._state()
        self._notes.put(COVERED_NOTE, dict(state.covered_since))
        self._notes.put(CLOCK_NOTE, self._belief(state.snapshot, state.ticks).note())
        report = Report(started, self._ticks() - begun, done)
        self._notes.put(LAST_NOTE, report.as_json())
        return report

    def _run(self, jobs: Sequence[AnyJob]) -> Iterator[tuple[str, Done]]:
        tools = Tools(
            self._folder, self._settings, self._disk, self._now, self._catalog, self._notes
        )
        for job in jobs:
            for step in job.plan(self._state()):
                yield job.name, _carried_out(job, step, tools)

    def _state(self) -> State:
        snapshot = self._catalog.snapshot()
        ticks = self._ticks()
        noted = self._notes.get(COVERED_NOTE) or {}
        now = self._now()
        return State(
            folder=self._folder,
            settings=self._settings,
            now=now,
            believed=now if self._eager else self._belief(snapshot, ticks).time,
            ticks=ticks,
            snapshot=snapshot,
            names=_names(self._folder),
            leftovers=leftovers(self._folder),
            covered_since={part.key: noted.get(part.key, ticks) for part in snapshot.covered},
            verified=frozenset(self._notes.get(VERIFIED_NOTE) or ()),
            free_bytes=_free_bytes(self._folder.root),
            notes=self._notes.sections,
            eager=self._eager,
        )

    def _belief(self, snapshot: Snapshot, ticks: float) -> Belief:
        newest = max((part.newest_received for part in snapshot.told), default=None)
        return believed(Belief.parse(self._notes.get(CLOCK_NOTE)), self._now(), ticks, newest)


def _carried_out(job: AnyJob, step: Any, tools: Tools) -> Done:
    try:
        return job.carry_out(step, tools)
    except Exception as error:  # noqa: BLE001  one step must not keep the others from being done
        return Done(str(step), fault=f"{type(error).__name__}: {error}")


def _names(folder: StoreFolder) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for day in folder.dates():
        try:
            found[day] = frozenset(folder.names(day))
        except FileNotFoundError:
            continue
    return found


def _free_bytes(root: Path) -> int:
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return 0
