"""CSV files: cells between commas, semicolons or tabs, quoted where they hold one."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from store.errors import UsageError
from store.formulas import is_marked, unguarded, unguarded_text
from store.importer.csv_records import Records
from store.importer.rows import Reading, Rows
from store.importer.source import as_utf8
from store.importer.text_types import typed_text
from store.normalise import Raw
from store.normalise.columns import free_name
from store.normalise.json_lines import Refusals
from store.normalise.json_text import Fault
from store.schema import REQUIRED

_DELIMITERS: Final = ",;\t|"
_QUOTED: Final = re.compile('"[^"]*"')
_NOT_UTF8: Final = Fault(
    "bad_encoding", "it is not UTF-8; convert the file: iconv -f latin1 -t utf-8"
)


class Csv:
    """Real quoting, line breaks within quotes included; the first row names the columns."""

    name = "csv"
    suffixes: Sequence[str] = (".csv", ".tsv", ".tab")
    starts: Sequence[bytes] = ()

    def read(self, reading: Reading) -> Iterator[Rows]:
        """The rows, some thousands at a time. UsageError: a column to be mapped is not there."""
        with reading.open() as opened:
            records = Records(as_utf8(opened), reading.keys, reading.limits.line_bytes_max)
            records.delimiter = _delimiter(records.peek())
            table = _Table(records.header(), reading)
            for batch in records.batches(len(table.names)):
                raw = table.raw(batch.rows, batch.numbers, batch.refused)
                yield Rows(raw, batch.key)


def _delimiter(first_line: str) -> str:
    """The mark that stands most often between the names of the columns."""
    names = _QUOTED.sub("", first_line)
    return max(_DELIMITERS, key=names.count)


class _Table:
    """The columns of one file."""

    def __init__(self, header: Sequence[str], reading: Reading) -> None:
        most = reading.limits.keys_max
        if len(header) > most:
            fault = f"it has {len(header):,} columns, {most:,} are the limit"
            raise UsageError("import", fault, place=reading.source.name)
        taken: set[str] = set()
        chars_max = reading.limits.name_chars_max
        self.exported = tuple(header[: len(REQUIRED)]) == REQUIRED
        """As `eventdeck export` writes them: with texts marked that a spreadsheet would run."""
        if self.exported:
            header = [unguarded_text(name) for name in header]
        self.names = [
            free_name(name.strip()[:chars_max] or f"column_{number}", taken)
            for number, name in enumerate(header, 1)
        ]
        reading.naming.check(self.names, reading.source.name)
        self._reading = reading

    def raw(
        self, rows: list[list[str]], numbers: Sequence[int], refused: Sequence[tuple[int, Fault]]
    ) -> Raw:
        """The rows as typed columns; one that is not UTF-8 is refused as well."""
        refusals = Refusals()
        for number, fault in refused:
            refusals.add(f"{self._reading.where}{number}", fault)
        try:
            columns = self._columns(rows)
        except UnicodeEncodeError:
            sound = [_is_text(row) for row in rows]
            for number, is_text in zip(numbers, sound, strict=True):
                if not is_text:
                    refusals.add(f"{self._reading.where}{number}", _NOT_UTF8)
            rows = [row for row, is_text in zip(rows, sound, strict=True) if is_text]
            numbers = [number for number, is_text in zip(numbers, sound, strict=True) if is_text]
            columns = self._columns(rows)
        if rows and not columns:
            columns = [pl.Series("event_name", [None] * len(rows), dtype=pl.String)]
        return Raw(pl.DataFrame(columns), numbers, self._reading.where, refusals.all)

    def _columns(self, rows: list[list[str]]) -> list[pl.Series]:
        taken: set[str] = set()
        found: list[pl.Series] = []
        for name, cells in zip(self.names, zip(*rows, strict=True), strict=False):
            column = pl.Series(name, cells, dtype=pl.String)
            marked = self.exported and is_marked(column)
            if marked:
                column = unguarded(column)
            for field in self._reading.naming.fields_of(name):
                # What has a mark is text, whatever it looks like.
                made = [column.alias(field)] if marked else typed_text(column.alias(field))
                found += [typed.alias(free_name(typed.name, taken)) for typed in made]
        return found


def _is_text(row: list[str]) -> bool:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True
