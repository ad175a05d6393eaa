"""Filter text and its $ form: what is read, how it is written, what is refused and where."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.analytics.filters import Filter, parse_filter, term
from store.analytics.filters.nodes import EXISTS, Bare, Node, Term, every, negated, some
from store.errors import UsageError

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)

words = st.text(min_size=1, max_size=8) | st.sampled_from(
    [
        "or",
        "NOT",
        "and",
        "-x",
        "$and",
        "a b",
        "*",
        "a,b",
        '"',
        "'",
        "\\",
        '\\"',
        "(",
        ")",
        "~x",
        "=y",
    ]
)
fields = words.filter(lambda name: name not in {"severity", "severity_class"}).filter(
    lambda name: not name.endswith("_ms")
)
leaves = (
    st.builds(Bare, words)
    | st.builds(
        Term,
        fields,
        st.sampled_from(["=", "!="]),
        st.lists(words | st.just(""), min_size=1, max_size=3, unique=True).map(tuple),
    )
    | st.builds(Term, fields, st.sampled_from([">", ">=", "<", "<=", "~"]), st.tuples(words))
    | st.builds(Term, fields, st.just(EXISTS))
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(every)
        | st.lists(inner, min_size=1, max_size=3).map(some)
        | inner.map(negated)
    ),
    max_leaves=8,
)


@given(trees)
def test_text_reads_back_to_the_same_filter(root: Node):
    assert parse_filter(Filter(root).text()) == Filter(root)


@given(trees)
def test_the_dollar_form_reads_back_to_the_same_filter(root: Node):
    assert parse_filter(Filter(root).document()) == Filter(root)


@given(st.text(alphabet="ab=!<>~()\"', -\\*or not", max_size=20))
def test_any_text_is_read_or_refused_with_its_place(text: str):
    try:
        found = parse_filter(text)
    except UsageError as error:
        word, _, number = error.place.partition(" ")
        pointed = word == "character" and 1 <= int(number) <= len(text) + 1
    else:
        pointed = parse_filter(found.text()) == found
    assert pointed


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("   ", ""),
        ("a=1 b=2", "a=1 b=2"),
        ("a=1 and b=2", "a=1 b=2"),
        ("a=1 OR b=2 c=3", "a=1 or b=2 c=3"),
        ("(a=1 or b=2) c=3", "(a=1 or b=2) c=3"),
        ("not a=1", "a!=1"),
        ("-a=1", "a!=1"),
        ("--a=1", "a=1"),
        ("not (a=1 b=2)", "-(a=1 b=2)"),
        ("a == 5", "a=5"),
        ("a = 'x y',z", 'a="x y",z'),
        ("a=*", "a=*"),
        ("-a=*", "a!=*"),
        ('a="*"', 'a="*"'),
        ("url=https://a.b/c?d=e", "url=https://a.b/c?d=e"),
        ("message=~(a|b)+", 'message=~"(a|b)+"'),
        ("(name=f(x))", 'name="f(x)"'),
        (r'm=~"\d+ items"', r'm=~"\\d+ items"'),
        ("can't", '"can\'t"'),
        ("or=5", '"or"=5'),
        ("$browser=Firefox attr.NAME=1", "$browser=Firefox attr.NAME=1"),
        ("severity>=WARN", "severity>=warn"),
        ("duration_ms>1.5s", "duration_ms>1500"),
        ("load_ms<=250ms", "load_ms<=250"),
        ("event_time>=2026-11-22", "event_time>=2026-11-22T00:00:00Z"),
        ("event_time>-15m", "event_time>2026-11-22T13:45:00Z"),
        ("a=1,1", "a=1"),
        ("a=1 (b=2 (c=3))", "a=1 b=2 c=3"),
    ],
)
def test_text_has_one_form(text: str, canonical: str):
    assert parse_filter(text, now=NOW).text() == canonical


@pytest.mark.parametrize(
    ("text", "place", "fault"),
    [
        ("a=", 3, "a value is missing"),
        ("a=1,", 5, "a value is missing"),
        ("=5", 1, "a field is missing"),
        ("(a=1", 1, "never closed"),
        ("a=1)", 4, "closes nothing"),
        ('b a="x', 5, "never closed"),
        ("a=1 or", 7, "stands beside nothing"),
        ("or a=1", 7, "stands beside nothing"),
        ("not", 4, "stands before nothing"),
        ("x=~a(b", 5, "unclosed group"),
        ("x=~[", 4, "unclosed character class"),
        ("severity>=warnnig", 11, "no severity"),
        ("event_time>tomorrowish", 12, "not a time"),
        ("event_time>-15m", 12, "moves"),
        ("duration_ms>5x", 13, "not a duration"),
        ("(" * 60 + "a", 51, "deeper than 50"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, place: int, fault: str):
    with pytest.raises(UsageError) as caught:
        parse_filter(text)
    assert caught.value.place == f"character {place}"
    assert fault in caught.value.fault
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, ""),
        ({"duration_ms": {"$gt": 100}}, "duration_ms>100"),
        ({"duration_ms": {"$gt": 100, "$lte": 2.5}}, "duration_ms>100 duration_ms<=2.5"),
        ({"plan": "pro", "n": 3, "f": 3.0, "t": True}, "plan=pro n=3 f=3 t=true"),
        ({"plan": ["pro", "team"]}, "plan=pro,team"),
        ({"plan": {"$in": ["pro", None]}}, 'plan=pro,""'),
        ({"plan": {"$nin": ["pro"]}}, "plan!=pro"),
        ({"plan": None}, "plan!=*"),
        ({"plan": {"$ne": None}}, "plan=*"),
        ({"plan": {"$not": {"$eq": "pro"}}}, "plan!=pro"),
        ({"m": {"$contains": "x y", "$regex": "^z"}}, 'm~"x y" m=~^z'),
        ({"$or": [{"a": 1}, {"b": 2, "c": 3}]}, "a=1 or b=2 c=3"),
        ({"$and": [{"a": 1}, {"$not": {"b": {"$gt": 2}}}]}, "a=1 -b>2"),
        ({"$text": "not found", "$browser": "Firefox"}, '"not found" $browser=Firefox'),
        ({"$filter": "a=1 or b=2"}, "a=1 or b=2"),
    ],
)
def test_the_dollar_form_says_the_same_as_text(document: dict, text: str):
    assert parse_filter(document) == parse_filter(text)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"a": {"$gtt": 1}}, "a.$gtt"),
        ({"$or": {"a": 1}}, "$or"),
        ({"$or": []}, "$or"),
        ({"$and": [{"a": 1}, 5]}, "$and.1"),
        ({"a": {"$in": "x"}}, "a.$in"),
        ({"a": {"$gt": [1]}}, "a.$gt"),
        ({"a": {"$exists": 1}}, "a.$exists"),
        ({"a": {"$regex": "("}}, "a.$regex"),
        ({"": 1}, ""),
        ({"severity": {"$gte": "loud"}}, "severity.$gte"),
    ],
)
def test_a_mistake_in_the_dollar_form_has_its_path(document: dict, place: str):
    with pytest.raises(UsageError) as caught:
        parse_filter(document)
    assert caught.value.place == place


def test_a_document_that_nests_too_deep_is_refused():
    document: dict = {"a": 1}
    for _ in range(3_000):
        document = {"$not": document}
    with pytest.raises(UsageError, match="too deep"):
        parse_filter(document)


def test_a_term_holds_any_characters():
    wanted = term("weird field", "=", 'va"l,ue', "*")
    assert parse_filter(wanted.text()) == wanted


def test_filters_join():
    assert parse_filter("a=1 or b=2").and_(parse_filter("c=3")).text() == "(a=1 or b=2) c=3"


def test_an_unknown_field_names_the_nearest():
    types = dict.fromkeys(("user_id", "attr.Value", "service_name", "Plan"))
    found = parse_filter("user=1 Value=2 plan=3 service_name=x zzz=1 severity=error session_id=s")
    assert found.unknown(types) == {
        "user": "user_id",
        "Value": "attr.Value",
        "plan": "Plan",
        "zzz": "",
        "session_id": "",
    }
