"""A scan is the concatenation of what was committed, however it was split into parts."""

import math
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from store.parts.layout import StoreFolder
from store.parts.scan import column_types, scan
from store.parts.writer import PartWriter
from store.schema import FIXED, OVERFLOW, PART, ROW
from store.tally import Tally

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = {
    "bool": st.booleans(),
    "int": st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5),
    "uint": st.integers(2**63, 2**64 - 1),
    "float": st.floats(allow_nan=False) | st.sampled_from([0.5, 1.0, -2.0, 2.0**53, 1e300]),
    "text": texts | st.sampled_from(["1", "1.0", "true", "null", "NaN", ""]),
}
DTYPES = {
    "bool": pl.Boolean,
    "int": pl.Int64,
    "uint": pl.UInt64,
    "float": pl.Float64,
    "text": pl.String,
}


@st.composite
def commits(draw):
    """Frames whose columns `x` and `y` change type from one to the next, or are absent."""
    frames = []
    for _ in range(draw(st.integers(1, 5))):
        rows = draw(st.integers(1, 4))
        columns = {}
        for name in ("x", "y"):
            kind = draw(st.sampled_from([*values, None]))
            if kind:
                cells = st.lists(st.none() | values[kind], min_size=rows, max_size=rows)
                columns[name] = pl.Series(draw(cells), dtype=DTYPES[kind])
        frames.append((rows, columns))
    return frames


def reference(value):
    """A value as group keys read it, in plain Python."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return value


def same(found, value):
    """Whether a scanned value is exactly `value`, in its own type or as text."""
    if value is None or found is None:
        return found is value
    if isinstance(found, str):
        plain = reference(value)
        return float(found) == plain if isinstance(plain, float) else found == str(plain)
    if isinstance(value, float) and math.isnan(value):
        return math.isnan(found)
    return found == value and isinstance(found, bool) == isinstance(value, bool)


@settings(max_examples=60, deadline=None)
@given(commits(), st.booleans())
def test_every_value_comes_through_exactly(tmp_path_factory, events, noon, frames, fold):
    folder = StoreFolder.open(tmp_path_factory.mktemp("scan") / "s", create=True)
    writer = PartWriter(folder, now=lambda: noon)
    expected, parts, first = {}, [], 0
    for rows, columns in frames:
        frame = events(rows, first=first, **columns)
        for row in frame.iter_rows(named=True):
            expected[row["event_id"]] = (row.get("x"), row.get("y"))
        parts += writer.commit(inside_overflow(frame) if fold else frame, Tally())
        first += rows
    found = scan(parts, ["event_id", "x", "y"], None).collect()
    assert found.height == len(expected)
    for name, x, y in found.drop(PART).iter_rows():
        assert same(x, expected[name][0]), (x, expected[name][0])
        assert same(y, expected[name][1]), (y, expected[name][1])
    types = column_types(parts)
    assert all(found.schema[name] == types[name] for name in ("x", "y") if name in types)


def inside_overflow(frame):
    """The same events with `x` and `y` folded as a sender's JSON would have them."""
    given_names = [name for name in ("x", "y") if name in frame.columns]
    finite = [
        name
        for name in given_names
        if frame[name].dtype != pl.Float64 or frame[name].is_finite().all()
    ]
    if not finite:
        return frame
    text = frame.select(pl.struct(finite).struct.json_encode().alias(OVERFLOW)).to_series()
    return frame.drop(finite).with_columns(text)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 23), max_size=4, unique=True), st.data())
def test_any_split_into_parts_scans_alike(tmp_path_factory, events, noon, cuts, data):
    frame = events(24, n=list(range(24)), plan=[None, "pro", "free"] * 8)
    order = data.draw(st.permutations(range(24)))
    bounds = [0, *sorted(cuts), 24]
    folder = StoreFolder.open(tmp_path_factory.mktemp("split") / "s", create=True)
    writer = PartWriter(folder, now=lambda: noon)
    parts = []
    for start, end in pairwise(bounds):
        parts += writer.commit(frame[order[start:end]], Tally())
    found = scan(parts, frame.columns, None).collect()
    assert found.drop(PART).sort("event_id").equals(frame)
    rows = found.group_by(PART).len().sort(PART)["len"].to_list()
    assert rows == [part.rows for part in parts]


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, min_size=1, max_size=6, unique=True))
def test_any_name_is_a_column(tmp_path_factory, events, noon, given_names):
    taken = {*FIXED, PART, ROW, "_date", OVERFLOW}
    chosen = [name for name in given_names if name not in taken] or ["x"]
    folder = StoreFolder.open(tmp_path_factory.mktemp("names") / "s", create=True)
    writer = PartWriter(folder, now=lambda: noon)
    # make() has parameters of its own, which an attribute may be named after.
    values = [pl.Series(name, [name]) for name in chosen]
    parts = writer.commit(events(1).hstack(values), Tally())
    assert set(chosen) <= column_types(parts).keys()
    found = scan(parts, chosen, None).collect()
    assert {name: found[name][0] for name in chosen} == {name: name for name in chosen}
