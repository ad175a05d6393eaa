"""Job: parts that have been kept long enough go, once their rollups stand."""

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.maintenance.job import Done, State, Tools
from store.parts.expiry import Due, expired
from store.parts.part import Part
from store.parts.verify import seal_fault


@dataclass(frozen=True, slots=True)
class Expire:
    """The parts of a date that go."""

    date: str
    due: tuple[Due, ...]

    def __str__(self) -> str:
        events = sum(each.part.rows for each in self.due)
        why = ", ".join(sorted({each.why for each in self.due}))
        return f"expire {len(self.due)} parts of {self.date} with {events:,} events: {why}"

    def as_json(self) -> dict[str, Any]:
        return {
            "date": self.date,
            "expire": [{"path": str(part.path), "why": str(why)} for part, why in self.due],
            "events": sum(each.part.rows for each in self.due),
            "bytes": sum(each.part.size_bytes for each in self.due),
        }


class Expiry:
    """Removes what `expired` says. The rollup of a part takes over its cells and its tally in the
    same instant, so a kill at any moment leaves a store that tells of every event once. A clock that
    jumps ahead makes nothing old (`believed`).
    """

    name = "expiry"

    def __init__(self, *, imported: bool = False) -> None:
        """`imported`: what was imported goes as well."""
        self._imported = imported

    def plan(self, state: State) -> Sequence[Expire]:
        found, keep = state.snapshot, state.settings.retention
        due: dict[str, list[Due]] = defaultdict(list)
        for each in expired(
            found.parts,
            found.covered,
            state.believed,
            keep,
            state.free_bytes,
            imported=self._imported,
        ):
            due[each.part.date].append(each)
        return [Expire(day, tuple(dues)) for day, dues in due.items()]

    def carry_out(self, step: Expire, tools: Tools) -> Done:
        rollups = {each.key: each for each in tools.catalog.snapshot().rollups}
        removed, freed, fault = 0, 0, ""
        for part, _ in step.due:
            fault = _why_not(rollups.get(part.key), tools)
            if fault:
                break  # what comes after it must not go before
            tools.disk.remove(part.path)
            removed, freed = removed + 1, freed + part.size_bytes
        folder = step.due[0].part.path.parent
        tools.disk.sync_folder(folder)
        with contextlib.suppress(OSError):  # others are in there still
            tools.disk.remove_folder(folder)
        return Done(str(step), files_removed=removed, bytes_freed=freed, fault=fault)


def _why_not(rollup: Part | None, tools: Tools) -> str:
    """Why a part cannot be told of by its rollup alone; "" when it can."""
    if rollup is None:
        return "it has no rollup yet"
    fault = seal_fault(rollup)
    if fault is None:
        return ""
    # It is made again from the events, which are all that is left.
    tools.disk.remove(rollup.path)
    return f"{rollup.path}: {fault.words}"
