"""DogStatsD's lines that are no metrics: events (`_e{5,4}:title|text`) and service checks
(`_sc|name|status`).

https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from store.normalise.json_text import Fault, NotTakenError
from store.statsd.sections import Row, common_of, unix_time

_EVENT: Final = re.compile(r"_e\{(\d{1,6}),(\d{1,6})\}:", re.ASCII)
_SHAPE: Final = Fault("bad_line", "it is not written as _e{title length,text length}:title|text")
_CHECK: Final = Fault("bad_line", "it is not written as _sc|name|status, with a status of 0 to 3")
_STATUSES: Final = ("ok", "warning", "critical", "unknown")
_SEVERITIES: Final[Mapping[str, str]] = {
    "error": "error",
    "warning": "warning",
    "success": "info",
    "info": "info",
    "ok": "info",
    "critical": "error",
    "unknown": "warning",
}
_FIELDS: Final[Mapping[str, str]] = {
    "h:": "host.name",
    "k:": "aggregation_key",
    "p:": "priority",
    "s:": "source_type",
    "t:": "alert_type",
}


def event_of(line: str) -> list[Row]:
    """Of type `event`, by its title; the text is the message. NotTakenError."""
    head = _EVENT.match(line)
    if head is None:
        raise NotTakenError(_SHAPE)
    title, text, sections = _parted(line[head.end() :], int(head[1]), int(head[2]))
    found = _fields(sections)
    row = {"severity": _SEVERITIES.get(found.get("alert_type", "info"), "info")}
    row |= {"event_type": "event", "event_name": _unescaped(title), "message": _unescaped(text)}
    return [found | row]


def _parted(rest: str, title_size: int, text_size: int) -> tuple[str, str, list[str]]:
    """Sizes are in bytes; some clients count characters."""
    given = rest.encode()
    for whole in (given, rest):
        title, text = whole[:title_size], whole[title_size + 1 : title_size + 1 + text_size]
        bar, after = whole[title_size : title_size + 1], whole[title_size + 1 + text_size :]
        if bar not in (b"|", "|") or (after and after[:1] not in (b"|", "|")):
            continue
        if len(text) == text_size and title:
            found = [each if isinstance(each, str) else _text(each) for each in (title, text)]
            rest_of_it = after if isinstance(after, str) else _text(after)
            return found[0], found[1], rest_of_it.split("|")[1:]
    raise NotTakenError(_SHAPE)


def _text(data: bytes) -> str:
    """A length that ends within a character is of no client's making."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NotTakenError(_SHAPE) from None


def check_of(line: str) -> list[Row]:
    """Of type `service_check`; its status is a word and, as `value`, a number. NotTakenError."""
    _, name, *rest = line.split("|")
    if not name or not rest or rest[0] not in {"0", "1", "2", "3"}:
        raise NotTakenError(_CHECK)
    status = _STATUSES[int(rest[0])]
    sections = rest[1:]
    row: Row = {"event_type": "service_check", "event_name": name, "check_status": status}
    row |= {"value": int(rest[0]), "severity": _SEVERITIES[status]}
    # The message comes last and may hold bars.
    at = next((at for at, section in enumerate(sections) if section.startswith("m:")), None)
    if at is not None:
        row["message"] = _unescaped("|".join(sections[at:])[2:].replace("m\\:", "m:"))
        sections = sections[:at]
    return [_fields(sections) | row]


def _fields(sections: Iterable[str]) -> Row:
    found: Row = {}
    others: list[str] = []
    for section in sections:
        if section.startswith("d:"):
            found["event_time"] = unix_time(section[2:])
        elif section[:2] in _FIELDS:
            found[_FIELDS[section[:2]]] = section[2:]
        else:
            others.append(section)
    return common_of(others) | found


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n")
