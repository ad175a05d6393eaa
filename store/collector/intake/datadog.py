"""Datadog's logs API, version 2: `/api/v2/logs` with JSON, or with lines of text.

https://docs.datadoghq.com/api/latest/logs/#send-logs
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.intake.records import (
    TOO_LARGE,
    Adopted,
    Load,
    Record,
    body_fault,
    check_body,
    decode_records,
    events_of,
    joined,
)
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals
from store.normalise.json_text import Fault, NotTakenError
from store.normalise.times import instant_of
from store.schema import EXACT_FLOAT_MAX, severity_number
from store.tally import Receipt

BODY_BYTES_MAX: Final = 5 * 1000 * 1000
LOGS_MAX: Final = 1000
_SHARED: Final = ("ddtags", "ddsource", "service", "hostname")
"""What the query may say of all logs."""
# field of ours -> Datadog's attributes for it; the first there counts.
# https://docs.datadoghq.com/logs/log_configuration/pipelines/#preprocessing
_ADOPTED: Final = Adopted(
    {
        "service_name": ("service", "dd.service"),
        "service_version": ("version", "dd.version"),
        "message": ("message", "msg", "log"),
        "severity": ("status", "severity", "level"),
        "trace_id": ("dd.trace_id", "trace_id"),
        "span_id": ("dd.span_id", "span_id"),
        "user_id": ("usr.id",),
        "session_id": ("session_id", "session.id"),
        "event_time": ("@timestamp", "timestamp", "_timestamp", "Timestamp", "eventTime", "date"),
    }
)
# Objects whose fields are looked for by their names with dots, in which some senders write them.
_GROUPS: Final = ("dd", "usr")
# As syslog counts; and Datadog goes by how a word begins.
_SYSLOG: Final = ("fatal", "fatal", "fatal", "error", "warning", "info", "info", "debug")
_BEGINNINGS: Final[Mapping[str, str]] = {
    "emerg": "fatal",
    "f": "fatal",
    "a": "fatal",
    "c": "fatal",
    "e": "error",
    "w": "warning",
    "n": "info",
    "i": "info",
    "o": "info",
    "s": "info",
    "d": "debug",
    "t": "debug",
    "v": "debug",
}
TAGS_KEPT_CHARS: Final = 1000
"""Shorter tags are remembered: most logs of a sender have the same ones."""
_NANOSECONDS: Final = 1e6
"""In a millisecond."""


class DatadogIntake:
    """At-least-once: Datadog's logs have no ids."""

    name = "datadog"
    routes: tuple[tuple[str, str], ...] = (("POST", "/api/v2/logs"), ("POST", "/api/v2/logs/"))

    def decode(self, delivery: Delivery) -> Decoded:
        """One event a log. Tags become attributes of their own names."""
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        shared = {n: v for n in _SHARED if (v := delivery.parameters.get(n))}

        def find(load: Load, refusals: Refusals) -> Objects:
            check_body(delivery.body, BODY_BYTES_MAX)
            logs = _logs(load, delivery)
            if len(logs) > LOGS_MAX:
                raise NotTakenError(Fault(TOO_LARGE, f"a body has at most {LOGS_MAX:,} logs"))
            return events_of(
                logs,
                lambda log: _event(log, shared),
                refusals,
                where="batch[",
                body_bytes=len(delivery.body),
            )

        return decode_records(find, arrival)

    def reply(self, receipt: Receipt, _request: Request) -> Reply:
        """202; 4xx when nothing could be read."""
        fault = body_fault(receipt)
        return _failure(*fault) if fault else Reply(202, b"{}")

    def refusal(self, refused: Refused, _receipt: Receipt | None, _request: Request) -> Reply:
        """As for a body that could not be read."""
        return _failure(refused.status, refused.fault, refused.headers)


def _logs(load: Load, delivery: Delivery) -> list[Any]:
    if delivery.headers.get("content-type", "").startswith("text/plain"):
        lines = delivery.body.decode(errors="replace").splitlines()
        return [{"message": line} for line in lines if line.strip()]
    document = load(delivery.body)
    return document if type(document) is list else [document]


def _event(log: Record, shared: Record) -> Record:
    record = _ungrouped({**shared, **log})
    given = record.pop("ddtags", None)
    tags = dict(_tags(given)) if type(given) is str else {}
    fields: Record = {"event_type": "log", "event_name": "log"}
    for ours, theirs in _ADOPTED.found(record):
        value = record[theirs]
        if ours not in fields and type(value) in {str, int}:
            if ours == "event_time" and not _is_time(value):
                continue
            fields[ours] = record.pop(theirs)
    if "severity" in fields:
        fields |= {"severity": _severity(fields["severity"]), "severity_text": fields["severity"]}
    took: Any = record.get("duration")
    if type(took) in {int, float} and 0 <= took <= EXACT_FLOAT_MAX:
        fields["duration_ms"] = took / _NANOSECONDS
    for name, ours in (("service", "service_name"), ("version", "service_version")):
        if name in tags:
            fields.setdefault(ours, tags.pop(name))
    tags = {name: value for name, value in tags.items() if record.get(name) != value}
    event = joined(record, fields)
    return joined(tags, event) if tags else event


def _is_time(value: Any) -> bool:
    """A whole number of this size is one; others are looked at closely."""
    return (type(value) is int and 0 < value <= EXACT_FLOAT_MAX) or instant_of(value) is not None


def _ungrouped(record: Record) -> Record:
    for group in _GROUPS:
        if type(inner := record.get(group)) is dict:
            del record[group]
            record |= {f"{group}.{name}": value for name, value in inner.items()}
    return record


@lru_cache(maxsize=1000)
def _severity(given: Any) -> str:
    """The name of a class, or the word itself."""
    word = str(given).strip().lower()
    if word in {"0", "1", "2", "3", "4", "5", "6", "7"}:
        return _SYSLOG[int(word)]
    if severity_number(word) is not None and not word.isdecimal():
        return word
    return next((name for start, name in _BEGINNINGS.items() if word.startswith(start)), word)


def _tags(given: str) -> Record:
    """`env:prod,team:a,team:b,new` as attributes; what has no value is in `tags`."""
    return _read_tags(given) if len(given) > TAGS_KEPT_CHARS else _same_tags(given)


def _read_tags(given: str) -> Record:
    tags: dict[str, list[str]] = {}
    for tag in filter(None, map(str.strip, given.split(","))):
        key, _, value = tag.partition(":")
        name, value = (key, value) if value else ("tags", tag)
        tags.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in tags.items()}


_same_tags: Final = lru_cache(maxsize=1000)(_read_tags)


def _failure(status: int, fault: str, headers: Mapping[str, str] | None = None) -> Reply:
    error = {"status": str(status), "title": "Bad Request", "detail": fault}
    return Reply(status, orjson.dumps({"errors": [error]}), headers=headers or {})
