"""What stands between the bars of a line after its type: rates, tags, times, containers.

https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from store.normalise.json_text import Fault, NotTakenError
from store.schema import ATTRIBUTE_PREFIX, FIXED

Row = dict[str, Any]
# What Datadog's unified service tagging says by the names that it has here.
_ADOPTED: Final[Mapping[str, str]] = {"service": "service_name", "version": "service_version"}
_WELCOME: Final = frozenset(
    {
        *("service_name", "service_version", "service_commit", "install_id", "user_id"),
        *("session_id", "component", "trace_id", "span_id", "parent_span_id"),
    }
)
# Fields of ours that a tag of the same name does not replace.
_OURS: Final = frozenset(
    {
        *(name for name in FIXED if name not in _WELCOME),
        *("unit", "metric_kind", "metric_temporality", "metric_stream", "metric_delta"),
        *("metric_member", "container.id", "statsd.external_data", "statsd.cardinality"),
        *("statsd.other", "host.name", "priority", "alert_type", "aggregation_key"),
        *("source_type", "check_status"),
    }
)
_NAMES: Final[Mapping[str, str]] = {
    **{name: ATTRIBUTE_PREFIX + name for name in _OURS},
    **_ADOPTED,
}
_UNKNOWN: Final = "statsd.other"


def tags_of(text: str) -> Row:
    """`a:1,b` as `{"a": "1", "b": True}`; a name that comes again keeps all its values."""
    found: Row = {}
    for tag in text.split(","):
        key, colon, value = tag.strip().partition(":")
        if not key:
            continue
        name = _NAMES.get(key, key)
        one: str | bool = value if colon else True
        if name not in found:
            found[name] = one
        elif type(found[name]) is list:
            found[name].append(one)
        elif found[name] != one:
            found[name] = [found[name], one]
    return found


def unix_time(text: str) -> int:
    """Of a `T` or `d:` section; NotTakenError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise NotTakenError(Fault("bad_time", "its time is not written in whole Unix seconds"))
    return int(text)


def common_of(sections: Iterable[str]) -> Row:
    """What any kind of line may have; a section that nobody knows is kept as it is."""
    found: Row = {}
    for section in sections:
        if section.startswith("#"):
            found = tags_of(section[1:]) | found
        elif section.startswith("c:"):
            found["container.id"] = section[2:]
        elif section.startswith("e:"):
            found["statsd.external_data"] = section[2:]
        elif section.startswith("card:"):
            found["statsd.cardinality"] = section[5:]
        elif section:
            others = found.get(_UNKNOWN)
            found[_UNKNOWN] = f"{others}|{section}" if others else section
    return found
