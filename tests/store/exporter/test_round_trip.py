"""What is exported imports again to the same events, in every format."""

import csv
import gzip
import io
import json
import math
from datetime import datetime, timedelta

import polars as pl
import pytest
import zstandard

from store.errors import UsageError
from store.event_store import EventStore
from store.exporter import FORMATS, export_file, ordered
from store.importer import import_files
from store.schema import as_text
from store.settings import Settings
from store.testing import NOON, FrozenClock, store_of
from store.timespan import TimeSpan

CLOCK = FrozenClock()
SUFFIXES = [f".{each.name}" for each in FORMATS]
HOSTILE = (
    *("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "'=1", "''=1", "＝1", "'quoted'", "plain"),
    *("\x1b]0;owned\x07", "\x9b31m", "a\x00b", "\u202eabc\u2069", '"', '""', "a,b;c", "a\nb\r\nc"),
    *("\r", "[/b]", "${HOME}", "{}", "\\", "\\u0000", "🦊e\u0301", "\ufffe", " blank ", "null"),
)
"""Texts that some reader would obey, or lose."""


def stored(root, *bodies: list[dict]) -> EventStore:
    """A store with the events of these bodies, each a file of its own, taken as imports are."""
    for number, rows in enumerate(bodies):
        file = root.parent / f"{root.name}-{number}.ndjson"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        receipt = import_files([file], settings=Settings(store=root), now=CLOCK)
        assert (receipt.stored, receipt.rejected) == (len(rows), 0), receipt
    return EventStore(root, now=CLOCK)


def again(tmp_path, store: EventStore, name: str, **how) -> EventStore:
    """The store that an export of `store` imports to."""
    done = export_file(tmp_path / name, store=store, **how)
    settings = Settings(store=tmp_path / f"again-{name}")
    receipt = import_files([tmp_path / name], settings=settings, now=CLOCK)
    assert (receipt.stored, receipt.rejected) == (done.events, 0), receipt
    return EventStore(settings.store, now=CLOCK)


def events(store: EventStore, *, texts: bool = False) -> list[dict]:
    """All events in order, without nulls; as texts where types cannot be kept."""
    found = store.events().drop("_part").sort("event_time", "event_id").collect()
    if texts:
        found = found.select(as_text(name, kind) for name, kind in found.schema.items())
    return [{k: v for k, v in row.items() if v not in (None, "")} for row in found.to_dicts()]


def lines_of(path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def at(n: int, /, **values) -> dict:
    time = NOON - timedelta(days=1) + timedelta(microseconds=n * 977)
    return {"event_id": f"e{n:06}", "event_time": time.isoformat(), "event_name": f"n{n}", **values}


EVERY_TYPE = [
    at(0, event_type="span", duration_ms=1.5, trace_id="t", span_id="s", parent_span_id="p"),
    at(1, event_type="metric", value=-0.0, unit="1", metric_kind="gauge", sample_rate=2.5),
    at(2, severity="error", message="EACCES", service_name="api", is_dev=True, user_bucket=7),
    at(3, user_id="ada", install_id="i", session_id="s-1", component="c", subject_hash="theirs"),
    at(4, n=-(2**63), u=2**64 - 1, big=2**70, f=0.1, whole=3.0, tiny=5e-324, huge=1.7e308, b=False),
    at(5, n=2**53 + 1, u=0, f=1e16, whole=4.0, b=True, empty="", zero="007", version="1.10"),
    at(6, mixed=1, list=[1, {"a": None}], nested={"a": {"b": 1}, "c": []}),
    at(7, mixed="text", **{"nested.a.d": 2, "nested": 5, "a.b.": 1, ".": 2, "$x": 3, "^a.*$": 4}),
    at(8, **{"*": 1, "_part": 2, "_date": 3, "Value": 4, "attr.value": 5, "ünï 🦊": 6, '"q"': 7}),
    at(9, value="no number", severity=99, received_time="theirs", source="theirs", out_of_time=1),
]


@pytest.mark.parametrize("suffix", [".ndjson", ".parquet", ".ndjson.gz", ".ndjson.zst"])
def test_every_type_comes_back_exactly(tmp_path, suffix):
    store = stored(tmp_path / "store", EVERY_TYPE, [at(10, mixed=2, f=1, n=5)])
    assert events(again(tmp_path, store, f"x{suffix}")) == events(store)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_csv_comes_back_as_far_as_it_has_types(tmp_path, suffix):
    store = stored(tmp_path / "store", EVERY_TYPE)
    back = again(tmp_path, store, f"x{suffix}")
    assert events(back, texts=True) == events(store, texts=True)
    kinds = back.column_types()
    assert [kinds[name] for name in ("n", "u", "f", "whole", "huge", "b", "version")] == [
        *(pl.Int64, pl.UInt64, pl.Float64, pl.Float64, pl.Float64, pl.Boolean, pl.String),
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_hostile_texts_come_back_exactly(tmp_path, suffix):
    rows = [at(n, message=text, note=text) for n, text in enumerate(HOSTILE)]
    store = stored(
        tmp_path / "store", [*rows, at(100, **{"=1+1": "x", "a\x00b": "y", "c\nd": "z"})]
    )
    assert events(again(tmp_path, store, f"x{suffix}")) == events(store)


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    rows = [at(n, message=text, **{f"={n}": text}) for n, text in enumerate(HOSTILE)]
    store = stored(tmp_path / "store", [*rows, at(100, n=-5, f=-0.5)])
    export_file(tmp_path / "x.csv", store=store)
    text = (tmp_path / "x.csv").read_text(encoding="utf-8")
    cells = {cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row}
    assert {cell for cell in cells if cell[:1] in {*"=+-@\t\r\n＝＋－＠"}} == {"-5", "-0.5"}


def test_ndjson_holds_nothing_that_a_terminal_obeys(tmp_path):
    rows = [at(n, message=text) for n, text in enumerate(HOSTILE)]
    export_file(tmp_path / "x.ndjson", store=stored(tmp_path / "store", rows))
    text = (tmp_path / "x.ndjson").read_text(encoding="utf-8")
    assert not {"\x1b", "\x07", "\x9b", "\x00", "\r", "\u202e", "\u2069", "\x7f"} & {*text}
    assert [json.loads(line).get("message") for line in text.splitlines()] == [*HOSTILE]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_attributes_than_columns(tmp_path, suffix):
    wide = [at(n, **{f"k{n * 200 + m}": m for m in range(200)}, common=n) for n in range(3)]
    many = [at(10 + n, **{f"w{m}": m * 0.5 for m in range(520)}) for n in range(2)]
    store = stored(tmp_path / "store", *([row] for row in wide), many)
    back = again(tmp_path, store, f"x{suffix}")
    assert events(back, texts=True) == events(store, texts=True)


def test_floats_that_json_has_no_word_for_are_texts(tmp_path):
    odd = pl.DataFrame(
        {
            "event_id": ["a", "b", "c", "d"],
            "event_time": [NOON] * 4,
            "event_type": ["log"] * 4,
            "event_name": ["x"] * 4,
            "f": [math.nan, math.inf, -math.inf, 0.5],
        }
    )
    store = store_of(tmp_path / "store", odd)
    export_file(tmp_path / "x.ndjson", store=store)
    lines = (tmp_path / "x.ndjson").read_text().splitlines()
    assert [json.loads(line)["f"] for line in lines] == ["NaN", "inf", "-inf", 0.5]
    assert math.isnan(events(again(tmp_path, store, "x.parquet"))[0]["f"])


def test_an_empty_store_gives_an_empty_file(tmp_path):
    for suffix in SUFFIXES:
        done = export_file(tmp_path / f"x{suffix}", store=EventStore(tmp_path / "none"))
        assert done.events == 0
    assert (tmp_path / "x.csv").read_text() == '"event_id","event_time","event_type","event_name"\n'
    assert (tmp_path / "x.ndjson").read_bytes() == b""
    assert pl.read_parquet(tmp_path / "x.parquet").height == 0


def test_what_the_store_noted_is_there_on_request(tmp_path):
    store = stored(tmp_path / "store", [at(0, user_id="ada")])
    export_file(tmp_path / "x.ndjson", store=store, marks=True)
    found = json.loads((tmp_path / "x.ndjson").read_text())
    assert found["received_time"] == "2026-11-22T12:00:00Z"
    assert found["source"] == "import"
    assert isinstance(found["subject_hash"], int)


def test_the_span_and_the_filter_choose(tmp_path):
    store = stored(tmp_path / "store", [at(n, plan="pro" if n % 2 else "free") for n in range(100)])
    start = NOON - timedelta(days=1)
    span = TimeSpan(
        start + timedelta(microseconds=977 * 10), start + timedelta(microseconds=977 * 20)
    )
    done = export_file(tmp_path / "x.ndjson", store=store, span=span, where="plan=pro")
    names = [json.loads(line)["event_name"] for line in lines_of(tmp_path / "x.ndjson")]
    assert done.events == 5
    assert names == ["n11", "n13", "n15", "n17", "n19"]


def test_the_order_is_by_time_and_id_in_frames_of_a_bounded_size(tmp_path, monkeypatch):
    for name in ("ROWS_MAX", "ROWS_FIRST", "ROWS_MIN"):
        monkeypatch.setattr(ordered, name, 7)
    monkeypatch.setattr(ordered, "BINS", 3)
    # Overlapping parts over dates, an instant with many events, and long gaps.
    rows = [at(n * 7919 % 200 * (10**8 if n % 3 else 1)) for n in range(200)]
    rows = [{**row, "event_id": f"e{n:03}"} for n, row in enumerate(rows)]
    rows += [{**at(5), "event_id": f"s{n:03}"} for n in range(30)]
    store = stored(tmp_path / "store", rows[::3], rows[1::3], rows[2::3])
    heights = []
    progress = lambda done, total: heights.append((done, total))  # noqa: E731
    export_file(tmp_path / "x.ndjson", store=store, progress=progress)
    found = [json.loads(line) for line in lines_of(tmp_path / "x.ndjson")]
    keys = [(datetime.fromisoformat(row["event_time"]), row["event_id"]) for row in found]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys) == 230
    steps = [
        now - before for (now, _), (before, _) in zip(heights, [(0, 0), *heights], strict=False)
    ]
    assert max(steps) <= 7
    assert heights[-1] == (230, 230)


def test_a_merge_while_it_runs_changes_nothing(tmp_path, monkeypatch):
    for name in ("ROWS_MAX", "ROWS_FIRST", "ROWS_MIN"):
        monkeypatch.setattr(ordered, name, 1)
    store = stored(tmp_path / "store", [at(n) for n in range(3)])
    part = store.snapshot().parts[0]

    def moved(done, _total):
        if done == 1:  # the same events in another file, and one that came later
            events = pl.read_parquet(io.BytesIO(part.path.read_bytes()))
            part.path.unlink()
            late = pl.col("received_time") + timedelta(hours=1)
            later = events[:1].with_columns(late, event_id=pl.lit("late"), new=pl.lit("column"))
            store_of(tmp_path / "store", events, later)

    done = export_file(tmp_path / "x.ndjson", store=store, progress=moved)
    assert done.events == 3
    names = [json.loads(line)["event_name"] for line in lines_of(tmp_path / "x.ndjson")]
    assert names == ["n0", "n1", "n2"]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_compression_follows_the_name(tmp_path, suffix):
    inflate = {"": bytes, ".gz": gzip.decompress, ".zst": _unzstd}[suffix]
    store = stored(tmp_path / "store", [at(0)])
    export_file(tmp_path / f"x.csv{suffix}", store=store)
    assert inflate((tmp_path / f"x.csv{suffix}").read_bytes()).startswith(b'"event_id"')


def _unzstd(squeezed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(squeezed)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_stands_under_the_name_when_it_failed(tmp_path, suffix):
    store = stored(tmp_path / "store", [at(n) for n in range(3)])
    before = sorted(path.name for path in tmp_path.iterdir())

    def failing(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_file(tmp_path / f"x{suffix}", store=store, progress=failing)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_file_that_is_there_stays_unless_forced(tmp_path):
    store = stored(tmp_path / "store", [at(0)])
    file = tmp_path / "x.ndjson"
    file.write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        export_file(file, store=store)
    assert file.read_text() == "mine"
    export_file(file, store=store, force=True)
    assert json.loads(file.read_text())["event_name"] == "n0"


def test_a_file_that_came_meanwhile_stays(tmp_path):
    store = stored(tmp_path / "store", [at(0)])
    file = tmp_path / "x.ndjson"
    with pytest.raises(UsageError, match="already"):
        export_file(file, store=store, progress=lambda *_: file.write_text("mine"))
    assert file.read_text() == "mine"
    assert not list(tmp_path.glob(".*"))


def test_forcing_through_a_link_writes_what_it_points_at(tmp_path):
    store = stored(tmp_path / "store", [at(0)])
    (tmp_path / "real.ndjson").write_text("old")
    (tmp_path / "link.ndjson").symlink_to(tmp_path / "real.ndjson")
    export_file(tmp_path / "link.ndjson", store=store, force=True)
    assert (tmp_path / "link.ndjson").is_symlink()
    assert json.loads((tmp_path / "real.ndjson").read_text())["event_name"] == "n0"


@pytest.mark.parametrize(
    ("name", "how", "says"),
    [
        (
            "x.xlsx",
            {},
            "its name does not tell the format; name one: --format ndjson, csv, parquet",
        ),
        ("x.csv", {"format": "xml"}, "there is no format 'xml'"),
        ("x.parquet.gz", {}, "parquet is compressed within; name it x.parquet"),
        ("none/x.csv", {}, "there is no such folder"),
        (".", {"format": "csv"}, "this is a folder"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(tmp_path, name, how, says):
    with pytest.raises(UsageError) as caught:
        export_file(tmp_path / name, store=EventStore(tmp_path / "none"), **how)
    assert says in str(caught.value)


def test_times_beyond_the_ordinary_are_exported(tmp_path):
    rows = [
        {**at(0), "event_time": "0001-01-01T00:00:00Z"},
        {**at(1), "event_time": "9999-12-31T23:59:59.999998Z"},
    ]
    store = stored(tmp_path / "store", rows)
    for suffix in SUFFIXES:
        assert events(again(tmp_path, store, f"x{suffix}")) == events(store)
    assert [row["event_time"].year for row in events(store)] == [1, 9999]
