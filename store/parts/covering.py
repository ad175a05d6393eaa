"""Which parts stand for which: FORMAT.md, "What counts"."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from store.parts.part import Cover, Part


def covers_by_writer(parts: Iterable[Part]) -> dict[str, list[tuple[Cover, int]]]:
    """By writer: what is covered, and the level of the part that covers it."""
    found: dict[str, list[tuple[Cover, int]]] = defaultdict(list)
    for part in parts:
        for cover in part.covers:
            found[cover.writer].append((cover, part.level))
    return found


def hides(cover: Part, part: Part) -> bool:
    """Whether a visible `cover` of the same date stands for `part`."""
    return cover.date == part.date and is_covered(part, covers_by_writer([cover]))


def is_covered(part: Part, covers: Mapping[str, list[tuple[Cover, int]]]) -> bool:
    """A cover reaches lower levels alone, so no two parts can ever hide each other."""
    return any(
        part.level < level and cover.first <= part.sequence <= cover.last
        for cover, level in covers.get(part.writer, ())
    )
