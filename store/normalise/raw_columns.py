"""JSON objects to raw columns, whether they are all alike or all different."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import Any, Final

import polars as pl

from store.normalise.columns import columns_of, free_name
from store.normalise.json_text import dumps
from store.normalise.spread import Cells, is_sparse
from store.normalise.united import united
from store.schema import ATTRIBUTE_COLUMNS_MAX, ATTRIBUTE_PREFIX, FIXED, OVERFLOW

Object = dict[str, Any]
NamesOf = Callable[[str], tuple[str, ...]]
ValuesOf = Callable[[str], Sequence[Any]]
# Events of one shape that are worth a frame of their own.
_ALIKE_MIN: Final = 8


def same_name(key: str) -> tuple[str, ...]:
    return (key,)


def raw_columns(
    events: Sequence[Object],
    names: set[str],
    names_of: NamesOf = same_name,
    *,
    exact: bool,
) -> list[pl.Series]:
    """One column, or two, for each of the `names` in flat `events`, but for those without a value.

    `names_of` a key are the columns that it goes to. Names past ATTRIBUTE_COLUMNS_MAX, the rarest
    of them, share the JSON column OVERFLOW. Without `exact`, InexactError where a float may be a
    rounded integer.
    """
    values_of = _values(events)
    settled = {name for name in names if _is_settled(name, names_of)}
    if len(names) - len(settled) > ATTRIBUTE_COLUMNS_MAX:
        events = _folded(events, settled)
        values_of, names = _values(events), set().union(*events)
    if is_sparse(events, names):
        groups = _by_shape(events)
        if len(groups) * _ALIKE_MIN <= len(events):
            rest = names - settled
            columns = _columns(values_of, settled, names, names_of, exact=exact)
            return columns + _grouped(events, groups.values(), rest, names_of, exact=exact)
    return _columns(values_of, names, names, names_of, exact=exact)


def spread_columns(cells: Cells, names_of: NamesOf = same_name, *, exact: bool) -> list[pl.Series]:
    """As `raw_columns`, out of what `spread` gave."""
    return _columns(cells.__getitem__, cells.keys(), set(cells), names_of, exact=exact)


def _is_settled(name: str, names_of: NamesOf) -> bool:
    """Whether its column may have another name, so that it is made for all events at once."""
    return not name or name in FIXED or names_of(name) != (name,)


def _values(events: Sequence[Object]) -> ValuesOf:
    return lambda key: list(map(dict.get, events, repeat(key)))


def _columns(
    values_of: ValuesOf,
    keys: Iterable[str],
    names: set[str],
    names_of: NamesOf,
    *,
    exact: bool,
) -> list[pl.Series]:
    columns: list[pl.Series] = []
    for key in sorted(keys):
        values = values_of(key)
        for name in names_of(key):
            # Polars gives a column without a name one of its own.
            called = name or free_name(ATTRIBUTE_PREFIX, names)
            columns.extend(columns_of(called, values, names, exact=exact))
    return columns


def _by_shape(events: Sequence[Object]) -> dict[tuple[str, ...], list[int]]:
    """The rows of the events with the same keys."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for row, event in enumerate(events):
        groups.setdefault(tuple(event), []).append(row)
    return groups


def _grouped(
    events: Sequence[Object],
    groups: Iterable[Sequence[int]],
    names: set[str],
    names_of: NamesOf,
    *,
    exact: bool,
) -> list[pl.Series]:
    """The columns of `names`, made shape by shape: of 20 shapes, a fifth of the time."""
    row_name = free_name("_row", set(names))
    frames = []
    for rows in groups:
        alike = [events[row] for row in rows]
        keys = names & alike[0].keys()
        columns = _columns(_values(alike), keys, names, names_of, exact=exact)
        frames.append(pl.DataFrame([pl.Series(row_name, rows, dtype=pl.UInt32), *columns]))
    return united(frames).sort(row_name).drop(row_name).get_columns()


def _folded(events: Sequence[Object], settled: set[str]) -> list[Object]:
    """The events with all but the most frequent attributes inside OVERFLOW."""
    counts = Counter(name for name in chain.from_iterable(events) if name not in settled)
    kept = {name for name, _ in counts.most_common(ATTRIBUTE_COLUMNS_MAX)} | settled
    kept.discard(OVERFLOW)
    return [_with_overflow(event, kept) for event in events]


def _with_overflow(event: Object, kept: set[str]) -> Object:
    rest = {k: _within_json(v) for k, v in event.items() if k not in kept and v is not None}
    row = {name: value for name, value in event.items() if name in kept}
    return row | {OVERFLOW: dumps(rest)} if rest else row


def _within_json(value: Any) -> Any:
    """Integers that readers of JSON would round are kept as text, as they are in a column."""
    return str(value) if type(value) is int and not -(2**63) <= value < 2**64 else value
