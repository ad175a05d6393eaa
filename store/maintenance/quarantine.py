"""Job: parts that the disk spoiled go to quarantine; each part's bytes are verified once.

A broken part is moved with a note beside it, so that whoever has a backup knows what to restore,
and every answer can say that something is missing. Only what is surely broken is moved: a file of
a newer format, of another program, or one that could not be opened stays where it is.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.maintenance.job import Done, State, Tools
from store.parts.catalog import Skipped, Snapshot
from store.parts.disk import make_folders, write_durably
from store.parts.faults import Fault, Kind, fault_of
from store.parts.footer import read_part
from store.parts.layout import PartName, StoreFolder, date_of
from store.parts.part import Part
from store.parts.quarantined import note_of
from store.parts.verify import seal_fault
from store.settings import MIB
from store.timespan import iso

VERIFIED_NOTE: Final = "verified"
BYTES_A_ROUND_MAX: Final = 256 * MIB
"""About a second of a slow disk in every round: a store of 100 GB is through in four days."""


@dataclass(frozen=True, slots=True)
class Move:
    """A part that was found to be broken."""

    path: Path
    fault: str

    def __str__(self) -> str:
        return f"move {self.path.name} to quarantine: {self.fault}"

    def as_json(self) -> dict[str, Any]:
        return {"quarantine": str(self.path), "fault": self.fault}


@dataclass(frozen=True, slots=True)
class Verify:
    """Parts whose bytes nobody has read since they were written."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return f"verify {len(self.parts)} parts"

    def as_json(self) -> dict[str, Any]:
        return {"verify": [str(part.path) for part in self.parts]}


class Quarantine:
    """Moves what is broken, after reading it twice; looks for it among what was never verified."""

    name = "quarantine"

    def plan(self, state: State) -> Sequence[Move | Verify]:
        broken = [each for each in state.snapshot.skipped if each.kind is Kind.BROKEN]
        standing = _standing(state.snapshot)
        unread = first_of([part for part in standing if _named(part) not in state.verified])
        return [*map(_move, broken), *([Verify(unread)] if unread else [])]

    def carry_out(self, step: Move | Verify, tools: Tools) -> Done:
        return _verified(step, tools) if isinstance(step, Verify) else _moved(step.path, tools)


def first_of(parts: Sequence[Part], bytes_max: int = BYTES_A_ROUND_MAX) -> tuple[Part, ...]:
    """As many as one round reads: up to `bytes_max`, and one at least."""
    taken, total = list[Part](), 0
    for part in parts:
        total += part.size_bytes
        if taken and total > bytes_max:
            break
        taken.append(part)
    return tuple(taken)


def _standing(snapshot: Snapshot) -> tuple[Part, ...]:
    """All that an answer may be made of."""
    return (*snapshot.parts, *snapshot.covered, *snapshot.gone, *snapshot.rollups)


def _named(part: Part) -> str:
    return f"rollup {part.key}" if part.rolled else part.key


def _is_beside(part: Part, folder: StoreFolder) -> bool:
    """Whether it is a rollup whose part is there: nothing is lost with it."""
    inside = part.path.relative_to(folder.root).parts[1:]
    return part.rolled is not None and folder.events.joinpath(*inside).exists()


def _move(skipped: Skipped) -> Move:
    return Move(skipped.path, skipped.fault)


def _verified(step: Verify, tools: Tools) -> Done:
    sound, texts, faults, moved = set[str](), [str(step)], list[str](), list[str]()
    for part in step.parts:
        fault = seal_fault(part)
        if fault is None:
            sound.add(_named(part))
        elif _is_beside(part, tools.folder):
            tools.disk.remove(part.path)
            texts.append(f"remove {_named(part)}, to be made anew: {fault}")
        elif fault.kind is Kind.BROKEN:
            done = _moved(part.path, tools)
            texts.append(done.text)
            moved += done.quarantined
        else:
            faults.append(f"{_named(part)}: {fault}")
    _remember(sound, tools)
    return Done("; ".join(texts), fault="; ".join(faults), quarantined=tuple(moved))


def _remember(sound: set[str], tools: Tools) -> None:
    """Lost, it only means that parts are read once more."""
    standing = {_named(part) for part in _standing(tools.catalog.snapshot())}
    before = set(tools.notes.get(VERIFIED_NOTE) or ())
    tools.notes.put(VERIFIED_NOTE, sorted((before | sound) & standing))


def _moved(path: Path, tools: Tools) -> Done:
    """Reads a suspect twice; what is broken both times goes, with its note before it."""
    try:
        part, fault = _read(path, tools)
        if fault and fault.kind is Kind.BROKEN:
            part, fault = _read(path, tools)
    except FileNotFoundError:
        return Done(f"{path.name} has gone by itself")
    if not fault or fault.kind is not Kind.BROKEN:
        return Done(f"{path.name} stays: {fault or 'it was read without a fault'}")
    target = _free_name(tools.folder, path)
    make_folders(tools.disk, target.parent)
    _write_note(target, path, part, fault, tools)
    tools.disk.rename(path, target)
    # In this order, so that at no instant the file has no name at all.
    tools.disk.sync_folder(target.parent)
    tools.disk.sync_folder(path.parent)
    return Done(str(Move(path, fault.words)), quarantined=(f"{target}: {fault.words}",))


def _read(path: Path, tools: Tools) -> tuple[Part | None, Fault | None]:
    """What the footer says, if it can be believed, and what is wrong; from the medium itself."""
    tools.disk.forget_cached(path)
    name, found = PartName.parse(path.name), list[Part]()
    assert name is not None, "what is not named as a part is foreign"
    day = date_of(path.parent.name) or ""
    fault = fault_of(lambda: found.append(read_part(path, day, name)))
    return (found[0], seal_fault(found[0])) if found else (None, fault)


def _free_name(folder: StoreFolder, path: Path) -> Path:
    """A restored part may break again; what stands in quarantine is never overwritten."""
    of_a_rollup = folder.rollups in path.parents
    target = folder.quarantine / path.relative_to(folder.root if of_a_rollup else folder.events)
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{path.stem}.{number}{path.suffix}")
    return target


def _write_note(target: Path, path: Path, part: Part | None, fault: Fault, tools: Tools) -> None:
    note = {
        "path": str(path.relative_to(tools.folder.root)),
        "fault": fault.words,
        "moved": iso(tools.now()),
        "bytes": path.stat().st_size,
        "rows": part.rows if part else None,
    }
    with contextlib.suppress(FileNotFoundError):  # of a round that was killed here
        tools.disk.remove(note_of(target))
    write_durably(tools.disk, note_of(target), json.dumps(note, indent=1).encode())
