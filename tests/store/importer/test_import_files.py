"""Files into the store: what is stored, what is refused, and that nothing is stored twice."""

import csv
import gzip
import io
import json
import os
import random
import sys
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard

from store.errors import UsageError
from store.importer import FORMATS, blocks, import_files, runs
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import column_types, scan
from store.settings import Settings
from store.tally import FATES, Receipt, Tally

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
DAY = datetime(2026, 11, 20, tzinfo=UTC)


class Store:
    """A store in a folder of its own, and the imports into it."""

    def __init__(self, root):
        self.root = root
        self.settings = Settings(store=root / "store")

    def take(self, *paths, **how) -> Receipt:
        receipt = import_files(
            [str(path) for path in paths], settings=self.settings, now=lambda: NOW, **how
        )
        assert receipt.received == sum(getattr(receipt, fate) for fate in FATES)
        return receipt

    def file(self, name: str, content: str | bytes):
        path = self.root / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    @property
    def parts(self):
        return Catalog(StoreFolder.open(self.settings.store)).snapshot().parts

    @property
    def tally(self) -> Tally:
        return Tally.total(part.tally for part in self.parts)

    def rows(self, *columns: str) -> list[dict]:
        """All events in the order of time, without what is null."""
        parts = self.parts
        wanted = columns or [*column_types(parts)]
        order = list(dict.fromkeys([*wanted, "event_time", "event_id"]))
        events = scan(parts, order, None).sort("event_time", "event_id").collect()
        rows = events.select(wanted).to_dicts()
        return [{k: v for k, v in row.items() if v is not None} for row in rows]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def lines(*events: dict) -> str:
    return "".join(f"{json.dumps(event)}\n" for event in events)


def event(n: int, /, **more) -> dict:
    return {"event_name": f"e{n}", "event_time": (DAY + timedelta(hours=n)).isoformat(), **more}


def places(receipt: Receipt) -> list[str]:
    return [error.place for error in receipt.errors]


COMPRESSIONS = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_ndjson_compressed_or_not(store, suffix):
    body = (lines(event(0, n=1), event(1)) + "broken\n" + lines(event(2))).encode()
    path = store.file(f"shop.ndjson{suffix}", COMPRESSIONS[suffix](body))
    receipt = store.take(path)
    assert (receipt.stored, receipt.rejected) == (3, 1)
    assert places(receipt) == [f"shop.ndjson{suffix}:3"]
    assert [row["event_name"] for row in store.rows()] == ["e0", "e1", "e2"]
    assert store.rows()[0]["source"] == "import"


def test_the_issue_of_the_contract(store):
    path = store.file(
        "shop.csv", "event_name,event_time\na,2026-11-20\nb,never\nc,2026-11-20T01:00Z\n"
    )
    receipt = store.take(path)
    assert (receipt.received, receipt.stored, receipt.rejected) == (3, 2, 1)
    assert receipt.as_json()["errors"][0]["place"] == "shop.csv:3"
    assert store.tally.as_json() == {
        "received": 3,
        "stored": 2,
        "filtered": 0,
        "sampled_out": 0,
        "duplicate": 0,
        "rejected": 1,
        "dropped": 0,
        "intakes": {"import": 3},
        "reasons": {"rejected.bad_time": 1},
    }
    assert all(part.imported for part in store.parts)


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_importing_twice_stores_once(store, suffix):
    body = lines(*(event(n, user_id="ada") for n in range(100)), {"event_name": "x"}).encode()
    path = store.file(f"a.ndjson{suffix}", COMPRESSIONS[suffix](body))
    assert store.take(path).stored == 101
    again = store.take(path)
    assert (again.stored, again.duplicate) == (0, 101)
    assert len(store.rows()) == 101
    assert (store.tally.fates["stored"], store.tally.fates["duplicate"]) == (101, 101)


def test_the_same_file_named_twice_is_stored_once(store):
    path = store.file("a.ndjson", lines(event(0), event(1)))
    assert (
        store.take(path, path).as_json() | {"errors": []}
        == Receipt(stored=2, duplicate=2).as_json()
    )


def test_equal_rows_of_one_file_and_of_two_files_are_all_stored(store):
    one = store.file("a.csv", "event_time,event_name\n" + "2026-11-20,x\n" * 3)
    two = store.file("b.csv", "event_time,event_name\n" + "2026-11-20,x\n" * 4)
    assert store.take(one, two).stored == 7


def test_the_same_file_with_other_names_for_its_fields_is_another_import(store):
    path = store.file("a.csv", "at,what\n2026-11-20,x\n")
    naming = {"event_time": "at", "event_name": "what"}
    assert store.take(path, mapping=naming).stored == 1
    assert store.take(path, mapping=naming, constants={"service_name": "s"}).stored == 1


def test_an_id_that_the_file_has_is_kept_and_counts(store):
    path = store.file("a.ndjson", lines(event(0, event_id="i"), event(0, event_id="i"), event(1)))
    assert store.take(path).duplicate == 1
    other = store.file("b.ndjson", lines(event(0, event_id="i"), event(24, event_id="i")))
    assert (store.take(other).stored, len(store.rows())) == (1, 3)
    assert [row["event_id"] for row in store.rows()].count("i") == 2


def test_rows_of_one_instant_keep_their_order(store):
    path = store.file("a.ndjson", lines(*(event(0, n=n) for n in range(2_000))))
    store.take(path)
    assert [row["n"] for row in store.rows("n")] == list(range(2_000))


def test_a_row_without_an_id_gets_none_that_tells_a_time(store):
    store.take(store.file("a.ndjson", lines(*({"event_name": "x"} for _ in range(50)))))
    assert {row["event_time"] for row in store.rows()} == {NOW}


def test_secrets_are_masked_before_they_are_stored(store):
    path = store.file("a.csv", "event_name,user.password\nx,hunter2\n")
    store.take(path)
    assert store.rows()[0]["user.password"] == "[masked]"
    assert store.tally.reasons == {"masked.password": 1}


def test_csv_is_read_with_its_quotes(store):
    cells = ['say "hi"', "a,b", "two\nlines", " padded ", "ümlaut", "=1+1", ""]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["event_name", "message"])
    writer.writerows([f"e{n}", cell] for n, cell in enumerate(cells))
    writer.writerow(["last"])
    receipt = store.take(store.file("a.csv", text.getvalue()))
    assert [row.get("message", "") for row in store.rows()] == cells
    assert places(receipt) == ["a.csv:10"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "event_name;n\nx;1,5\n"),
        ("a.tsv", "event_name\tn\nx\t1,5\n"),
        ("a.csv", '\ufeff"event_name","n"\r\nx,"1,5"\r\n\r\n'),
        ("a.csv", "event_name|n\nx|1,5"),
    ],
)
def test_csv_comes_in_dialects(store, name, text):
    assert store.take(store.file(name, text)).stored == 1
    assert store.rows("event_name", "n") == [{"event_name": "x", "n": "1,5"}]


def test_ragged_rows_are_refused_by_themselves(store):
    text = "event_name,n\na,1\nb\nc,2,3\n\nd,4\n"
    receipt = store.take(store.file("a.csv", text))
    assert [row["event_name"] for row in store.rows()] == ["a", "d"]
    assert places(receipt) == ["a.csv:3", "a.csv:4"]
    assert "1 cells, the header has 2" in receipt.errors[0].fault


def test_a_quote_that_is_never_closed_costs_its_own_row_only(store):
    rows = [f"e{n},v{n}" for n in range(20_000)]
    rows[10] = 'e10,"open'
    receipt = store.take(store.file("a.csv", "event_name,v\n" + "\n".join(rows)))
    assert (receipt.stored, receipt.rejected) == (19_999, 1)
    assert places(receipt) == ["a.csv:12"]


def test_cells_are_typed_where_all_of_a_column_fit(store):
    text = "event_name,zip,n,f,price,version,ok,value,mixed\n"
    text += "a,01234,1,0.5,19.90,1.9,true,1.5,1\nb,4711,2,1e-05,5.00,1.10,False,n/a,x\n"
    store.take(store.file("a.csv", text))
    a, b = store.rows("zip", "n", "f", "price", "version", "ok", "value", "mixed", "attr.value")
    assert a == {
        "zip": "01234",
        "n": 1,
        "f": 0.5,
        "price": 19.9,
        "version": "1.9",
        "ok": True,
        "value": 1.5,
        "mixed": "1",
    }
    assert b == {
        "zip": "4711",
        "n": 2,
        "f": 1e-05,
        "price": 5.0,
        "version": "1.10",
        "ok": False,
        "attr.value": "n/a",
        "mixed": "x",
    }


def test_fields_of_text_stay_text_whatever_they_look_like(store):
    text = "event_name,user_id,service_version,severity\n404,0042,2.40,17\n"
    store.take(store.file("a.csv", text))
    wanted = ("event_name", "user_id", "service_version", "severity")
    assert store.rows(*wanted) == [
        {"event_name": "404", "user_id": "0042", "service_version": "2.40", "severity": 17}
    ]


def test_names_and_constants_give_the_fields_that_a_file_lacks(store):
    path = store.file("cpu.csv", "timestamp,cpu,value\n2014-02-14 14:30:00,0.132,mine\n")
    store.take(
        path,
        mapping={"event_time": "timestamp", "value": "cpu"},
        constants={"event_name": "cpu", "event_type": "metric", "is_dev": "true", "plan": "5"},
        zone=ZoneInfo("America/New_York"),
    )
    (row,) = store.rows()
    assert row["event_time"] == datetime(2014, 2, 14, 19, 30, tzinfo=UTC)
    assert (row["event_name"], row["event_type"], row["value"]) == ("cpu", "metric", 0.132)
    assert (row["is_dev"], row["plan"], row["attr.value"]) == (True, 5, "mine")
    assert "timestamp" not in row


def test_one_column_may_give_two_fields(store):
    path = store.file("a.ndjson", lines(event(0, who="ada")))
    store.take(path, mapping={"user_id": "who", "session_id": "who"})
    assert store.rows("user_id", "session_id") == [{"user_id": "ada", "session_id": "ada"}]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_that_is_not_there_is_a_wrong_use(store, kind):
    path = store.root / f"a.{kind}"
    frame = pl.DataFrame({"event_name": ["x"], "n": [1]})
    frame.write_csv(path) if kind == "csv" else frame.write_parquet(path)
    with pytest.raises(UsageError, match="there is no column 'when'; it has event_name, n"):
        store.take(path, mapping={"event_time": "when"})
    assert store.parts == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_other_unicode_encodings_are_read(store, encoding, kind):
    text = "event_name\nümlaut\n" if kind == "csv" else '{"event_name":"ümlaut"}\n'
    text = "\ufeff" + text if encoding == "utf-16-be" else text
    assert store.take(store.file(f"a.{kind}", text.encode(encoding))).stored == 1
    assert store.rows("event_name") == [{"event_name": "ümlaut"}]


def test_rows_in_latin1_are_refused_with_what_to_do(store):
    receipt = store.take(store.file("a.csv", "event_name,n\na,1\nü,2\nb,3\n".encode("latin1")))
    assert (receipt.stored, places(receipt)) == (2, ["a.csv:3"])
    assert "iconv" in receipt.errors[0].fault


@pytest.mark.parametrize(("suffix", "cut"), [(".gz", 100), (".gz", 5), (".zst", 20)])
def test_of_a_file_that_was_cut_off_the_start_is_stored(store, suffix, cut):
    body = "".join(lines(event(n % 48, r=random.Random(n).random())) for n in range(5_000)).encode()
    whole = COMPRESSIONS[suffix](body)
    receipt = store.take(store.file(f"a.ndjson{suffix}", whole[:-cut]))
    assert receipt.stored > 4_000
    assert receipt.errors[-1].place == f"a.ndjson{suffix}"
    assert "cut off" in receipt.errors[-1].fault
    assert store.tally.reasons["rejected.bad_compression"] == 1


def test_lines_without_end_are_refused_in_bounded_memory(store):
    body = b'{"event_name":"a"}\n{"x":"' + b"y" * 5_000_000 + b'"}\n{"event_name":"b"}\n'
    receipt = store.take(store.file("a.ndjson", body))
    assert (receipt.stored, places(receipt)) == (2, ["a.ndjson:2"])
    body = b"event_name,m\na,1\nx," + b"y" * 5_000_000 + b"\nb,2\n"
    receipt = store.take(store.file("a.csv", body))
    assert (receipt.stored, places(receipt)) == (2, ["a.csv:3"])


@pytest.mark.parametrize("body", ['[{"event_name":"a"},\n 3,{"event_name":"b"}]', None])
def test_a_json_file_may_be_one_array_or_one_object(store, body):
    body = body or json.dumps({"event_name": "a"}, indent=2)
    receipt = store.take(store.file("a.json", body))
    assert store.rows("event_name")[0] == {"event_name": "a"}
    assert places(receipt) == (["a.json:event 2"] if body.startswith("[") else [])


def test_parquet_of_any_shape_is_made_flat(store):
    frame = pl.DataFrame(
        {
            "event_name": ["a", "b"],
            "event_time": [DAY, DAY + timedelta(hours=1)],
            "user": [{"id": 7, "tags": ["x", "y"]}, None],
            "small": pl.Series([1, None], dtype=pl.UInt8),
            "when": [DAY.date(), None],
            "price": pl.Series(["1.50", "2.25"]).cast(pl.Decimal(10, 2)),
            "raw": [b"text", b"\xff"],
            "kind": pl.Series(["k", "k"], dtype=pl.Categorical),
            "nothing": [None, None],
        }
    )
    frame.write_parquet(store.root / "a.parquet")
    assert store.take(store.root / "a.parquet").stored == 2
    a, b = store.rows("user.id", "user.tags", "small", "when", "price", "raw", "kind")
    assert a == {
        "user.id": 7,
        "user.tags": '["x","y"]',
        "small": 1,
        "when": "2026-11-20",
        "price": 1.5,
        "raw": "text",
        "kind": "k",
    }
    assert b == {"price": 2.25, "raw": "ff", "kind": "k"}
    assert store.take(store.root / "a.parquet").duplicate == 2


def test_a_row_of_parquet_is_refused_by_its_number(store):
    pl.DataFrame({"event_name": ["a", None, "b"]}).write_parquet(store.root / "a.parquet")
    assert places(store.take(store.root / "a.parquet")) == ["a.parquet:2"]


@pytest.mark.parametrize("kind", [each.name for each in FORMATS])
def test_an_empty_file_is_no_event(store, kind):
    path = store.file("a.data", "")
    if kind == "parquet":
        pl.DataFrame({"event_name": []}).write_parquet(path)
    assert store.take(path, format=kind).received == 0
    assert store.parts == ()


@pytest.mark.parametrize(
    ("name", "content", "format_", "fault"),
    [
        ("a.data", "x", None, "its name does not tell its format"),
        ("a.csv", "x", "xml", "there is no format 'xml'"),
        ("a.parquet", "x", None, "cannot be read as Parquet"),
        ("missing.csv", None, None, "no such file"),
        ("", None, None, "this is a folder"),
    ],
)
def test_what_cannot_be_imported_is_said_before_anything_is_done(
    store, name, content, format_, fault
):
    path = store.file(name, content) if content else store.root / name
    with pytest.raises(UsageError, match=fault):
        store.take(path, format=format_)
    assert store.parts == ()


def test_a_file_whose_name_says_nothing_is_told_by_its_content(store):
    assert store.take(store.file("events", gzip.compress(b'\n{"event_name":"a"}'))).stored == 1


def test_standard_input_is_a_file_too(store, monkeypatch):
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b'{"event_name":"a"}\nx\n')))
    )
    receipt = store.take("-")
    assert (receipt.stored, places(receipt)) == (1, ["stdin:2"])


def test_files_of_one_name_are_told_apart(store):
    (store.root / "other").mkdir()
    one, two = store.file("a.csv", "event_name\n\n"), store.file("other/a.csv", "event_name,b\nx\n")
    assert places(store.take(one, two)) == [f"{two}:2"]


def test_scattered_history_lands_in_one_part_a_date_also_past_the_budget(store, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(runs, "RUN_BYTES", 50_000)
    shuffled = list(range(24 * 7)) * 20
    random.Random(1).shuffle(shuffled)
    events = [event(hour, n=n, pad="x" * 50) for n, hour in enumerate(shuffled)]
    path = store.file("a.ndjson", lines(*events))
    assert store.take(path).stored == len(events)
    assert len(store.parts) == 7
    assert sorted(row["n"] for row in store.rows("n")) == list(range(len(events)))
    assert store.tally.fates == {"stored": len(events)}
    assert store.take(path).duplicate == len(events)
    assert [name.name for name in store.settings.store.iterdir() if "tmp" in name.name] == []


def test_large_dates_are_stored_as_they_come(store, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(runs, "RUN_BYTES", 100_000)
    monkeypatch.setattr(runs, "GOOD_PART_ROWS", 500)
    events = [event(0, n=n, pad="x" * 50) for n in range(5_000)]
    assert store.take(store.file("a.ndjson", lines(*events))).stored == 5_000
    assert len(store.parts) > 2
    assert {row["n"] for row in store.rows("n")} == set(range(5_000))


def test_progress_ends_at_the_size_of_the_files(store):
    seen = []
    path = store.file("a.ndjson", lines(*(event(n % 24) for n in range(5_000))))
    store.take(path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_part_is_readable_by_any_tool(store):
    store.take(store.file("a.ndjson", lines(event(0, n=1))))
    assert pq.read_table(store.parts[0].path)["n"].to_pylist() == [1]


def test_a_pipe_is_read_once(store):
    pipe = store.root / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="its name does not tell its format"):
        store.take(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"event_name":"a"}\n',))
    writer.start()
    assert store.take(pipe, format="ndjson").stored == 1
    writer.join()


def test_a_file_that_grew_adds_what_is_new(store, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1_000)
    events = [event(0, n=n, pad="x" * 50) for n in range(100)]
    assert store.take(store.file("a.ndjson", lines(*events[:50]))).stored == 50
    grown = store.take(store.file("a.ndjson", lines(*events)))
    assert (grown.stored + grown.duplicate, grown.duplicate > 40) == (100, True)
