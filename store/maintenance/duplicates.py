"""Job: an id that stands in two parts of a date which no merge brings together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import xxhash

from store.maintenance.compaction import published
from store.maintenance.job import Done, State, Tools
from store.maintenance.repeated import Without, repeated_rows
from store.parts.compaction import LEVEL_MAX, settled_days
from store.parts.part import Part
from store.parts.verify import seal_fault

LOOKED_NOTE: Final = "without_duplicates"
"""By date, the parts among which no id stands twice."""


@dataclass(frozen=True, slots=True)
class LookThrough:
    """The parts of a date, all merged as far as they will be."""

    parts: tuple[Part, ...]

    @property
    def date(self) -> str:
        return self.parts[0].date

    def __str__(self) -> str:
        return f"look for duplicates among {len(self.parts)} parts of {self.date}"

    def as_json(self) -> dict[str, Any]:
        return {"date": self.date, "look_through": [str(part.path) for part in self.parts]}


class Duplicates:
    """Hours of a large day are parts of their own, and so is what was imported: an event that came
    into two of them stays in the first by (time, id, arrival), and the others are written again
    without it. Each by itself, so a kill leaves some for the next round, and no id is ever lost.
    """

    name = "duplicates"

    def plan(self, state: State) -> Sequence[LookThrough]:
        return list(self._steps(state))

    def carry_out(self, step: LookThrough, tools: Tools) -> Done:
        # What a spoiled part says of its ids must cost no other part an event.
        faults = [(part, fault) for part in step.parts if (fault := seal_fault(part))]
        if faults:
            return Done(str(step), fault="; ".join(f"{part.key}: {why}" for part, why in faults))
        found = repeated_rows(step.parts)
        if not found:
            noted = {**(tools.notes.get(LOOKED_NOTE) or {}), step.date: _mark(step.parts)}
            days = {part.date for part in tools.catalog.snapshot().parts}
            kept = {day: mark for day, mark in noted.items() if day in days}
            tools.notes.put(LOOKED_NOTE, kept)
            return Done(str(step))
        removed, freed = 0, 0
        for index, rows in sorted(found.items()):
            part = step.parts[index]
            merged = published([part], tools, Without(part, rows))
            removed, freed = removed + merged.removed, freed - merged.part.size_bytes
        text = f"{step}; {removed:,} duplicates removed"
        return Done(text, files_added=len(found), bytes_freed=freed)

    def _steps(self, state: State) -> Iterator[LookThrough]:
        limits, noted = state.settings.compaction, state.notes.get(LOOKED_NOTE) or {}
        mergeable = [part for part in state.snapshot.parts if part.level < LEVEL_MAX]
        for day, parts in settled_days(mergeable, state.now, limits, eager=state.eager).items():
            if noted.get(day) != _mark(parts) and _size(parts) < state.free_bytes:
                yield LookThrough(tuple(parts))


def _mark(parts: Sequence[Part]) -> str:
    return xxhash.xxh3_64_hexdigest("/".join(sorted(part.key for part in parts)).encode())


def _size(parts: Sequence[Part]) -> int:
    """What may stand twice on the disk for a minute."""
    return sum(part.size_bytes for part in parts)
