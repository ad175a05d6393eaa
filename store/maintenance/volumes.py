"""Job: rollups of a date are bound in a volume, so that a question opens one file for all of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from store.maintenance.job import Done, State, Tools
from store.parts.part import Part
from store.parts.verify import seal_fault
from store.parts.volume_file import bind
from store.parts.volumes import Volume
from store.settings import MIB

LOOSE_MAX: Final = 3
"""So many rollups of a date may be in no volume: each more costs a question half a millisecond."""
BYTES_MAX: Final = 64 * MIB
"""Of all rollups of a date: a volume is made in memory, and the more there is to read, the less
does opening matter."""
VERIFIED_NOTE: Final = "verified_volumes"


@dataclass(frozen=True, slots=True)
class Bind:
    """The rollups of a date that are to be one file."""

    date: str
    rollups: tuple[Part, ...]

    def __str__(self) -> str:
        return f"bind {len(self.rollups)} rollups of {self.date}"

    def as_json(self) -> dict[str, Any]:
        return {"date": self.date, "bind": [str(each.path) for each in self.rollups]}

    def carry_out(self, tools: Tools) -> Done:
        # What a flipped bit made of a rollup would stay when that one is made anew.
        broken = [(each, why) for each in self.rollups if (why := seal_fault(each))]
        if broken:
            return Done(str(self), fault="; ".join(f"{each.key}: {why}" for each, why in broken))
        _, size = bind(tools.folder, self.date, self.rollups, disk=tools.disk)
        return Done(str(self), files_added=1, bytes_freed=-size)


@dataclass(frozen=True, slots=True)
class Discard:
    """A volume that holds nothing which another does not hold, or of which nothing is left."""

    volume: Volume

    def __str__(self) -> str:
        return f"remove {self.volume.path.name}: its rollups stand elsewhere"

    def as_json(self) -> dict[str, Any]:
        return {"remove": str(self.volume.path)}

    def carry_out(self, tools: Tools) -> Done:
        size = self.volume.path.stat().st_size
        tools.disk.remove(self.volume.path)
        return Done(str(self), files_removed=1, bytes_freed=size)


@dataclass(frozen=True, slots=True)
class Verify:
    """A volume whose bytes were not read since it was written."""

    volume: Volume

    def __str__(self) -> str:
        return f"verify {self.volume.path.name}"

    def as_json(self) -> dict[str, Any]:
        return {"verify": str(self.volume.path)}

    def carry_out(self, tools: Tools) -> Done:
        """What is broken goes at once: nothing is lost with it."""
        if fault := self.volume.fault():
            tools.disk.remove(self.volume.path)
            return Done(f"remove {self.volume.path.name}: {fault}", files_removed=1)
        there = {each.path.name for each in tools.catalog.snapshot().volumes}
        noted = {*(tools.notes.get(VERIFIED_NOTE) or ()), self.volume.path.name}
        tools.notes.put(VERIFIED_NOTE, sorted(noted & there))
        return Done(str(self))


Step = Bind | Discard | Verify


class BoundVolumes:
    """Binds a date again once LOOSE_MAX of its rollups are in no volume, and lets the old one go: a
    reader that wants it looks again.
    """

    name = "volumes"

    def plan(self, state: State) -> Sequence[Step]:
        return list(self._steps(state))

    def carry_out(self, step: Step, tools: Tools) -> Done:
        return step.carry_out(tools)

    def _steps(self, state: State) -> Iterator[Step]:
        rollups = _by_date(state)
        volumes: dict[str, list[Volume]] = defaultdict(list)
        for volume in state.snapshot.volumes:
            volumes[volume.date].append(volume)
        noted = state.notes.get(VERIFIED_NOTE) or ()
        for date in sorted({*rollups, *volumes}):
            best = _best(volumes[date], rollups.get(date, ()))
            yield from (Discard(each) for each in volumes[date] if each is not best)
            if best and best.path.name not in noted:
                yield Verify(best)
            loose = [each for each in rollups.get(date, ()) if not best or not _holds(best, each)]
            if len(loose) > LOOSE_MAX:
                yield Bind(date, rollups[date])


def _by_date(state: State) -> Mapping[str, tuple[Part, ...]]:
    """The rollups that count and have cells, of the dates whose rollups are not too large."""
    found: dict[str, list[Part]] = defaultdict(list)
    for each in (*state.snapshot.rollups, *state.snapshot.gone):
        if each.rolled and each.rolled.tiers:
            found[each.date].append(each)
    return {
        date: tuple(sorted(rollups, key=lambda each: (each.span.start, each.key)))
        for date, rollups in found.items()
        if sum(each.size_bytes for each in rollups) <= BYTES_MAX
    }


def _best(volumes: Sequence[Volume], rollups: Sequence[Part]) -> Volume | None:
    """The one that holds most of them; None when none holds any."""
    count = {each.path: sum(_holds(each, rollup) for rollup in rollups) for each in volumes}
    best = max(volumes, key=lambda each: (count[each.path], each.path.name), default=None)
    return best if best and count[best.path] else None


def _holds(volume: Volume, rollup: Part) -> bool:
    return rollup.rolled is not None and rollup.rolled.seal in volume.places
