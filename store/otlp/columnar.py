"""Requests of many records alike, as senders write them: read as columns, not as objects.

The same rows that the patient way gives (store.otlp.rows), in a fifth of the time; UnusualError
for what only that can tell apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from store.normalise import Raw
from store.normalise.flatten import flat
from store.normalise.json_body import check_names
from store.normalise.json_text import NotTakenError
from store.normalise.sizes import OTHER_BYTES
from store.otlp.attribute_columns import Values
from store.otlp.rows import Row, Runs, context_columns, shared_names
from store.otlp.wire import Messages, UnusualError, Whole
from store.settings import Limits

Columns = dict[str, pl.Series | None]
"""By name; None where there is nothing in it."""
Groups = Sequence[tuple[Row, Sequence[bytes]]]
RECORDS_MIN: Final = 64
"""Of fewer, the patient way is the quicker one."""
GROWTH: Final = 12
"""A text has at most so many bytes for each that it was made of: an integer in a list may have 4
and become 20, a link's or an exemplar's field 2 and become 16.
"""
OWN_BYTES: Final = 1_000
"""More than the texts of our own have that stand in no record."""


class Table(NamedTuple):
    """What stands in some records."""

    raw: Raw
    rows: Whole
    """The record that each row is made of."""
    is_even: bool
    """No attribute has values of several kinds."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a request, and what they share."""

    messages: Messages
    contexts: Runs
    rows: Whole
    """The record that each row is made of."""
    bytes_max: int
    """No event of them has more, but for its numbers and booleans."""

    @classmethod
    def of(cls, groups: Groups, limits: Limits) -> "Records":
        """UnusualError: too few of them, or a bound is passed."""
        bodies = [record for _, group in groups for record in group]
        if len(bodies) < RECORDS_MIN:
            raise UnusualError
        contexts = [(_bounded(context, limits), len(group)) for context, group in groups]
        shared = max(sum(map(len, map(str, context.values()))) for context, _ in contexts)
        longest = max(map(len, bodies))
        rows = np.arange(len(bodies))
        return cls(Messages.of(bodies), contexts, rows, GROWTH * (longest + shared) + OWN_BYTES)


def _bounded(context: Row, limits: Limits) -> Row:
    try:
        return check_names(flat(context, limits.depth_max, exact=True), limits)
    except NotTakenError:
        raise UnusualError from None


def raw_of(
    where: str,
    own: Columns,
    attributes: Mapping[str, Values],
    records: Records,
    limits: Limits,
) -> Table:
    """The rows out of their fields and attributes, and of what they share."""
    contexts = records.contexts
    height, names = sum(count for _, count in contexts), set(attributes)
    chars = max(map(len, names), default=0)
    if len(names) > limits.keys_max or chars > limits.name_chars_max:
        raise UnusualError
    if names & own.keys() or names & shared_names(contexts):
        raise UnusualError
    columns = context_columns(contexts, names, own.keys())
    columns += [values.alias(name) for name, values in own.items() if values is not None]
    for name in sorted(names):
        columns += attributes[name].columns(name, height, limits)
    is_small = records.bytes_max + OTHER_BYTES * len(columns) <= limits.event_bytes_max
    raw = Raw(pl.DataFrame(columns), range(1, height + 1), where, is_small=is_small)
    return Table(raw, records.rows, all(values.is_even for values in attributes.values()))


def repeated(values: Sequence[str | bool | None], counts: Sequence[int]) -> pl.Series | None:
    """Each so often; None where all are None."""
    if values.count(None) == len(values):
        return None
    if len(values) == 1:
        return pl.Series(values).new_from_index(0, counts[0])
    return pl.Series(values).gather(np.repeat(np.arange(len(counts)), counts))


def same(text: str, height: int) -> pl.Series:
    """A column of one text."""
    return pl.Series([text], dtype=pl.String).new_from_index(0, height)


def among(numbers: Whole, names: Mapping[int, str]) -> pl.Series | None:
    """What the numbers are called; null for one without a name."""
    found = list(map(names.get, numbers.tolist()))
    return pl.Series(found, dtype=pl.String) if any(found) else None
