"""Tables for people and CSV, and JSON that a terminal cannot obey."""

import csv
import io
import json
import math
from datetime import UTC, datetime

from tui.commands.console import Console, json_text
from tui.commands.table import Table, one_line

TABLE = Table(
    ("name", "count", "share", "since"),
    [
        ("sign\x1b[31mup", 71_402, 0.5, datetime(2026, 11, 22, tzinfo=UTC)),
        ("日本", 3, 1 / 3, None),
        ('a,"b"\nc', None, math.nan, None),
    ],
)


def written(*, as_csv: bool) -> str:
    out = io.StringIO()
    TABLE.write(Console(out=out), as_csv=as_csv)
    return out.getvalue()


def test_people_see_aligned_columns():
    assert written(as_csv=False).splitlines() == [
        "name         count    share  since",
        "sign␛[31mup  71402      0.5  2026-11-22T00:00:00Z",
        "日本             3  0.33333  ·",
        'a,"b"␊c          ·        ·  ·',
    ]


def test_csv_keeps_every_digit_and_reads_back():
    rows = list(csv.reader(io.StringIO(written(as_csv=True))))
    assert rows == [
        ["name", "count", "share", "since"],
        ["sign␛[31mup", "71402", "0.5", "2026-11-22T00:00:00Z"],
        ["日本", "3", "0.3333333333333333", ""],
        ['a,"b"␊c', "", "", ""],
    ]


def test_json_is_exact_and_harmless():
    hostile = "\x1b]0;x\x07 \x9b31m \u202e \x7f é 日 \ud800"
    text = json_text({"text": hostile, "none": math.nan, "at": datetime(2026, 1, 1, tzinfo=UTC)})
    assert json.loads(text) == {"text": hostile, "none": None, "at": "2026-01-01T00:00:00Z"}
    assert text.isprintable()
    assert "é 日" in text


def test_an_error_is_one_line_whatever_it_holds():
    assert one_line("a\nb\t\x1b[2J") == "a b ␛[2J"


def test_lists_are_shapes_and_words_for_people():
    table = Table(
        ("trend", "why"), [([0.0, 1.0, 4.0], [{"attribute": "plan", "value": "pro", "share": 0.5}])]
    )
    out = io.StringIO()
    table.write(Console(out=out), as_csv=False)
    assert out.getvalue() == "trend  why\n ▃█    plan pro 50%\n"
