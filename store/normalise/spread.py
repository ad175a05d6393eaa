"""Nested objects to flat columns, all objects at once, where they are alike."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

from store.normalise.flatten import list_text
from store.normalise.json_text import NotTakenError
from store.schema import ATTRIBUTE_COLUMNS_MAX, FIXED
from store.settings import Limits

Cells = dict[str, list[Any]]
# With more names than so many times those of a first few objects, most cells would be empty.
SPARSE: Final = 3
_SAMPLE: Final = 100
_OBJECTS: Final = ({dict}, {dict, type(None)})
_NOTHING: Final[dict[str, Any]] = {}


def spread(events: Sequence[dict[str, Any]], limits: Limits, *, exact: bool) -> Cells | None:
    """The values of each flat name, for all events; a third of the time that flattening one by
    one takes. None where that must be done all the same: one event may pass a bound, they differ
    too much, or two values meet in one name. InexactError as `flat` has it.
    """
    cells: Cells = {}
    try:
        alike = _spread(events, "", limits.depth_max, exact, cells)
    except NotTakenError:
        return None
    longest = max(map(len, cells), default=0)
    few = len(cells) <= min(ATTRIBUTE_COLUMNS_MAX, limits.keys_max)
    return cells if alike and few and longest <= limits.name_chars_max else None


def _spread(
    objects: Sequence[dict[str, Any]], prefix: str, depth_left: int, exact: bool, cells: Cells
) -> bool:
    names: set[str] = set().union(*objects)
    if depth_left <= 0 or is_sparse(objects, names):
        return False
    for key in names:
        name = prefix + key
        values = list(map(dict.get, objects, repeat(key)))
        kinds = set(map(type, values))
        if dict in kinds:
            if kinds not in _OBJECTS or _NOTHING in values:
                return False
            within = [value or _NOTHING for value in values]
            if not _spread(within, f"{name}.", depth_left - 1, exact, cells):
                return False
            continue
        if list in kinds:
            if name in FIXED:
                return False
            values = [
                list_text(value, depth_left - 1, exact) if type(value) is list else value
                for value in values
            ]
        if name in cells:
            return False
        cells[name] = values
    return True


def is_sparse(objects: Sequence[dict[str, Any]], names: set[str]) -> bool:
    """Whether `names`, those of all `objects`, are many more than one of them has."""
    sample = objects[:_SAMPLE]
    return len(names) * len(sample) > SPARSE * sum(map(len, sample))
