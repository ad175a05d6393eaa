"""Lines of the loggers that people use, as they print them, and the events that they become."""

import io
import json
import sys

import loguru
import pytest
import structlog

from store.vacuum.logfmt import pairs_of
from store.vacuum.logs import event_of_log


def event(line):
    text = line.encode()
    return event_of_log(json.loads(line) if line.startswith("{") else pairs_of(text))


# As the loggers' own documentation shows them, or as the logger printed it.
LINES = {
    "structlog": (
        '{"items": 3, "event": "cart_paid", "level": "info", "timestamp": "2026-11-22T14:08:58Z"}',
        {
            "event_time": "2026-11-22T14:08:58Z",
            "event_name": "cart_paid",
            "message": "cart_paid",
            "severity": 9,
            "severity_text": "info",
            "items": 3,
        },
    ),
    "pino": (
        '{"level":30,"time":1531171074631,"msg":"hello world","pid":657,"hostname":"Davids-MBP"}',
        {
            "event_time": 1531171074631,
            "message": "hello world",
            "severity": 9,
            "pid": 657,
            "hostname": "Davids-MBP",
        },
    ),
    "pino with an error": (
        (
            '{"level":50,"time":1531171082399,"pid":657,"hostname":"h","msg":"an error","err":'
            '{"type":"Error","message":"boom","stack":"Error: boom\\n    at x.js:1","code":"E1"}}'
        ),
        {
            "event_time": 1531171082399,
            "message": "an error",
            "severity": 17,
            "exception.type": "Error",
            "exception.message": "boom",
            "exception.stacktrace": "Error: boom\n    at x.js:1",
            "exception.code": "E1",
            "pid": 657,
            "hostname": "h",
        },
    ),
    "bunyan": (
        (
            '{"name":"myapp","hostname":"banana.local","pid":40161,"level":40,"msg":"au revoir",'
            '"lang":"fr","time":"2013-01-04T18:46:23.853Z","v":0}'
        ),
        {
            "event_time": "2013-01-04T18:46:23.853Z",
            "message": "au revoir",
            "component": "myapp",
            "severity": 13,
            "hostname": "banana.local",
            "pid": 40161,
            "lang": "fr",
            "v": 0,
        },
    ),
    "zap": (
        (
            '{"level":"error","ts":1449098143.535,"logger":"db","caller":"x.go:9","msg":"no row",'
            '"url":"u","error":"not found","stacktrace":"main.main\\n\\tx.go:9"}'
        ),
        {
            "event_time": 1449098143.535,
            "message": "no row",
            "component": "db",
            "severity": 17,
            "severity_text": "error",
            "exception.message": "not found",
            "exception.stacktrace": "main.main\n\tx.go:9",
            "caller": "x.go:9",
            "url": "u",
        },
    ),
    "slog": (
        '{"time":"2022-11-08T15:28:26.000000000-05:00","level":"INFO+2","msg":"hello","count":3}',
        {
            "event_time": "2022-11-08T15:28:26.000000000-05:00",
            "message": "hello",
            "severity": 11,
            "severity_text": "INFO+2",
            "count": 3,
        },
    ),
    "slog as text": (
        'time=2022-11-08T15:28:26.000-05:00 level=WARN msg="hello there" count=3 d=1.5 ok=true',
        {
            "event_time": "2022-11-08T15:28:26.000-05:00",
            "message": "hello there",
            "severity": 13,
            "severity_text": "WARN",
            "count": 3,
            "d": 1.5,
            "ok": True,
        },
    ),
    "logrus": (
        'time="2015-03-26T01:27:38-04:00" level=fatal msg="The \\"ice\\" breaks!" err=EOF n=0100',
        {
            "event_time": "2015-03-26T01:27:38-04:00",
            "message": 'The "ice" breaks!',
            "severity": 21,
            "severity_text": "fatal",
            "exception.message": "EOF",
            "n": "0100",
        },
    ),
    "tracing of Rust": (
        (
            '{"timestamp":"2022-02-15T18:47:10.821315Z","level":"INFO","fields":{"message":"shaving",'
            '"yaks":7},"target":"fmt_json"}'
        ),
        {
            "event_time": "2022-02-15T18:47:10.821315Z",
            "message": "shaving",
            "component": "fmt_json",
            "severity": 9,
            "severity_text": "INFO",
            "yaks": 7,
        },
    ),
    "winston": (
        '{"level":"silly","message":"Hello","service":"user","traceId":"ab","timestamp":"noon"}',
        {
            "message": "Hello",
            "severity": 1,
            "severity_text": "silly",
            "service": "user",
            "trace_id": "ab",
            "timestamp": "noon",
        },
    ),
}


@pytest.mark.parametrize(("line", "wanted"), LINES.values(), ids=LINES)
def test_a_line_becomes_the_event_that_it_tells(line, wanted):
    assert event(line) == {"event_type": "log", "event_name": "log"} | wanted


@pytest.mark.parametrize(
    "line",
    [
        "the level=info of things",
        "level=info",
        "a b c",
        "x=1 y=2",
        'level=info msg="never closed',
        'level=info msg=a"b"c d=1"',
        '{"rows": 3}',
        '{"time": "2026-11-22T12:00:00Z"}',
        '{"level": {"a": 1}}',
    ],
)
def test_what_tells_neither_level_nor_message_is_no_log(line):
    pairs = json.loads(line) if line.startswith("{") else pairs_of(line.encode())
    assert pairs is None or event_of_log(pairs) is None


def test_a_line_of_many_bad_quotes_is_read_in_no_time():
    assert pairs_of(b'level=info msg="' + b'\\"x ' * 60_000) is None
    assert pairs_of(b"a=" * 100_000) is None


def test_structlog_itself_with_its_tracebacks():
    out = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    try:
        {}["x"]
    except KeyError:
        logger.exception("it broke", order=7)
    found = event(out.getvalue())
    assert (found["event_name"], found["message"], found["severity"]) == ("log", "it broke", 17)
    assert (found["exception.type"], found["exception.message"]) == ("KeyError", "'x'")
    assert found["exception.stacktrace"].startswith("Traceback")
    assert found["order"] == 7


def test_structlogs_tracebacks_as_dictionaries():
    line = '{"event": "x", "exception": [{"exc_type": "KeyError", "exc_value": "x", "frames": []}]}'
    found = event(line)
    assert (found["exception.type"], found["exception.message"]) == ("KeyError", "x")


def test_loguru_itself_serialised():
    out = io.StringIO()
    loguru.logger.remove()
    loguru.logger.add(out, serialize=True)
    loguru.logger.bind(user_id="ada", line="mine").success("paid {n}", n=3)
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        loguru.logger.exception("it broke")
    loguru.logger.remove()
    loguru.logger.add(sys.stderr)
    paid, broke = map(event, out.getvalue().splitlines())
    assert (paid["message"], paid["severity_text"], paid["severity"]) == ("paid 3", "SUCCESS", 10)
    assert (paid["user_id"], paid["n"], paid["extra.line"]) == ("ada", 3, "mine")
    assert paid["component"] == __name__
    assert paid["function"] == "test_loguru_itself_serialised"
    assert broke["exception.type"] == "ZeroDivisionError"
    assert broke["exception.message"] == "division by zero"
