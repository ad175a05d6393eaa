"""`eventdeck query ANALYSIS`: one question, one answer; the options are the query's fields."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from store.errors import UsageError
from tui.commands.caveats import warn_of_lost_parts, warn_of_unknown_fields
from tui.commands.command import (
    Command,
    Options,
    Parser,
    add_formats,
    did_you_mean,
    first_word_at,
    settings_of,
)
from tui.commands.console import Console
from tui.commands.times import add_span, add_zone, span_of, zone_named, zone_of
from tui.commands.unknown_names import warn_of_unknown_names

if TYPE_CHECKING:
    from store.analytics.query import Query
    from store.analytics.shapes import Answer
    from store.event_store import EventStore

EXAMPLE: Final = """\
eventdeck query trends --last 1h --by severity_class
eventdeck query trends --rolling 7d --measure users --last 30d
eventdeck query percentiles --of duration_ms --by event_name --compare previous
eventdeck query top --by user_id --where 'event_name=tool_error' --last 24h --json
eventdeck query funnel --step signup --step 'pay where plan=pro' --window 7d --by plan"""
FAILED_CODE: Final = 1


def configure(parser: Parser, words: Sequence[str]) -> None:
    """The options of the analysis that the words name."""
    from store.analytics.plugins import known_analyses
    from store.analytics.registry import find
    from tui.commands.fields import add_query_options

    known = {analysis.name: analysis for analysis in known_analyses(_plugins(words))}
    parser.add_argument("analysis", metavar="ANALYSIS", help=", ".join(known))
    add_span(parser)
    add_zone(parser)
    add_formats(parser)
    parser.add_argument("--query", metavar="FILE", help="the question as JSON; - is standard input")
    parser.add_argument(
        "--fail-if", metavar="CONDITION", help="exit 1 when a row matches: 'p95>500 count>=10'"
    )
    parser.add_argument(
        "--plugin",
        metavar="PATH",
        action="append",
        help="also the analyses of this Python file, which is run",
    )
    parser.set_defaults(analyses=tuple(known.values()))
    name = _named(words, known)
    if name is None:
        return
    if name not in known:
        hint = did_you_mean(name, known)
        raise UsageError("query", f"there is no analysis {name!r}", next_step=hint)
    analysis = find(name, known.values())
    assert analysis is not None
    add_query_options(parser, analysis.query_type)
    parser.set_defaults(query_type=analysis.query_type)


def _plugins(words: Sequence[str]) -> Sequence[str]:
    """The files of `--plugin PATH` and `--plugin=PATH`: what they hold decides on the options."""
    following = pairwise(words)
    apart = [path for word, path in following if word == "--plugin"]
    prefix = "--plugin="
    return apart + [word.removeprefix(prefix) for word in words if word.startswith(prefix)]


def _named(words: Sequence[str], known: Mapping[str, Any]) -> str | None:
    """The word that stands for the analysis: the first one, or the first that is one."""
    at = first_word_at(words)
    first = None if at is None else words[at]
    if first is None or first in known or not words[0].startswith("--"):
        return first
    return next((word for word in words if word in known), first)


def run(options: Options, console: Console) -> int:
    """The answer to standard output; 1 when `--fail-if` holds."""
    from store.event_store import EventStore

    query = _asked(options, console)
    settings = settings_of(options)
    store = EventStore(
        settings.store,
        now=console.now,
        analyses=options.analyses,
        week_start=settings.week_start,
    )
    if options.since or options.until or options.last:
        span = span_of(options, now=console.now(), stored=store.span())
        query = replace(query, span=span)
    _warn_of_unknown(query, store, console)
    answer = store.run(query)
    warn_of_unknown_names(query, answer, store, console)
    failing = _failing(answer, options.fail_if)
    _write(answer, store, options, console)
    warn_of_lost_parts(answer.unreadable_parts, console)
    if failing:
        rows = "a row matched" if failing == 1 else f"{failing} rows matched"
        console.note(f"--fail-if {options.fail_if}: {rows}")
    return FAILED_CODE if failing else 0


def _asked(options: Options, console: Console) -> "Query":
    """The query of the options, over that of `--query`."""
    from store.analytics.filters import parse_filter
    from store.analytics.query_json import query_of_json
    from tui.commands.fields import given

    now = console.now()
    query: Query = options.query_type()
    if options.query:
        document = dict(_document(options.query))
        if options.tz is not None:
            document["tz"] = zone_named(options.tz)
        if not document.keys() & {"since", "last"} and document.get("until") is not None:
            options.until = options.until or str(document.pop("until"))
        query = query_of_json(options.query_type, document, now=now)
    changes = dict(given(options, options.query_type))
    if options.tz is not None:
        changes["tz"] = zone_named(options.tz)
    options.tz = changes.get("tz", query.tz)
    asked = replace(query, **changes)
    # Written anew: times that move are fixed, and equal filters share cached shares.
    where = parse_filter(asked.where, now=now, zone=zone_of(options.tz))
    fixed = where.document() if isinstance(asked.where, Mapping) else where.text()
    return replace(asked, where=fixed or None)


def _document(file: str) -> Mapping[str, Any]:
    import json
    from pathlib import Path

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as error:
        raise UsageError("--query", str(error.strerror).lower(), place=file) from None
    except (ValueError, RecursionError) as error:
        raise UsageError("--query", f"it is no JSON: {error}", place=file) from None
    if not isinstance(document, dict):
        raise UsageError("--query", "it is no object", place=file, next_step="write {…}")
    return document


def _warn_of_unknown(query: "Query", store: "EventStore", console: Console) -> None:
    """What no event has is an empty answer; a slip of the pen should not look like one."""
    from store.analytics.compare import Compare
    from store.analytics.filters import parse_filter

    types = store.column_types()
    filters = query.filters() if isinstance(query, Compare) else (parse_filter(query.where),)
    for each in filters:
        warn_of_unknown_fields(each, types, console)


def _write(answer: "Answer", store: "EventStore", options: Options, console: Console) -> None:
    from store.analytics.query_json import answer_json
    from tui.commands.answer_table import pivoted, summary_of, table_of

    if options.json:
        console.json(answer_json(answer, options.analyses))
    elif options.csv:
        table_of(answer).write(console, as_csv=True)
    else:
        from tui.commands.few_people import counted, ways_of_few

        few = ways_of_few(answer, store)
        for summary in (*summary_of(answer), *([few] if few else [])):
            summary.write(console, as_csv=False)
            console.line("")
        counted(answer, pivoted(answer)).write(console, as_csv=False)


def _failing(answer: "Answer", condition: str | None) -> int:
    if condition is None:
        return 0
    from tui.commands.condition import rows_matching

    return rows_matching(answer, condition)


COMMAND = Command("query", "one analysis: trends, percentiles, top, …", EXAMPLE, configure, run)
