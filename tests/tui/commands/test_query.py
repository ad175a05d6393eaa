"""Questions on the command line and their answers."""

import json

import pytest

SPAN = ("--since", "2025-11-22T12:00", "--until", "2025-11-22T12:04")


@pytest.fixture
def visits(stored):
    stored(
        plan=["pro", "free", "pro", None],
        duration_ms=[10.0, 20.0, 30.0, 40.0],
        severity=[9, 9, 17, 13],
        user_id=["ada", "ada", "bob", "\x1b[31meve"],
    )


def answer(done):
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_question_by_options(eventdeck, visits):
    found = answer(eventdeck("query", "top", "--by", "plan", "--json"))
    assert found["analysis"] == "top"
    assert [(row["key"]["plan"], row["value"]) for row in found["result"]["rows"]] == [
        ("pro", 2),
        ("", 1),
        ("free", 1),
    ]


def test_the_envelope_holds_the_question_to_be_sent_back(eventdeck, visits, tmp_path):
    words = ("trends", *SPAN, "--interval", "1m", "--by", "plan", "--where", "severity>=info")
    first = answer(eventdeck("query", *words, "--json"))
    again = tmp_path / "again.json"
    again.write_text(json.dumps(first["query"]))
    second = answer(eventdeck("query", "trends", "--query", again, "--json"))
    for key in ("query", "span", "result"):
        assert second[key] == first[key]
    assert first["query"]["where"] == "severity>=info"
    assert first["query"]["interval"] == "1m"


@pytest.mark.parametrize(
    ("words", "document", "first"),
    [
        ((), None, "2025-11-16"),
        (("--week-start", "monday"), None, "2025-11-17"),
        ((), {"week_start": "saturday"}, "2025-11-22"),
        ((), {"week_start": None}, "2025-11-16"),
    ],
)
def test_weeks_begin_as_the_settings_say_unless_the_question_does(
    eventdeck, visits, tmp_path, words, document, first
):
    config, file = tmp_path / "config.toml", tmp_path / "q.json"
    config.write_text('week_start = "sunday"')
    file.write_text(json.dumps(document or {}))
    asked = ("--interval", "week", "--query", file, *words, "--config", config, "--json")
    for analysis in ("trends", "retention", "lifecycle"):
        found = answer(eventdeck("query", analysis, *asked))
        told = found["result"]
        if analysis == "trends":
            assert told["series"][0]["points"][0][0] == f"{first}T00:00:00Z"
        else:
            assert (told.get("cohorts") or told["points"])[0]["start"] == f"{first}T00:00:00Z"
        assert found["query"]["week_start"] == {
            "2025-11-16": "sunday", "2025-11-17": "monday", "2025-11-22": "saturday"
        }[first]  # fmt: skip


def test_options_go_over_the_file(eventdeck, visits, monkeypatch, tmp_path):
    file = tmp_path / "q.json"
    file.write_text('{"by": ["plan"], "where": {"severity": {"$gte": "error"}}, "limit": 3}')
    found = answer(eventdeck("query", "top", "--query", file, "--limit", "7", "--json"))
    assert found["query"]["limit"] == 7
    assert [row["key"] for row in found["result"]["rows"]] == [{"plan": "pro"}]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"until": "2025-11-22T12:00:02"}, ("--until", "2025-11-22T12:00:02")),
        (
            {"until": "2025-11-22T13:00:02", "tz": "Europe/Berlin"},
            ("--until", "2025-11-22T13:00:02", "--tz", "Europe/Berlin"),
        ),
        (
            {"since": "2025-11-22T13:00", "last": "2s", "tz": "Europe/Berlin"},
            ("--since", "2025-11-22T13:00", "--last", "2s", "--tz", "Europe/Berlin"),
        ),
        (
            {"where": "event_time>=2025-11-22T13:00:02", "tz": "Europe/Berlin"},
            ("--where", "event_time>=2025-11-22T13:00:02", "--tz", "Europe/Berlin"),
        ),
    ],
)
def test_a_question_as_json_means_what_its_options_mean(
    eventdeck, visits, tmp_path, document, words
):
    file = tmp_path / "q.json"
    file.write_text(json.dumps(document))
    asked = answer(eventdeck("query", "top", "--query", file, "--json"))
    told = answer(eventdeck("query", "top", *words, "--json"))
    assert asked["result"]["rows"] == [{"key": {"event_name": "visit"}, "value": 2, "share": 1}]
    assert (asked["query"], asked["result"]) == (told["query"], told["result"])


def test_times_that_move_are_fixed_in_json_too(eventdeck, visits, tmp_path):
    file = tmp_path / "q.json"
    for where in ("event_time>-90000d", {"event_time": {"$gt": "-90000d"}}):
        file.write_text(json.dumps({"where": where}))
        found = answer(eventdeck("query", "top", "--query", file, "--json"))
        assert found["events_scanned"] == 4
        file.write_text(json.dumps(found["query"]))
        assert (
            answer(eventdeck("query", "top", "--query", file, "--json"))["result"]
            == (found["result"])
        )


def test_times_that_move_are_fixed_in_the_answer(eventdeck, visits):
    found = answer(eventdeck("query", "top", "--where", "event_time>-90000d", "--json"))
    assert found["query"]["where"].startswith("event_time>1")
    assert found["query"]["where"].endswith("Z")


def test_a_condition_makes_it_a_1_and_says_so(eventdeck, visits):
    failing = eventdeck("query", "top", "--by", "plan", "--csv", "--fail-if", "plan=pro value>1")
    assert failing.code == 1
    assert failing.out.startswith("plan,value,share\npro,2,")
    assert failing.err == "eventdeck: --fail-if plan=pro value>1: a row matched\n"
    assert eventdeck("query", "top", "--fail-if", "value>100").code == 0
    assert eventdeck("query", "top", "--fail-if", "valeu>1")[:2] == (2, "")


def test_text_from_events_is_harmless_in_every_form(eventdeck, visits):
    for form in ((), ("--csv",), ("--json",)):
        done = eventdeck("query", "top", "--by", "user_id", *form)
        assert "\x1b" not in done.out
        assert "eve" in done.out


def test_a_field_that_no_event_has_is_told_and_finds_nothing(eventdeck, visits):
    done = eventdeck("query", "top", "--where", "usr_id=ada", "--csv")
    assert done == (
        0,
        "event_name,value,share\n",
        "eventdeck: no event has usr_id; did you mean user_id?\n",
    )
    assert eventdeck("query", "top", "--where", "usr_id=ada", "--quiet").err == ""


@pytest.mark.parametrize(
    "words",
    [
        ("top", "--where", "event_name=vist"),
        ("top", "--where", "plan=pro event_name=vist,visit severity>fatal"),
        ("trends", "--event", "visit", "--event", "vist", "--by", "plan", "--csv"),
        ("paths", "--from", "vist"),
        ("paths", "--to", "vist"),
        ("transitions", "--without", "vist"),
        ("drop-off", "--only", "vist"),
        ("increase", "--event", "vist"),
        ("histogram", "--event", "vist"),
        ("funnel", "--step", "visit", "--step", "vist"),
        ("funnel", "--step", "visit", "--where", "event_name=vist"),
        ("retention", "--start-event", "vist"),
        ("reach", "--where", "event_name=vist"),
    ],
)
def test_a_name_that_no_event_has_is_told_with_the_nearest(eventdeck, visits, words):
    done = eventdeck("query", *words)
    assert done.code == 0
    assert done.err == "eventdeck: no event is named vist; did you mean visit?\n"


def test_a_name_that_some_event_has_is_not_told(eventdeck, visits):
    long_ago = ("--since", "2001-01-01", "--until", "2001-01-02")
    for words in (
        ("trends", "--event", "visit"), ("paths", "--from", "visit", "--only", "visit"),
        ("top", "--where", "event_name=visit or event_name!=other"),
    ):  # fmt: skip
        assert eventdeck("query", *words).err == ""
        assert eventdeck("query", *words, *long_ago).err == ""


def test_fields_of_a_baseline_that_no_event_has_are_told(eventdeck, visits):
    done = eventdeck("query", "compare", "--where", "plan=pro", "--against", "pln=free")
    assert (done.code, done.err) == (0, "eventdeck: no event has pln; did you mean plan?\n")
    told = eventdeck("query", "compare", "--where", "plan=pro", "--against", "rest")
    assert told.err == ""
    assert "left out   in filters: plan" in told.out
    assert "{" not in told.out


@pytest.mark.parametrize(
    "words",
    [
        ("query", "top", "--where", "a\x1b[2J\u200b=3"),
        ("query", "funnel", "--step", "a\x1b]2;x\x07\r\n\u202e"),
        ("query", "top", "--where", "event_name=vi\u202est"),
        ("why", "\x1b[2J", "--step", "a"),
        ("tail", "--once", "--last", "1s", "--where", "\x9b2J=1"),
        ("query", "top", "--fail-if", "value>0 or event_name=\x1b[2J"),
    ],
)
def test_what_is_said_beside_an_answer_is_harmless(eventdeck, stored, words):
    stored(event_name=["vi\x1b[2Jst"])
    *lines, rest = eventdeck(*words).err.split("\n")
    assert lines
    assert rest == ""
    assert all(line.startswith("eventdeck: ") and line.isprintable() for line in lines)


def test_nothing_stored_is_an_empty_answer(eventdeck):
    assert eventdeck("query", "top", "--csv") == (0, "event_name,value,share\n", "")
    assert answer(eventdeck("query", "trends", "--json", "--last", "1h"))["events_scanned"] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("trendz",), "there is no analysis 'trendz'; did you mean trends?"),
        ((), "required: ANALYSIS"),
        (("trends", "--measure", "p95"), "p95"),
        (("trends", "--interval", "0s"), "interval"),
        (("trends", "--last", "10000d", "--interval", "1s"), "10,000"),
        (("trends", "--by", "plann"), "plan"),
        (("trends", "--week-start", "someday"), "someday"),
        (("trends", "--compare", "next"), "next"),
        (("trends", "--limit", "-1"), "limit"),
        (("top", "--query", "/no/such.json"), "/no/such.json: no such file"),
        (("trends", "--since", "now", "--until", "today"), "before"),
        (("top", "--fail-if", ""), "--fail-if"),
        (("top", "--last", "99999999w"), "thousand years"),
        (("sessions", "--since", "0001-01-01"), "years 1 to 9999"),
        (("paths", "--since", "0001-01-01", "--until", "9999-12-31"), "years 1 to 9999"),
        (("top", "--since", "0001-01-01", "--compare", "previous"), "years 1 to 9999"),
        (("retention", "--interval", "50000w", "--periods", "900"), "years 1 to 9999"),
        (("names", "--since", "0001-01-01", "--until", "2001-01-01"), "take 74d or more"),
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_a_2(eventdeck, visits, words, says):
    done = eventdeck("query", *words)
    assert (done.code, done.out) == (2, ""), done
    assert says in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("text", ["{", "[1]", '{"bye": ["plan"]}', '{"limit": "many"}', "{" * 5000])
def test_a_question_that_is_no_json_is_a_2(eventdeck, visits, tmp_path, text):
    file = tmp_path / "q.json"
    file.write_text(text)
    done = eventdeck("query", "top", "--query", file)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1


def test_every_analysis_has_help_and_answers(eventdeck, visits):
    from store.analytics import ANALYSES

    for analysis in ANALYSES:
        assert eventdeck("query", analysis.name, "--help").code == 0
        empty = ("--until", SPAN[1])
        for form in ((), ("--csv",), ("--json",), ("--compare", "previous"), empty):
            done = eventdeck("query", analysis.name, *SPAN, *form)
            assert (done.code, done.err) == (0, ""), (analysis.name, form, done)


def test_what_is_said_of_all_rows_stands_above_them_for_people(eventdeck, stored):
    stored(session_id=["a", "b", "b"], user_id=["ada", "bob", "bob"])
    done = eventdeck("query", "sessions", *SPAN, "--compare", "previous")
    head, _, table = done.out.partition("\n\n")
    assert [line.split()[-2:] for line in head.splitlines()][1:3] == [["2", "0"], ["0.5", "·"]]
    assert table.startswith("session_id")
    assert "value" not in eventdeck("query", "sessions", *SPAN, "--csv").out


def test_help_offers_no_option_that_would_be_refused(eventdeck):
    from store.analytics import ANALYSES

    for analysis in (known.load() for known in ANALYSES):
        offered = eventdeck("query", analysis.name, "--help").out
        assert ("--by ATTR" in offered) == analysis.query_type.breaks_down, analysis.name
        assert ("--compare COMPARE" in offered) == analysis.query_type.compares, analysis.name


def test_rolling_windows_are_told_for_every_day_and_in_words(eventdeck, visits):
    words = ("--rolling", "7d")
    words += ("--since", "2025-11-22", "--until", "2025-11-25")
    found = answer(eventdeck("query", "trends", *words, "--json"))
    assert found["query"]["interval"] == "1d"
    assert [value for _, value in found["result"]["series"][0]["points"]] == [4, 4, 4]
    assert found["result"]["windows"][0] == "2025-11-16T00:00:00Z"
    shown = eventdeck("query", "trends", *words).out.splitlines()
    assert shown[0].split() == ["time", "count"]
    told = "each point is of the 1w that end with it; they are not full yet"
    assert shown[-1] == f"{told}: nothing is stored of before"
    words = ("--rolling", "2d", *words[2:])
    shown = eventdeck("query", "trends", *words).out.splitlines()
    assert "they are full from 2025-11-23T00:00:00Z on" in shown[-1]
    words = ("--rolling", "7d", *words[2:])
    csv = eventdeck("query", "trends", *words, "--csv").out.splitlines()
    assert csv == ["time,count", *(f"2025-11-{day}T00:00:00Z,4" for day in (22, 23, 24))]


def test_few_values_are_told_in_every_form(eventdeck, visits):
    (row,) = answer(eventdeck("query", "percentiles", "--json"))["result"]["rows"]
    assert row["few"] == ["p90", "p95", "p99"]
    head, line = eventdeck("query", "percentiles", "--csv").out.splitlines()
    assert (head.split(",")[-1], line.split(",")[-1]) == ("few", "p90 p95 p99")
    shown = eventdeck("query", "percentiles").out.splitlines()
    assert " 32.5 " in shown[1]
    assert shown[1].count("*") == 3
    assert shown[2].startswith("* rests on too few values: a p95 needs 20")


def test_adoption_before_and_after_is_told_in_points(eventdeck, stored):
    stored(
        subject_hash=[1, 2, 3, 1, 2, 3],
        event_name=["x", "open", "open", "x", "x", "open"],
        user_id=["ada", "bob", "eve"] * 2,
    )
    span = ("--since", "2025-11-22T12:00", "--until", "2025-11-22T12:00:06", "--interval", "3s")
    words = ("adoption", "--feature", "x", *span, "--at", "2025-11-22T12:00:03")
    found = answer(eventdeck("query", *words, "--json"))
    (row,) = found["result"]["rows"]
    assert (row["before_rate"], row["after_rate"]) == (1 / 3, 2 / 3)
    assert found["query"]["at"] == "2025-11-22T12:00:03Z"
    shown = eventdeck("query", *words).out
    assert "+33.3 points (-31.6 to 71.8)" in shown
    assert "after start   2025-11-22T12:00:03Z" in shown
    head, cells = eventdeck("query", *words, "--csv").out.splitlines()
    told = dict(zip(head.split(","), cells.split(","), strict=True))
    assert float(told["difference"]) == 2 / 3 - 1 / 3
    failing = eventdeck("query", *words, "--fail-if", "difference<0.5")
    assert failing.code == 1
