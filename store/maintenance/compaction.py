"""Job: many parts of a date become few."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import polars as pl

from store.maintenance.job import Done, State, Tools
from store.maintenance.merging import Merged, merge
from store.maintenance.notes import Notes
from store.maintenance.repeated import Without
from store.parts.compaction import Merge, covers_of, plan_compaction, standing
from store.parts.faults import Fault
from store.parts.layout import PartName, StoreFolder, folder_of
from store.parts.part import Cover, Part
from store.parts.verify import part_fault, seal_fault

NUMBERS_NOTE: Final = "numbers"


class Compaction:
    """Merges what `plan_compaction` says. A source that cannot be trusted is left as it is."""

    name = "compaction"

    def plan(self, state: State) -> Sequence[Merge]:
        limits = state.settings.compaction
        planned = plan_compaction(state.snapshot.parts, state.now, limits, eager=state.eager)
        # The new part stands beside its sources for a minute.
        return [each for each in planned if each.size_bytes < state.free_bytes]

    def carry_out(self, step: Merge, tools: Tools) -> Done:
        sound, faults = _trusted(step.sources, seal_fault)
        try:
            merged = _merged(sound, tools)
        except pl.exceptions.PolarsError:
            # Written wrongly, and sealed all the same: reading every value tells which.
            readable, unreadable = _trusted(sound, part_fault)
            if not unreadable:
                raise
            faults += unreadable
            merged = _merged(readable, tools)
        fault = "; ".join(faults)
        if merged is None:
            return Done(str(step), fault=fault)
        text = f"{step}; {merged.removed:,} duplicates removed" if merged.removed else str(step)
        return Done(text, files_added=1, bytes_freed=-merged.part.size_bytes, fault=fault)


def _trusted(
    parts: Sequence[Part], fault_of: Callable[[Part], Fault | None]
) -> tuple[list[Part], list[str]]:
    """The sound ones, and what is wrong with the others."""
    faults = [(part, fault_of(part)) for part in parts]
    sound = [part for part, fault in faults if fault is None]
    return sound, [f"{part.key}: {fault}" for part, fault in faults if fault is not None]


def _merged(sources: Sequence[Part], tools: Tools) -> Merged | None:
    """None when too few sources are sound."""
    if len(sources) < 2:
        return None
    return published(sources, tools)


def published(sources: Sequence[Part], tools: Tools, without: Without | None = None) -> Merged:
    """The part that takes the place of `sources`; see `merge`."""
    parts = tools.catalog.snapshot().parts
    level = 1 + max(part.level for part in sources)
    name = PartName(level, *next_number(tools.notes, parts))
    # Listed after the catalog did: what a writer published since then is in the way of no cover.
    names = _names(tools.folder, sources[0].date)
    covers = covers_of(sources, standing(names, parts, sources))
    return merge(tools.folder, tools.disk, sources, name, covers, without=without)


def _names(folder: StoreFolder, day: str) -> list[str]:
    """Of the date's folder, of its parts in quarantine, which may come back, and of rollups, which
    stand for parts that are gone.
    """
    others = [root / folder_of(day) for root in (folder.quarantine, folder.rollups)]
    return [
        *folder.names(day),
        *(name for other in others if other.is_dir() for name in os.listdir(other)),  # noqa: PTH208
    ]


def next_number(notes: Notes, parts: Iterable[Part]) -> tuple[str, int]:
    """The store's own writer, and a number that it never used: covers of parts long gone still name
    the numbers before. When the note is lost, another writer begins; one out of an old backup is
    behind what `parts` and their covers tell.
    """
    known = notes.get(NUMBERS_NOTE) or {"writer": os.urandom(6).hex(), "next": 0}
    writer, number = str(known["writer"]), int(known["next"])
    for part in parts:
        for name, _, last in (Cover(part.writer, 0, part.sequence), *part.covers):
            number = max(number, last + 1) if name == writer else number
    notes.put(NUMBERS_NOTE, {"writer": writer, "next": number + 1})
    return writer, number
