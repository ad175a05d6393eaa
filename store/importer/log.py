"""Logs: the events among all else that a program printed."""

from collections.abc import Iterator, Sequence

from store.importer.blocks import blocks
from store.importer.rows import Reading, Rows
from store.importer.source import as_utf8
from store.vacuum.events import raw_events
from store.vacuum.output import packed
from store.vacuum.sieve import Found, sift


class Log:
    """Lines that are JSON objects with the number `"_e": 1`; with `--logs` ordinary logs too."""

    name = "log"
    suffixes: Sequence[str] = (".log",)
    starts: Sequence[bytes] = ()

    def read(self, reading: Reading) -> Iterator[Rows]:
        """The rows, block by block; all other lines are left aside."""
        limit = reading.limits.line_bytes_max
        with reading.open() as opened:
            for block in blocks(as_utf8(opened), reading.keys, limit):
                found = Found()
                sift(block.text, block.first, limit, found, logs=reading.logs)
                raw = raw_events(
                    found,
                    reading.limits,
                    reading.naming.fields_of,
                    where=reading.where,
                    logs=reading.logs,
                )
                lines = list(zip(found.numbers, found.lines, strict=True))
                yield Rows(raw, block.key, packed(lines) if raw.refusals else b"")
