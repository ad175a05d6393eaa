"""Job: rollups of the parts that lack one, coarser ones of old ones; what they replace goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from store.analytics.rollups.building import merged, rollup_of
from store.analytics.rollups.tiers import HASHES
from store.maintenance.job import Done, State, Tools
from store.parts.expiry import Coarser, coarser, expired
from store.parts.part import Part
from store.parts.rollup_file import publish
from store.tally import Tally
from store.timespan import TimeSpan, iso

ROWS_MIN: Final = 20_000
"""Reading fewer events costs no more than reading their rollup; they get one before they expire."""
OUTDATED_MIN: Final = timedelta(seconds=60)
"""Twice as long as a reader's listing may take, as with parts."""
OUTDATED_NOTE: Final = "outdated_rollups"


@dataclass(frozen=True, slots=True)
class Roll:
    """A part that is to have a rollup."""

    part: Part

    def __str__(self) -> str:
        return f"roll up {self.part.key}"

    def as_json(self) -> dict[str, Any]:
        return {"roll_up": str(self.part.path)}

    def carry_out(self, tools: Tools) -> Done:
        rolled, tables = rollup_of(self.part)
        part = replace(self.part, rolled=rolled)
        made = publish(tools.folder, part, tables, disk=tools.disk)
        return Done(str(self), files_added=1, bytes_freed=-made.size_bytes)


@dataclass(frozen=True, slots=True)
class Coarsen:
    """Old rollups that become one, with fewer tiers."""

    change: Coarser

    def __str__(self) -> str:
        kept = ", ".join(self.change.tiers) or "the tally alone"
        return f"keep {kept} of {len(self.change.sources)} rollups of {self.change.date}"

    def as_json(self) -> dict[str, Any]:
        sources = [str(each.path) for each in self.change.sources]
        return {"coarsen": sources, "tiers": list(self.change.tiers)}

    def carry_out(self, tools: Tools) -> Done:
        rolled, tables = merged(self.change.sources, self.change.tiers)
        part = replace(_sum(self.change), rolled=rolled)
        made = publish(tools.folder, part, tables, disk=tools.disk)
        return Done(str(self), files_added=1, bytes_freed=-made.size_bytes)


@dataclass(frozen=True, slots=True)
class Drop:
    """A rollup for which a part or another rollup stands."""

    rollup: Part

    def __str__(self) -> str:
        return f"remove the rollup {self.rollup.key}: another stands for it"

    def as_json(self) -> dict[str, Any]:
        return {"remove": str(self.rollup.path)}

    def carry_out(self, tools: Tools) -> Done:
        """At first it is noted when it was seen to be outdated: a reader may still be listing."""
        noted = dict(tools.notes.get(OUTDATED_NOTE) or {})
        since, now = noted.pop(self.rollup.key, None), tools.now()
        if since is None or now - datetime.fromisoformat(since) < OUTDATED_MIN:
            tools.notes.put(OUTDATED_NOTE, {**noted, self.rollup.key: since or iso(now)})
            return Done(f"{self}, in a minute")
        tools.disk.remove(self.rollup.path)
        tools.notes.put(OUTDATED_NOTE, noted)
        return Done(str(self), files_removed=1, bytes_freed=self.rollup.size_bytes)


Step = Roll | Coarsen | Drop


class Rollups:
    """Rolls up each part that is worth it as soon as it is there, since a part never changes, and
    each that is to expire.
    """

    name = "rollups"

    def __init__(self, *, imported: bool = False) -> None:
        """`imported`: what was imported is to expire as well."""
        self._imported = imported

    def plan(self, state: State) -> Sequence[Step]:
        return list(self._steps(state))

    def carry_out(self, step: Step, tools: Tools) -> Done:
        return step.carry_out(tools)

    def _steps(self, state: State) -> Iterator[Step]:
        found, keep = state.snapshot, state.settings.retention
        yield from map(Drop, found.outdated)
        yield from map(Coarsen, coarser(found.gone, state.believed, keep))
        due = expired(
            found.parts,
            found.covered,
            state.believed,
            keep,
            state.free_bytes,
            imported=self._imported,
        )
        going = {each.part.key for each in due}
        standing = {each.key for each in found.rollups if _is_current(each)}
        for part in found.parts:
            if (part.rows >= ROWS_MIN or part.key in going) and part.key not in standing:
                yield Roll(part)


def _is_current(rollup: Part) -> bool:
    return rollup.rolled is not None and rollup.rolled.hashes in ("", HASHES)


def _sum(plan: Coarser) -> Part:
    """All that is told of the sources, as of one."""
    newest = max(plan.sources, key=lambda each: (each.level, each.newest_received, each.key))
    filled = [each.span for each in plan.sources if each.rows] or [newest.span]
    return replace(
        newest,
        date=plan.date,
        level=plan.level,
        rows=sum(each.rows for each in plan.sources),
        span=TimeSpan(min(span.start for span in filled), max(span.end for span in filled)),
        newest_received=max(each.newest_received for each in plan.sources),
        columns={name: kind for each in plan.sources for name, kind in each.columns.items()},
        overflow={name: kind for each in plan.sources for name, kind in each.overflow.items()},
        wide=frozenset().union(*(each.wide for each in plan.sources)),
        covers=(),
        tally=Tally.total(each.tally for each in plan.sources),
        imported=all(each.imported for each in plan.sources),
        removed=sum(each.removed for each in plan.sources),
    )
