"""NDJSON files, and JSON files with one object or one array of a bounded size."""

import io
from collections.abc import Iterator, Sequence

from store.errors import UsageError
from store.importer.blocks import BLOCK_BYTES, Block, blocks
from store.importer.rows import Reading, Rows
from store.importer.source import as_utf8
from store.normalise import Lines, is_one_object, raw_body, raw_lines


class Ndjson:
    """One JSON object a line; what starts with `[` is one array, read as a whole."""

    name = "ndjson"
    suffixes: Sequence[str] = (".ndjson", ".jsonl", ".json", ".ldjson")
    starts: Sequence[bytes] = (b"{", b"[")

    def read(self, reading: Reading) -> Iterator[Rows]:
        """The rows, block by block. UsageError: an array larger than a body may be."""
        with reading.open() as opened:
            stream = as_utf8(opened)
            found = blocks(stream, reading.keys, reading.limits.line_bytes_max)
            for block in found:
                if block.first == 1 and _is_whole(block.text):
                    yield _whole(block, stream, reading)
                    return
                lines = Lines(block.text, block.first, reading.where)
                yield Rows(raw_lines(lines, reading.limits, reading.naming.fields_of), block.key)


def _is_whole(text: bytes) -> bool:
    if text.lstrip().startswith(b"["):
        return True
    return len(text) <= BLOCK_BYTES and is_one_object(text)


def _whole(block: Block, stream: io.BufferedReader, reading: Reading) -> Rows:
    most = reading.limits.body_bytes_max
    body = block.text + stream.read(most)
    if len(body) > most:
        fault = f"it is one JSON array of more than {most:,} bytes"
        step = "make it lines: jq -c '.[]'"
        raise UsageError("import", fault, place=reading.source.name, next_step=step)
    reading.keys.add(body)
    where = f"{reading.where}event "
    raw = raw_body(body.strip(), reading.limits, reading.naming.fields_of, where)
    return Rows(raw, reading.keys.key())
