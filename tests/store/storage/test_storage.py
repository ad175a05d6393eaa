"""One contract, two storages: what is stored is found, once, by both forms of every filter."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.analytics.filters import parse_filter
from store.errors import UsageError
from store.event import Event
from store.importer import import_files
from store.settings import Settings
from store.storage import Memory, Partitions, Storage
from store.tally import Receipt
from store.testing import NOON, FrozenClock
from store.timespan import TimeSpan

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture(params=["partitions", "memory"])
def storage(request, tmp_path, clock) -> Storage:
    if request.param == "memory":
        return Memory(now=clock)
    return Partitions(tmp_path / "store", now=clock)


def at(n: int, /, **values) -> dict:
    return {
        "event_id": f"e{n:03}",
        "event_time": (NOON + n * MINUTE).isoformat(),
        "event_name": f"n{n}",
        **values,
    }


def names(found: pl.DataFrame) -> list[str]:
    return found["event_name"].to_list()


def row(found: pl.DataFrame, at: int = 0) -> dict:
    return {name: value for name, value in found.row(at, named=True).items() if value is not None}


# In and out


def test_what_is_stored_is_found_with_every_value(storage):
    values = {
        "user_id": "ada",
        "duration_ms": 1.5,
        "n": 2**53 + 1,
        "u": 2**64 - 1,
        "b": False,
        "message": "EACCES: ☂",
        "deep": {"a": {"b": [1, "x"]}},
        "f": 0.1,
        "empty": "",
    }
    assert storage.store_events([at(0, **values)]) == Receipt(stored=1)
    found = row(storage.query_events())
    assert found["event_time"] == NOON
    assert found["deep.a.b"] == '[1,"x"]'
    flat = {name: value for name, value in values.items() if name != "deep"}
    assert {name: found[name] for name in flat} == flat
    assert (found["event_type"], found["received_time"], found["source"]) == (
        "log",
        NOON,
        "storage",
    )


def test_events_frames_and_objects_are_taken_alike(storage):
    object_ = Event("a", NOON, "span", "x", {"duration_ms": 2.5, "n": 1})
    frame = pl.DataFrame(
        {"event_id": ["b"], "event_time": [NOON], "event_name": ["x"], "n": [1], "list": [[1, 2]]}
    )
    assert storage.store_events([object_]).stored == 1
    assert storage.store_events(frame).stored == 1
    found = storage.query_events(columns=["event_id", "event_time", "n", "list"])
    assert found.rows() == [("a", NOON, 1, None), ("b", NOON, 1, "[1,2]")]


def test_what_is_missing_is_filled_in(storage):
    assert storage.store_events({"event_name": "x"} for _ in range(3)).stored == 3
    found = storage.query_events()
    assert found["event_id"].n_unique() == 3
    assert found["event_time"].unique().to_list() == [NOON]


def test_rows_that_are_no_events_are_rejected_and_the_others_stored(storage):
    circle: dict = {}
    circle["self"] = circle
    rows = [at(0), {"user_id": "no name"}, 5, circle, at(1, event_time="never"), at(2, x=object)]
    receipt = storage.store_events(rows)
    assert (receipt.stored, receipt.rejected, receipt.received) == (2, 4, 6)
    assert [error.place for error in receipt.errors] == ["event 3", "event 4", "event 2", "event 5"]
    assert names(storage.query_events()) == ["n0", "n2"]
    assert storage.tally().as_json()["reasons"] == {
        "rejected.bad_time": 1,
        "rejected.no_name": 1,
        "rejected.not_an_object": 2,
    }


def test_secrets_are_masked(storage):
    storage.store_events([at(0, password="sesame", deep={"api_key": "sesame"})])
    assert "sesame" not in str(storage.query_events().rows())


def test_hostile_values_are_kept_and_harm_nobody(storage):
    odd = {
        "^.*$": 1,
        "*": 2,
        "a\x00b": "\x1b[31m",
        "_part": 3,
        "_overflow": "x",
        "Value": [],
        "": 4,
    }
    rows = [at(0, **odd, nan=math.nan, big=10**40), at(1, x="\ud800", message="' OR 1=1 --")]
    assert storage.store_events(rows).stored == 2
    found = storage.query_events()
    assert {"^.*$", "*", "a\x00b"} <= set(found.columns)
    assert row(found)["big"] == str(10**40)
    assert row(found)["a\x00b"] == "\x1b[31m"
    assert names(storage.query_events(where={"message": "' OR 1=1 --"})) == ["n1"]
    assert names(storage.query_events(where={"^.*$": 1})) == ["n0"]


def test_hundreds_of_attributes_are_found(storage):
    storage.store_events([at(0, **{f"k{n}": n for n in range(700)}), at(1, k3="text")])
    found = storage.query_events(columns=["k3", "k699"])
    assert found.rows() == [("3", 699), ("text", None)]
    assert names(storage.query_events(where="k699=699")) == ["n0"]


def test_columns_whose_types_differ_are_widened_alike(storage):
    for value in (1, 2.5, "x", True):
        storage.store_events([{**at(0), "event_id": str(value), "v": value, "w": 1}])
    storage.store_events([{**at(0), "event_id": "f", "w": 0.5}])
    found = storage.query_events(columns=["event_id", "v", "w"])
    assert dict(zip(found["event_id"], found["v"], strict=True))["True"] == "true"
    assert sorted(filter(None, found["v"])) == ["1", "2.5", "true", "x"]
    assert found.schema["w"] == pl.Float64


# Once


def test_an_id_is_stored_once_in_its_date(storage):
    assert storage.store_events([at(0), at(0), at(1)]) == Receipt(stored=2, duplicate=1)
    assert storage.store_events([at(1), at(2)]) == Receipt(stored=1, duplicate=1)
    assert storage.store_events([{**at(0), "event_time": "2026-11-23"}]).stored == 1
    assert names(storage.query_events()) == ["n0", "n1", "n2", "n0"]


def test_the_tally_adds_up(storage):
    storage.store_events([at(0), at(0), {"x": 1}])
    storage.store_metrics([at(1, value=1), at(2)])
    tally = storage.tally().as_json()
    assert (tally["received"], tally["stored"], tally["duplicate"], tally["rejected"]) == (
        5,
        2,
        1,
        2,
    )
    assert tally["intakes"] == {"storage": 5}


# Order, limits, spans


def test_the_order_is_by_time_and_id_either_way(storage):
    rows = [{**at(0), "event_id": name, "event_name": name} for name in "cab"]
    storage.store_events([at(5), *rows])
    storage.store_events([{**at(0), "event_id": "aa", "event_name": "aa"}, at(-3)])
    assert names(storage.query_events()) == ["n-3", "a", "aa", "b", "c", "n5"]
    assert names(storage.query_events(newest_first=True, limit=2)) == ["n5", "c"]
    assert names(storage.query_events(limit=2)) == ["n-3", "a"]
    assert names(storage.query_events(limit=0)) == []


def test_a_span_has_its_start_and_not_its_end(storage):
    storage.store_events([at(n) for n in range(5)])
    span = TimeSpan(NOON + MINUTE, NOON + 3 * MINUTE)
    assert names(storage.query_events(span)) == ["n1", "n2"]
    assert names(storage.query_events(TimeSpan(NOON, NOON))) == []
    assert names(storage.query_events(span, "event_name=n2,n4")) == ["n2"]


def test_without_events_the_answer_is_empty_and_has_its_columns(storage):
    assert storage.query_events().columns == ["event_id", "event_time", "event_type", "event_name"]
    found = storage.query_events(columns=["event_time", "user_id", "plan"], where="plan=pro")
    assert found.schema == {
        "event_time": pl.Datetime("us", "UTC"),
        "user_id": pl.String(),
        "plan": pl.String(),
    }
    assert found.height == storage.query_metrics().height == 0
    assert storage.store_events([]) == Receipt()
    assert not storage.tally()


def test_columns_come_in_the_order_that_was_asked_for(storage):
    storage.store_events([at(0, z=1, a=2, user_id="ada")])
    assert storage.query_events(columns=["z", "nobody", "event_id"]).rows() == [(1, None, "e000")]
    known = storage.query_events().columns
    assert known.index("user_id") < known.index("a") < known.index("z")


@pytest.mark.parametrize(
    "ask",
    [
        lambda storage: storage.query_events(limit=-1),
        lambda storage: storage.query_events(where="a="),
        lambda storage: storage.query_events(where={"a": {"$gtt": 1}}),
        lambda storage: storage.query_metrics(where="(a=1"),
        lambda storage: storage.delete_old_data(timedelta(days=-1)),
    ],
)
def test_what_makes_no_sense_is_refused(storage, ask):
    with pytest.raises(UsageError):
        ask(storage)


# Metrics


def test_metrics_have_a_number_and_their_type(storage):
    rows = [at(0, value=1), at(1, value=2.5, unit="s", event_type="log"), at(2), at(3, value="x")]
    receipt = storage.store_metrics([*rows, at(4, value=None), at(5, value=True)])
    assert (receipt.stored, receipt.rejected) == (2, 4)
    storage.store_events([at(6, value=9), at(7, event_type="metric", value=3)])
    found = storage.query_metrics(columns=["event_name", "event_type", "value"])
    assert found.rows() == [("n0", "metric", 1.0), ("n1", "metric", 2.5), ("n7", "metric", 3.0)]
    assert names(storage.query_metrics(where="value>2 or unit=s", newest_first=True)) == [
        "n7",
        "n1",
    ]
    assert names(storage.query_metrics(where={"value": {"$lt": 2}})) == ["n0"]


# Age


def test_old_data_goes_by_the_time_it_was_received(storage, clock):
    storage.store_events([at(0), at(1), {**at(2), "event_time": "2026-11-21"}])
    clock.advance(timedelta(days=10))
    storage.store_events([at(3), {**at(4), "event_time": "2020-01-01"}])
    assert storage.delete_old_data(timedelta(days=10, seconds=1)).events == 0
    gone = storage.delete_old_data(timedelta(days=10))
    assert (gone.events, gone.parts) == (3, 2)
    assert names(storage.query_events()) == ["n4", "n3"]
    assert storage.tally().fates["stored"] == 5
    assert storage.delete_old_data(timedelta(days=9)).events == 0
    assert storage.store_events([at(0)]).stored == 1
    clock.advance(MINUTE)
    assert storage.delete_old_data(timedelta()).events == 3
    assert storage.query_events().height == 0


def test_imported_parts_stay_until_asked(tmp_path, clock):
    (tmp_path / "x.ndjson").write_text('{"event_name": "x"}\n')
    import_files([tmp_path / "x.ndjson"], settings=Settings(tmp_path / "store"), now=clock)
    storage = Partitions(tmp_path / "store", now=clock)
    clock.advance(timedelta(days=10))
    assert storage.delete_old_data(timedelta(days=1)).events == 0
    assert storage.delete_old_data(timedelta(days=1), imported=True).events == 1


def test_parts_are_there_after_a_restart(tmp_path, clock):
    Partitions(tmp_path, now=clock).store_events([at(0)])
    again = Partitions(tmp_path, now=clock)
    assert names(again.query_events()) == ["n0"]
    assert again.store_events([at(0)]).duplicate == 1


# Filters: text and $ form

EVENTS = [
    at(n, n=n - 2, plan=plan, ms=0.5 * n)
    for n, plan in enumerate(("pro", "free", "team x", 'q"uo', "", None, "or", "-pro"))
]
_TEXT_OF = {
    "$gt": ">",
    "$gte": ">=",
    "$lt": "<",
    "$lte": "<=",
    "$ne": "!=",
    "$in": "=",
    "$nin": "!=",
}
_COMPARED: dict[str, Callable] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
numbers = st.sampled_from([-3, -2, -1, 0, 1, 2, 3, 0.5, 1.5, -0.25, 100])
plans = st.sampled_from(["pro", "free", "team x", 'q"uo', "or", "-pro", "absent", "(x)", "a,b"])
terms = st.one_of(
    st.tuples(
        st.sampled_from(["n", "ms"]),
        st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$ne"]),
        numbers,
    ),
    st.tuples(st.just("plan"), st.just("$ne"), plans),
    st.tuples(
        st.just("n"), st.sampled_from(["$in", "$nin"]), st.lists(numbers, min_size=1, max_size=3)
    ),
    st.tuples(
        st.just("plan"), st.sampled_from(["$in", "$nin"]), st.lists(plans, min_size=1, max_size=3)
    ),
)
filters = st.recursive(
    terms,
    lambda inner: (
        st.tuples(st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3))
        | st.tuples(st.just("$not"), inner)
    ),
    max_leaves=6,
)


def document_of(wanted: tuple) -> dict:
    """The $ form, written down here and not by what is tested."""
    match wanted:
        case ("$and" | "$or") as joined, parts:
            return {joined: [document_of(part) for part in parts]}
        case "$not", part:
            return {"$not": document_of(part)}
        case field, operator, value:
            return {field: {operator: value}}
    raise AssertionError(wanted)


def text_of(wanted: tuple) -> str:
    match wanted:
        case "$and", parts:
            return " ".join(f"({text_of(part)})" for part in parts)
        case "$or", parts:
            return " or ".join(f"({text_of(part)})" for part in parts)
        case "$not", part:
            return f"not ({text_of(part)})"
        case field, operator, value:
            values = value if isinstance(value, list) else [value]
            return f"{field}{_TEXT_OF[operator]}{','.join(map(_quoted, values))}"
    raise AssertionError(wanted)


def _quoted(value) -> str:
    return '"{}"'.format(str(value).replace('"', '\\"')) if isinstance(value, str) else str(value)


def finds(wanted: tuple, event: dict) -> bool:
    """What the filter means, in plain Python."""
    match wanted:
        case "$and", parts:
            return all(finds(part, event) for part in parts)
        case "$or", parts:
            return any(finds(part, event) for part in parts)
        case "$not", part:
            return not finds(part, event)
        case field, operator, value:
            held = event.get(field)
            if operator in _COMPARED:
                return held is not None and _COMPARED[operator](held, value)
            values = value if isinstance(value, list) else [value]
            return (held in values) is (operator == "$in")
    raise AssertionError(wanted)


@given(filters)
def test_text_and_dollar_form_are_the_same_expression(wanted):
    text, document = parse_filter(text_of(wanted)), parse_filter(document_of(wanted))
    types = {"n": pl.Int64(), "plan": pl.String(), "ms": pl.Float64()}
    assert text == document
    assert text.expr(types).meta.eq(document.expr(types))


@given(filters)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_both_forms_find_what_they_mean(filled, wanted):
    meant = [event["event_name"] for event in EVENTS if finds(wanted, event)]
    assert names(filled.query_events(where=text_of(wanted))) == meant
    assert names(filled.query_events(where=document_of(wanted))) == meant


@pytest.fixture
def filled(storage):
    """The events, in two calls, so that parts hold different columns."""
    assert storage.store_events(EVENTS[::2]).stored == 4
    assert storage.store_events(EVENTS[1::2]).stored == 4
    return storage


def test_times_in_filters_are_instants(storage):
    storage.store_events([at(n) for n in range(3)])
    wanted = (NOON + MINUTE).isoformat()
    assert names(storage.query_events(where=f"event_time>={wanted}")) == ["n1", "n2"]
    assert names(storage.query_events(where={"event_time": {"$lt": wanted}})) == ["n0"]
    assert storage.query_events()["event_time"][0] == datetime(2026, 11, 22, 12, tzinfo=UTC)
