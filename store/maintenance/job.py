"""What a job of the maintainer is: a pure plan, and steps that may be cut at any instant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from store.maintenance.notes import Notes
from store.parts.catalog import Catalog, Snapshot
from store.parts.disk import Disk
from store.parts.layout import StoreFolder
from store.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """All that a plan may look at, taken under the lock."""

    folder: StoreFolder
    settings: Settings
    now: datetime
    believed: datetime
    """The time to which ages are counted, with which nothing goes for a clock that is wrong; `now`
    when somebody asked for it.
    """
    ticks: float
    """Seconds on a clock that never steps, the same for all processes since the system started."""
    snapshot: Snapshot
    names: Mapping[str, frozenset[str]]
    """By date, what stood in its folder in a listing that began after the snapshot was taken."""
    leftovers: Sequence[Path]
    """Staged files that nobody is writing."""
    covered_since: Mapping[str, float]
    """The key of a covered part -> the ticks at which its cover was surely visible."""
    verified: frozenset[str]
    """The keys of parts whose bytes were read and found right since they were written."""
    free_bytes: int
    """Room on the store's disk."""
    notes: Mapping[str, Any]
    """What earlier rounds left, by section."""
    eager: bool = False
    """Somebody asked for it now: what would wait for a better moment is planned as well."""


@dataclass(frozen=True, slots=True)
class Tools:
    """All that carrying out a step may touch."""

    folder: StoreFolder
    settings: Settings
    disk: Disk
    now: Callable[[], datetime]
    catalog: Catalog
    """The maintainer's view of the parts; `snapshot()` is the store as it is now."""
    notes: Notes
    """What one round leaves to the next."""


class Step(Protocol):
    """One thing to do; a frozen value. Its text is a line for `--dry-run`."""

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one step."""

    text: str
    """One line: what was done, or what was to be done."""
    files_removed: int = 0
    files_added: int = 0
    bytes_freed: int = 0
    """Negative when the step took room."""
    fault: str = ""
    """Why it was not done; the store is as good as before."""
    quarantined: tuple[str, ...] = ()
    """Of each part that was put aside, where it is now and what is wrong with it: answers lack it."""


StepT = TypeVar("StepT")


class Job(Protocol[StepT]):
    """One kind of work. `plan` is pure; `carry_out` may be killed at any instant, and the store is
    as good as before or after. What it raises is noted as a fault, and the next step begins.
    """

    @property
    def name(self) -> str:
        """One word, in reports."""
        ...

    def plan(self, state: State) -> Sequence[StepT]:
        """What is to be done now, in order; steps do not depend on each other."""
        ...

    def carry_out(self, step: StepT, tools: Tools) -> Done:
        """Does it, reaching the disk through `tools.disk`."""
        ...


AnyJob = Job[Any]
