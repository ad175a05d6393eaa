"""CSV: a header, texts in quotes, times in ISO 8601; nothing in it that a spreadsheet would run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import polars as pl

from store.exporter.format import Write
from store.exporter.target import Output
from store.formulas import guarded, guarded_text
from store.schema import column, iso_text
from store.terminals import OBEYED

# C0 but for tabs and line feeds.
_OBEYED: Final = f"[\x00-\x08\x0b-\x1f{OBEYED}]"


class Csv:
    """A cell without quotes is null where it is empty. CSV has no types: an attribute whose texts
    all read as numbers comes back as one, and an empty text as none.
    """

    name = "csv"
    suffixes: Sequence[str] = (".csv",)
    compressed = False

    @contextmanager
    def writing(self, out: Output, types: Mapping[str, pl.DataType]) -> Iterator[Write]:
        """The header at once, rows as they come. On a terminal what it could obey is left out."""
        # Two names may be the same once they are harmless, so they are values here, not names.
        names = [guarded_text(name) for name in types]
        header = pl.DataFrame([pl.Series(str(n), [name]) for n, name in enumerate(names)])
        shown = out.isatty()
        out.write(_rows(header, shown=shown))

        def write(events: pl.DataFrame) -> None:
            cells = events.select(_cell(name, kind) for name, kind in events.schema.items())
            out.write(_rows(cells, shown=shown))

        yield write


def _rows(cells: pl.DataFrame, *, shown: bool) -> bytes:
    if shown:
        cells = cells.with_columns(pl.col(pl.String).str.replace_all(_OBEYED, "\ufffd"))
    return cells.write_csv(include_header=False, quote_style="non_numeric").encode()


def _cell(name: str, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return iso_text(name)
    if kind == pl.String:
        return guarded(column(name))
    return column(name).cast(pl.String) if kind == pl.Int128 else column(name)
