"""Job: rollups of the parts that lack one; those that nobody needs any more go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from store.analytics.rollups.building import rollup_of
from store.analytics.rollups.tiers import HASHES
from store.maintenance.job import Done, State, Tools
from store.parts.part import Part
from store.parts.rollup_file import publish

ROWS_MIN: Final = 20_000
"""Reading fewer events costs no more than reading their rollup; they get one before they expire."""


@dataclass(frozen=True, slots=True)
class Roll:
    """A part that is to have a rollup."""

    part: Part

    def __str__(self) -> str:
        return f"roll up {self.part.key}"

    def as_json(self) -> dict[str, Any]:
        return {"roll_up": str(self.part.path)}


class Rollups:
    """Rolls up each part that is worth it, as soon as it is there: a part never changes."""

    name = "rollups"

    def plan(self, state: State) -> Sequence[Roll]:
        standing = {each.key for each in state.snapshot.rollups if _is_current(each)}
        wanted = (part for part in state.snapshot.parts if part.rows >= ROWS_MIN)
        return [Roll(part) for part in wanted if part.key not in standing]

    def carry_out(self, step: Roll, tools: Tools) -> Done:
        rolled, tables = rollup_of(step.part)
        made = publish(tools.folder, replace(step.part, rolled=rolled), tables, disk=tools.disk)
        return Done(str(step), files_added=1, bytes_freed=-made.size_bytes)


def _is_current(rollup: Part) -> bool:
    return rollup.rolled is not None and rollup.rolled.hashes in ("", HASHES)
