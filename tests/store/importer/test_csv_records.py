"""CSV as spreadsheets and programs write it: the same cells, by the quick way and by the patient."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from store.importer.blocks import Keys
from store.importer.csv_records import Records

CELLS = st.text(st.sampled_from("ab ,;\"'\n\r\té\u2028"), max_size=6)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8)
)


def records(text: str, width: int) -> tuple[list[list[str]], list[int], list[tuple[int, str]]]:
    stream = io.BufferedReader(io.BytesIO(text.encode()))
    found = [*Records(stream, Keys(""), 1_000).batches(width)]
    return (
        [row for batch in found for row in batch.rows],
        [number for batch in found for number in batch.numbers],
        [(number, fault.reason) for batch in found for number, fault in batch.refused],
    )


def written(table: list[list[str]], quoting: int) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=quoting).writerows(table)
    return text.getvalue()


@given(TABLES, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_csv_writes_is_read_with_the_lines_that_it_starts_on(table, quoting):
    width = len(table[0]) if table else 1
    text = written(table, quoting)
    rows, numbers, refused = records(text, width)
    assert (rows, refused) == (table, [])
    starts = [1 + written(table[:n], quoting).count("\n") for n in range(len(table))]
    assert [*numbers] == starts


@given(st.text(st.sampled_from('a,"\n\r'), max_size=40))
def test_of_any_text_each_line_is_in_one_row_or_refused(text):
    rows, numbers, refused = records(text, 2)
    places = [*numbers, *(number for number, _ in refused)]
    assert len(set(places)) == len(places)
    assert len(rows) == len(numbers)
    assert set(places) <= set(range(1, text.count("\n") + 2))
