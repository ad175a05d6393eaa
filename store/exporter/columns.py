"""What is exported of an event, in columns that stay the same from the first frame to the last."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson
import polars as pl

from store.errors import StoreError
from store.normalise.events import OUT_OF_TIME
from store.normalise.fields import OURS
from store.normalise.sizes import ORIGINAL_BYTES
from store.parts.part import Part
from store.parts.widen import column_types, widest
from store.schema import ATTRIBUTE_COLUMNS_MAX, FIXED, OVERFLOW, REQUIRED, as_text, column

MARKS: Final = frozenset({*OURS, OUT_OF_TIME, ORIGINAL_BYTES})
"""What the store notes about an event by itself, and notes anew on an import."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of an export: the fixed ones and the fullest attributes; all other attributes
    are in OVERFLOW, one JSON object an event, as in a part.
    """

    types: Mapping[str, pl.DataType]
    surplus: frozenset[str] = frozenset()
    """Columns of some part that go into OVERFLOW."""
    left_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, parts: Sequence[Part], *, marks: bool) -> Self:
        """All that these parts hold; without `marks` those are left out."""
        rows = Counter[str]()
        for part in parts:
            rows.update(dict.fromkeys(part.columns, part.rows))
        packed = rows.pop(OVERFLOW, 0) > 0
        left_out = frozenset() if marks else MARKS
        known = {name: kind for name, kind in column_types(parts).items() if name not in left_out}
        attributes = [name for name in known if name in rows and name not in FIXED]
        fullest = sorted(attributes, key=lambda name: (-rows[name], name))
        surplus = frozenset(fullest[ATTRIBUTE_COLUMNS_MAX:])
        types: dict[str, pl.DataType] = {name: FIXED[name] for name in REQUIRED}
        types |= {n: kind for n, kind in known.items() if n in rows and n not in surplus}
        if packed or surplus:
            types[OVERFLOW] = pl.String()
        return cls(types, surplus, left_out)

    @property
    def read(self) -> Sequence[str]:
        """The columns that a scan must give."""
        return [*self.types, *sorted(self.surplus)]

    def made(self, events: pl.LazyFrame, found: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """The events in these columns, collected; `found` are the types in the parts scanned.
        StoreError: there are values now that the types from before cannot hold.
        """
        values = [self._value(n, found.get(n), kind) for n, kind in self.types.items()]
        surplus = [pl.col(name) for name in self.surplus]
        frame = events.select(*values, *surplus).collect()
        if OVERFLOW not in self.types:
            return frame
        return frame.with_columns(self._packed(frame)).select([*self.types])

    def _value(self, name: str, found: pl.DataType | None, kind: pl.DataType) -> pl.Expr:
        if name == OVERFLOW or found == kind:
            return column(name)
        if found is None:
            return pl.lit(None, kind).alias(name)
        if kind == pl.String:
            return as_text(name, found)
        if widest({found, kind}, wide=False) != kind:
            fault = f"{name} got values of another type while the export ran"
            raise StoreError("export", fault, next_step="run it again")
        return column(name).cast(kind)

    def _packed(self, frame: pl.DataFrame) -> pl.Series:
        """OVERFLOW without what has a column, with what is in too many of them."""
        texts = frame[OVERFLOW]
        if texts.null_count() == len(texts) and not self.surplus:
            return texts
        objects: list[dict[str, Any]] = [orjson.loads(text) if text else {} for text in texts]
        apart = self.types.keys() | self.left_out
        for each in objects:
            for name in each.keys() & apart:
                del each[name]
        for name in self.surplus:
            for row, value in enumerate(frame[name].to_list()):
                if value is not None:
                    objects[row][name] = value
        packed = [orjson.dumps(each).decode() if each else None for each in objects]
        return pl.Series(OVERFLOW, packed, dtype=pl.String)
