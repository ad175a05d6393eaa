"""What a signal finds in a request, made into raw rows: attributes, fields, shared context."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, repeat
from typing import Any, Final

import numpy as np
import polars as pl

from store.normalise import Raw
from store.normalise.columns import columns_of, free_name
from store.normalise.flatten import flat
from store.normalise.json_body import check_names, within_bounds
from store.normalise.json_lines import Objects, Refusals
from store.normalise.json_text import Fault, NotTakenError
from store.normalise.raw_columns import raw_columns
from store.otlp.attributes import Pair, united
from store.schema import ATTRIBUTE_PREFIX
from store.settings import Limits

Row = dict[str, Any]
Values = Sequence[Any] | pl.Series
Runs = Sequence[tuple[Row, int]]
"""What rows in their order share of resource and scope, and how many of them."""
RESOURCE: Final = "resource."
"""Before the name of a resource's attribute when a record has one of that name."""


@dataclass(frozen=True, slots=True)
class Form:
    """How requests are written: in protobuf or in JSON."""

    pairs_of: Callable[[Iterable[Any]], Iterable[Pair]]
    value_of: Callable[[Any], Any]
    buckets_of: Callable[[Any], Any]
    """Those of an exponential histogram; NotTakenError where there are too many."""

    def row(self, attributes: Sequence[Any]) -> Row:
        """The attributes by name; the caller may add to it."""
        row = dict(self.pairs_of(attributes))
        return row if len(row) == len(attributes) else united(self.pairs_of(attributes))


@dataclass(slots=True)
class Found:
    """The events of one request, one row each, before the bounds."""

    where: str
    """What goes before a row's number: `log record `."""
    rows: list[Row]
    """The attributes of each, perhaps nested."""
    fields: Mapping[str, Values]
    """What each has beside them; an attribute of such a name gives way."""
    contexts: Runs
    faults: Mapping[int, Fault] = field(default_factory=dict)
    """What is wrong with a row by itself, by its number from 1."""
    refusals: Refusals = field(default_factory=Refusals)

    def raw(self, limits: Limits) -> Raw:
        """Flat columns; a row that passes a bound, alone or by its resource, is refused."""
        shared = self._shared(limits)
        for number, fault in self.faults.items():
            self.refusals.add(f"{self.where}{number}", fault)
            shared[number - 1] = None
        sound = [number for number, context in enumerate(shared, 1) if context is not None]
        objects = Objects([self.rows[number - 1] for number in sound], sound, self.where)
        kept, numbers, names = within_bounds(objects, limits, self.refusals, exact=True)
        if not kept:
            return Raw(pl.DataFrame(), refusals=self.refusals.all)
        contexts = [context for n in numbers if (context := shared[n - 1]) is not None]
        own = self._own(numbers)
        _give_way(kept, names, own.keys())
        runs = [(context, len(list(run))) for context, run in groupby(contexts)]
        for name in shared_names(runs) & names:
            _override(name, contexts, kept, names)
        columns = context_columns(runs, names, own.keys())
        taken = names | own.keys()
        for name, values in own.items():
            if isinstance(values, pl.Series):
                columns.append(values.alias(name))
            else:
                columns += columns_of(name, values, taken, exact=True)
        columns += raw_columns(kept, names, exact=True)
        return Raw(pl.DataFrame(columns), numbers, self.where, self.refusals.all)

    def _shared(self, limits: Limits) -> list[Row | None]:
        """The context of each row; None where it passes a bound."""
        found: list[Row | None] = []
        for context, count in self.contexts:
            try:
                bounded = check_names(flat(context, limits.depth_max, exact=True), limits)
                found += repeat(bounded, count)
            except NotTakenError as refused:
                for number in range(len(found) + 1, len(found) + count + 1):
                    self.refusals.add(f"{self.where}{number}", refused.fault)
                found += repeat(None, count)
        return found

    def _own(self, numbers: Sequence[int]) -> dict[str, Values]:
        if len(numbers) == len(self.rows):
            return dict(self.fields)
        places = [number - 1 for number in numbers]
        return {name: _gathered(values, places) for name, values in self.fields.items()}


def _gathered(values: Values, places: Sequence[int]) -> Values:
    if isinstance(values, pl.Series):
        return values.gather(list(places))
    return [values[place] for place in places]


def _give_way(rows: Sequence[Row], names: set[str], own: Iterable[str]) -> None:
    """Attributes that are called like a field of ours get `attr.` before their names."""
    for name in names.intersection(own):
        names.remove(name)
        instead = free_name(ATTRIBUTE_PREFIX + name, names)
        for row in rows:
            if name in row:
                row[instead] = row.pop(name)


def shared_names(runs: Runs) -> set[str]:
    return set().union(*(context for context, _ in runs))


def context_columns(runs: Runs, names: set[str], own: Collection[str]) -> list[pl.Series]:
    """What the rows share, but for what is among `names`, the attributes that they have themselves;
    with `attr.` before a name that is among `own`, our fields.
    """
    columns: list[pl.Series] = []
    taken = names.union(own)
    heights = [count for _, count in runs]
    places = np.repeat(np.arange(len(runs)), heights)
    for name in sorted(shared_names(runs) - names):
        called = free_name(ATTRIBUTE_PREFIX + name, taken) if name in own else name
        made = columns_of(called, [context.get(name) for context, _ in runs], taken, exact=True)
        if len(runs) == 1:
            columns += [values.new_from_index(0, heights[0]) for values in made]
        else:
            columns += [values.gather(places) for values in made]
    return columns


def _override(name: str, contexts: Sequence[Row], rows: Sequence[Row], names: set[str]) -> None:
    """A record's attribute stays; the resource's of that name goes to another one."""
    apart = free_name(RESOURCE + name, names)
    for row, context in zip(rows, contexts, strict=True):
        theirs = context.get(name)
        if theirs is not None and row.setdefault(name, theirs) != theirs:
            row[apart] = theirs
