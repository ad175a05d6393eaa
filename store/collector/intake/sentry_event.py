"""An event of Sentry in our terms; most of it is what transactions have as well."""

from collections.abc import Mapping
from typing import Any, Final

from store.collector.intake.records import Record, attributes_of, joined
from store.normalise.flatten import list_text
from store.normalise.times import instant_of

NAME_CHARS_MAX: Final = 256
DEPTH_MAX: Final = 32
_LEVELS: Final[Mapping[Any, str]] = {"log": "info"}
_TRACE_IDS: Final = ("trace_id", "span_id", "parent_span_id")
# Of a trace's context; what a transaction says of itself.
_TRACED: Final = ("data", "op", "status")
# What becomes a field of ours, or is taken apart.
_TAKEN: Final = frozenset(
    {
        *("event_id", "timestamp", "level", "message", "logentry", "exception", "release"),
        *("transaction", "user", "tags", "contexts", "modules"),
    }
)


def error_of(event: Record) -> Record:
    """All but its id. An exception is an `error` by the name of its type; a message is a `log`."""
    raised = _exceptions(event.get("exception"))
    last = raised[-1] if raised else {}
    kind = last.get("type")
    level = event.get("level", "error" if raised else None)
    fields: Record = {
        "event_time": event.get("timestamp"),
        "event_type": "error" if raised else "log",
        **named(kind if raised else "log", "error"),
        "severity": _LEVELS.get(level, level) if type(level) is str else None,
        "message": last.get("value") if raised else _message(event),
        **release_of(event.get("release")),
        **_user(event.get("user")),
        **{name: trace_of(event).get(name) for name in _TRACE_IDS},
        **_contexts(event.get("contexts")),
    }
    if raised:
        fields["exception"] = {**last, "stacktrace": _stack(last), "values": raised}
    if type(event.get("modules")) is dict:  # one for each package there is: no columns
        fields["modules"] = list_text(event["modules"], DEPTH_MAX, exact=True)
    if event.get("transaction") is not None:
        fields["transaction"] = event["transaction"]
    rest = {k: v for k, v in event.items() if k not in _TAKEN and v is not None}
    return joined(_tags(event.get("tags")), joined(rest, fields))


def named(name: Any, otherwise: str) -> Record:
    """The event's name; a long one is cut, and kept whole beside."""
    if type(name) is not str or not name:
        return {"event_name": otherwise}
    if len(name) <= NAME_CHARS_MAX:
        return {"event_name": name}
    return {"event_name": name[:NAME_CHARS_MAX], "sentry.name": name}


def release_of(release: Any) -> Record:
    """`shop@1.2.3` is version 1.2.3 of the service shop."""
    if type(release) is not str or not release:
        return {}
    name, _, version = release.rpartition("@")
    return {"service_version": version} | ({"service_name": name} if name else {})


def trace_of(event: Record) -> Record:
    """What the event says of its place in a trace."""
    contexts = event.get("contexts")
    trace = contexts.get("trace") if type(contexts) is dict else None
    return trace if type(trace) is dict else {}


def span_times(start: Any, end: Any) -> Record:
    """When it began, and how long it took."""
    began, ended = instant_of(start), instant_of(end)
    if began is None or ended is None:
        return {"event_time": end if start is None else start}
    return {"event_time": start, "duration_ms": (ended - began).total_seconds() * 1000}


def _exceptions(given: Any) -> list[Record]:
    """The innermost first, as Sentry has them."""
    values = given.get("values") if type(given) is dict else given
    return [one for one in values if type(one) is dict] if type(values) is list else []


def _stack(raised: Record) -> str | None:
    """A line a frame, the last called at the end."""
    stack = raised.get("stacktrace")
    frames = stack.get("frames") if type(stack) is dict else None
    if type(frames) is not list:
        return None
    found = [frame for frame in frames if type(frame) is dict]
    return "\n".join(
        f"{frame.get('filename')}:{frame.get('lineno')} in {frame.get('function')}"
        for frame in found
    )


def _message(event: Record) -> Any:
    said = event.get("logentry") or event.get("message")
    if type(said) is not dict:
        return said
    return said.get("formatted") or said.get("message")


def _user(given: Any) -> Record:
    user = attributes_of(given, "user")
    if type(given) is not dict:
        return user
    rest = {name: value for name, value in user.items() if name != "id"}
    return {"user_id": user.get("id")} | ({"user": rest} if rest else {})


def _contexts(given: Any) -> Record:
    """Without the ids of the trace, which are fields of ours, and its attributes."""
    if type(given) is not dict:
        return attributes_of(given, "contexts")
    found = dict(given)
    if type(trace := found.get("trace")) is dict:
        found["trace"] = {k: v for k, v in trace.items() if k not in {*_TRACE_IDS, *_TRACED}}
    return {"contexts": {name: value for name, value in found.items() if value}}


def _tags(given: Any) -> Record:
    """An object, or pairs."""
    if type(given) is not list:
        return attributes_of(given, "tags")
    pairs = [tuple(pair) for pair in given if type(pair) is list and len(pair) == 2]
    return {key: value for key, value in pairs if type(key) is str}
