"""Attributes of many records as columns, each of the type that its values have."""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import polars as pl

from store.normalise.columns import columns_of
from store.normalise.flatten import list_text
from store.normalise.json_text import NotTakenError
from store.otlp.attributes import name_of, value_of
from store.otlp.texts import are_all, but, present, text_series, texts_at
from store.otlp.wire import BYTES, Fields, Messages, UnusualError, Whole, fields, fixed
from store.schema import ATTRIBUTE_COLUMNS_MAX, FIXED
from store.settings import Limits

TEXT: Final = 1 << 3 | 2
BOOLEAN: Final = 2 << 3
INTEGER: Final = 3 << 3
DOUBLE: Final = 4 << 3 | 1
_LIST: Final = 5 << 3 | 2
_TYPED: Final = frozenset({TEXT, BOOLEAN, INTEGER, DOUBLE})
VALUES_MIN: Final = 32
"""A column of fewer values costs more than they do one by one."""


@dataclass(frozen=True, slots=True)
class Values:
    """AnyValues, and the rows that they are of."""

    rows: Whole
    """Those of one row after one another."""
    messages: Messages
    inner: Fields
    """What stands within them."""
    tags: Whole
    """0 where a value is empty."""
    entries: Whole
    """Of each value, its place in `inner`."""

    @classmethod
    def of(cls, rows: Whole, messages: Messages) -> Self:
        """UnusualError: one says two things."""
        inner = fields(messages)
        entries = np.zeros(len(messages), np.int64)
        tags = entries.copy()
        entries[inner.owners] = np.arange(len(inner.owners))
        tags[inner.owners] = inner.tags
        if np.count_nonzero(tags) < len(inner.owners):
            raise UnusualError
        return cls(rows, messages, inner, tags, entries)

    @property
    def is_even(self) -> bool:
        """Whether all are of one kind."""
        return len(np.unique(self.tags[self.tags != 0])) <= 1

    def chosen(self, which: Whole) -> "Values":
        """Some of them, in the same order."""
        messages = self.messages.chosen(which)
        return Values(self.rows[which], messages, self.inner, self.tags[which], self.entries[which])

    def columns(self, name: str, height: int, limits: Limits) -> list[pl.Series]:
        """What `columns_of` makes of them, null in all other rows; UnusualError: an object, or a
        row with two.
        """
        if (self.rows[1:] == self.rows[:-1]).any():
            raise UnusualError
        there = self if self.tags.all() else self.chosen(np.flatnonzero(self.tags))
        if not len(there.tags):
            return []
        if (one := there.typed(height)) is not None:
            return [one.alias(name)]
        if name in FIXED and (there.tags == _LIST).any():
            raise UnusualError
        return columns_of(name, there.plain(height, limits), {name, *FIXED}, exact=True)

    def plain(self, height: int, limits: Limits) -> list[Any]:
        """One by one, None in all other rows; lists as text. UnusualError: an object."""
        values: list[Any] = [None] * height
        for row, message in zip(self.rows.tolist(), self.messages, strict=True):
            values[row] = _flat(value_of(message), limits)
        return values

    def said(self, limits: Limits) -> list[Any]:
        """One by one, as a point's stream is known by them. UnusualError: nothing, or a list."""
        if (self.tags == 0).any() or (self.tags == _LIST).any():
            raise UnusualError
        alone = replace(self, rows=np.arange(len(self.rows)))
        one = alone.typed(len(self.rows))
        return alone.plain(len(self.rows), limits) if one is None else one.to_list()

    def typed(self, height: int) -> pl.Series | None:
        """As `columns`, when all are texts, or numbers of one kind, or booleans."""
        tag = int(self.tags[0])
        if tag not in _TYPED or (self.tags != tag).any():
            return None
        starts = self.inner.starts[self.entries]
        if tag == TEXT:
            texts = texts_at(self.inner.data, starts, self.inner.ends[self.entries])
            return text_series(texts, self.rows, height)
        if tag == DOUBLE:
            numbers = fixed(self.inner.data, starts, "<f8")
        else:
            numbers = self.inner.values[self.entries]
        if are_all(self.rows, height):
            values = pl.Series(numbers)
        else:
            placed = np.zeros(height, numbers.dtype)
            placed[self.rows] = numbers
            values = but(pl.Series(placed), ~present(self.rows, height))
        return values.cast(pl.Boolean) if tag == BOOLEAN else values


def _flat(value: Any, limits: Limits) -> Any:
    if type(value) is dict:
        raise UnusualError
    try:
        return list_text(value, limits.depth_max - 1, True) if type(value) is list else value
    except NotTakenError:
        raise UnusualError from None


Attributes = dict[str, Values]
"""By the names of their columns."""


def attributes_of(rows: Whole, messages: Messages) -> Attributes:
    """The values by their columns' names. `messages` are KeyValues, in the order of their `rows`.

    UnusualError: a name that senders do not use, or that means the same as another; too many.
    """
    if not len(rows):
        return {}
    pairs = fields(messages)
    key = pairs.one_of_each(1, BYTES)
    key = key[np.argsort(pairs.owners[key])]
    owners, messages = pairs.messages(2)
    if len(key) < pairs.count or len(owners) < pairs.count or (owners[1:] == owners[:-1]).any():
        raise UnusualError
    values = Values.of(rows, messages)
    found = texts_at(pairs.data, pairs.starts[key], pairs.ends[key]).dictionary_encode()
    names = _names(found.dictionary.to_pylist(), len(rows))
    which = found.indices.to_numpy().astype(np.int16)  # numpy sorts these by their digits
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(names)))
    groups = np.split(order, ends[:-1])
    return {name: values.chosen(group) for name, group in zip(names, groups, strict=True)}


def _names(keys: list[bytes], count: int) -> list[str]:
    if len(keys) > ATTRIBUTE_COLUMNS_MAX or len(keys) * VALUES_MIN > count:
        raise UnusualError
    try:
        names = [name_of(key.decode()) for key in keys]
    except UnicodeDecodeError:
        raise UnusualError from None
    if len(set(names)) < len(names) or "" in names:
        raise UnusualError
    return names
