"""Job: the parts that came in before an instant, asked for by a storage's `delete_old_data`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from store.maintenance.job import Done, State, Tools
from store.parts.catalog import Snapshot, hides
from store.parts.part import Part, Rolled
from store.parts.rollup_file import publish


@dataclass(frozen=True, slots=True)
class Delete:
    """One old part, and the files whose events would count again without it."""

    part: Part
    hidden: tuple[Part, ...]

    def __str__(self) -> str:
        return f"delete {self.part.key}: {self.part.rows:,} events"

    def as_json(self) -> dict[str, Any]:
        return {"delete": str(self.part.path), "events": self.part.rows}


def old_parts(snapshot: Snapshot, before: datetime, *, imported: bool) -> list[Delete]:
    """The parts all of whose events were received before that; imported ones when asked for."""
    old = (part for part in snapshot.parts if part.newest_received < before)
    return [
        Delete(part, tuple(each for each in snapshot.covered if hides(part, each)))
        for part in old
        if part.rows and (imported or not part.imported)
    ]


@dataclass(slots=True)
class OldParts:
    """Cut between two files, it leaves every event of a part or, at last, none."""

    before: datetime
    imported: bool
    name: str = "old data"
    gone: list[Part] = field(default_factory=list)

    def plan(self, state: State) -> Sequence[Delete]:
        return old_parts(state.snapshot, self.before, imported=self.imported)

    def carry_out(self, step: Delete, tools: Tools) -> Done:
        # What became of its events stays known.
        told = replace(step.part, rolled=Rolled(()))
        publish(tools.folder, told, {}, disk=tools.disk)
        # The covered ones first: their events are still in the part that covers them.
        for part in (*step.hidden, step.part):
            tools.disk.remove(part.path)
        tools.disk.sync_folder(step.part.path.parent)
        self.gone.append(step.part)
        removed = 1 + len(step.hidden)
        return Done(str(step), files_removed=removed, bytes_freed=step.part.size_bytes)
