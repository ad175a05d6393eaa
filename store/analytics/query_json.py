"""Queries and answers as JSON: what `--query` reads, and the envelope that `--json` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from store.analytics.intervals import checked_zone
from store.analytics.query import Query
from store.analytics.registry import ANALYSES, HELPERS, Known, find
from store.analytics.shapes import Answer
from store.errors import UsageError
from store.timespan import TimeSpan, duration_text, iso, parse_duration, parse_instant

Q = TypeVar("Q", bound=Query)
SPAN: Final = ("since", "until", "last")
"""The keys that name the span."""


def query_json(query: Query) -> dict[str, Any]:
    """The query as JSON that `query_of_json` reads back to an equal one: every field, the span as
    `since` and `until`, durations as text.
    """
    document = {
        _name(part): _written(getattr(query, part.name))
        for part in fields(query)
        if part.name != "span" and not part.metadata.get("hidden")
    }
    if query.span:
        document |= {"since": iso(query.span.start), "until": iso(query.span.end)}
    return document


def query_of_json(
    query_type: type[Q], document: Mapping[str, Any], *, now: datetime, zone: tzinfo = UTC
) -> Q:
    """The query of a JSON object: fields by their names or those of their options (`event` for
    `events`), a single value where a list is wanted, durations as text or seconds, null for no
    limit. Times without a zone follow its `tz`, else `zone`. A UsageError names the key that is
    wrong.
    """
    if not isinstance(document, Mapping):
        raise UsageError("query", "it is not a JSON object")
    hints = get_type_hints(query_type)
    shown = [part for part in fields(query_type) if not part.metadata.get("hidden")]
    known = {name: part for part in shown for name in _names(part)}
    values = {}
    for key, value in document.items():
        if key in ("analysis", *SPAN):
            continue
        if key not in known or key == "span":
            close = get_close_matches(key, [*known, *SPAN], 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            raise UsageError("query", f"there is no {key!r} in it", next_step=hint)
        part = known[key]
        values[part.name] = _read(key, value, hints[part.name])
        choices = part.metadata.get("choices")
        if choices and values[part.name] not in choices:
            hint = f"take {', '.join(choices)}"
            raise UsageError("query", f"{key} is {value!r}", next_step=hint)
    if values.get("tz") is not None:
        zone = checked_zone(values["tz"])
    return query_type(**values, span=_span(document, now, zone))


def answer_json(answer: Answer, analyses: Sequence[Known] | None = None) -> dict[str, Any]:
    """The envelope of an answer, as CONTRACTS has it: JSON values only, no NaN. `analyses`: where
    others than our own may have answered.
    """
    analysis = find(answer.analysis, (*(analyses or ANALYSES), *HELPERS))
    assert analysis is not None
    previous = {} if answer.previous is None else {"previous": analysis.as_json(answer.previous)}
    if answer.previous is not None and hasattr(analysis, "compared"):
        previous["compared"] = analysis.compared(answer.result, answer.previous)
    return {
        "analysis": answer.analysis,
        "query": query_json(answer.query),
        "as_of": iso(answer.as_of),
        "span": _span_json(answer.span),
        "events_scanned": answer.events_scanned,
        "sampled": answer.sampled,
        "truncated": answer.truncated,
        "exact": answer.exact,
        "incomplete_from": iso(answer.incomplete_from) if answer.incomplete_from else None,
        "coverage": [{**_span_json(each.span), "tier": each.tier} for each in answer.coverage],
        "unreadable_parts": answer.unreadable_parts,
        "generation": answer.generation,
        "result": analysis.as_json(answer.result),
        **previous,
    }


def _span_json(span: TimeSpan) -> dict[str, str]:
    return {"start": iso(span.start), "end": iso(span.end)}


def _written(value: Any) -> Any:
    if isinstance(value, timedelta):
        return duration_text(value)
    return [_written(item) for item in value] if isinstance(value, tuple) else value


def _name(part: Field[Any]) -> str:
    """`from` of a field that Python does not let be called so."""
    return part.name.rstrip("_")


def _names(part: Field[Any]) -> tuple[str, ...]:
    return _name(part), str(part.metadata.get("flag") or part.name).replace("-", "_")


def _span(document: Mapping[str, Any], now: datetime, zone: tzinfo) -> TimeSpan | None:
    since, until, last = (document.get(name) for name in SPAN)
    if since is None and until is None and last is None:
        return None
    if since is not None and until is not None and last is not None:
        raise UsageError("query", "since, until and last say it twice", next_step="keep two")
    if since is None and last is None:
        raise UsageError("query", "it has until alone", next_step="add since or last")
    start, end = (
        now if text is None else parse_instant(text, now=now, zone=zone) for text in (since, until)
    )
    if last is None:
        return TimeSpan(start, end)
    length = _duration(last, "last")
    return TimeSpan(end - length, end) if since is None else TimeSpan(start, start + length)


def _read(key: str, value: Any, hint: Any) -> Any:
    """`value` as the field's type, which is its hint's first."""
    kinds = get_args(hint) or (hint,)
    if value is None and (type(None) in kinds or hint is timedelta):
        return None
    if get_origin(hint) is tuple:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_read(key, item, kinds[0]) for item in items)
    if timedelta in kinds:
        return _duration(value, key)
    if get_origin(kinds[0]) is not None or Any in kinds:
        return value
    wanted = tuple(kind for kind in kinds if isinstance(kind, type))
    objects = (Mapping,) if any(get_origin(kind) is Mapping for kind in kinds) else ()
    is_right = isinstance(value, (*wanted, *objects))
    if not is_right or (isinstance(value, bool) and bool not in wanted):
        names = " or ".join(kind.__name__ for kind in wanted if kind is not type(None))
        raise UsageError("query", f"{key} is {value!r}, wanted {names}")
    return value


def _duration(value: Any, key: str) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError("query", f"{key} is {value!r}, wanted a duration", next_step="write 15m")
    if isinstance(value, str):
        return parse_duration(value)
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise UsageError("query", f"{key} is {value!r}, longer than any time") from None
