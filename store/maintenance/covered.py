"""Job: parts whose events count through a compacted part go, once no reader can miss that one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from store.maintenance.job import Done, State, Tools
from store.parts.covering import hides
from store.parts.part import Part
from store.parts.verify import seal_fault

COVERED_SECONDS_MIN: Final = 60.0
"""Twice as long as a reader's listing may take: whoever missed the cover has listed again."""


@dataclass(frozen=True, slots=True)
class Unlink:
    """The covered parts of one date, and the parts through which their events count."""

    date: str
    parts: tuple[Part, ...]
    covers: tuple[Part, ...]

    def __str__(self) -> str:
        return f"unlink {len(self.parts)} covered parts of {self.date}"

    def as_json(self) -> dict[str, Any]:
        return {"date": self.date, "unlink": [str(part.path) for part in self.parts]}


class CoveredParts:
    """Unlinks what has been covered for COVERED_SECONDS_MIN, if the cover can be read."""

    name = "covered"

    def plan(self, state: State) -> Sequence[Unlink]:
        due: dict[str, list[Part]] = defaultdict(list)
        for part in state.snapshot.covered:
            if is_due(state.covered_since.get(part.key), state.ticks):
                due[part.date].append(part)
        return [Unlink(day, tuple(parts), _covers(parts, state)) for day, parts in due.items()]

    def carry_out(self, step: Unlink, tools: Tools) -> Done:
        # A cover that the disk spoiled goes to quarantine, and then its sources count again.
        broken = [(cover, why) for cover in step.covers if (why := seal_fault(cover))]
        sound = [part for part in step.parts if not any(hides(cover, part) for cover, _ in broken)]
        for part in sound:
            tools.disk.remove(part.path)
        for folder in {part.path.parent for part in sound}:
            # Before the cover itself may ever go: one that came back by a power cut would count.
            tools.disk.sync_folder(folder)
        fault = "; ".join(f"{cover.key}: {why}" for cover, why in broken)
        freed = sum(part.size_bytes for part in sound)
        return Done(str(step), files_removed=len(sound), bytes_freed=freed, fault=fault)


def is_due(since: float | None, ticks: float) -> bool:
    """Whether a part that was covered at `since` may go. No wall clock has a say: it jumps. After a
    restart of the system, when ticks begin anew, no reader of before is left.
    """
    return since is not None and (ticks < since or ticks - since >= COVERED_SECONDS_MIN)


def _covers(parts: Sequence[Part], state: State) -> tuple[Part, ...]:
    counting = [each for each in state.snapshot.parts if each.covers and each.date == parts[0].date]
    return tuple(each for each in counting if any(hides(each, part) for part in parts))
