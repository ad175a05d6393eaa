"""Which column of a file becomes which field, and the fields that are the same for all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import polars as pl

from store.errors import UsageError
from store.importer.text_types import typed_text
from store.schema import ATTRIBUTE_PREFIX

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Naming:
    """`--map FIELD=COLUMN` and `--set FIELD=VALUE`."""

    mapping: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """field -> the column that it is taken from."""
    constants: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """field -> its value in every row."""

    def __post_init__(self) -> None:
        for name in self.mapping.keys() & self.constants.keys():
            fault = f"{name} is both taken from a column and set to a value"
            raise UsageError("import", fault, next_step="leave out --map or --set for it")

    def fields_of(self, column: str) -> tuple[str, ...]:
        """The fields that a column goes to. One whose name was given away is `attr.NAME`."""
        found = tuple(name for name, source in self.mapping.items() if source == column)
        if found:
            return found
        taken = column in self.mapping or column in self.constants
        return (ATTRIBUTE_PREFIX + column if taken else column,)

    def check(self, columns: Sequence[str], place: str) -> None:
        """A UsageError when a column that is to be mapped is not there."""
        for source in self.mapping.values():
            if source not in columns:
                shown = ", ".join(columns[:20])
                fault = f"there is no column {source!r}"
                raise UsageError("import", fault, place=place, next_step=f"it has {shown}")

    def with_constants(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` with the constants, typed as the cells of a CSV file are."""
        if not self.constants or not rows.height:
            return rows
        typed = (
            column
            for name, value in self.constants.items()
            for column in typed_text(pl.Series(name, [value], dtype=pl.String))
        )
        return rows.with_columns(column.new_from_index(0, rows.height) for column in typed)
