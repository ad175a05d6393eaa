"""One event of PostHog in our terms."""

from typing import Any, Final

from store.collector.intake.records import Record, attributes_of, joined

# What becomes a field of ours, or is a credential.
_TAKEN: Final = frozenset(
    {
        *("event", "uuid", "timestamp", "offset", "distinct_id", "$distinct_id", "properties"),
        *("session_id", "options", "api_key", "token", "sent_at"),
    }
)
_CREDENTIALS: Final = frozenset({"token", "api_key"})
_ADOPTED: Final = (
    ("session_id", "$session_id"),
    ("service_name", "$app_name"),
    ("service_version", "$app_version"),
)
_NOT_KEPT: Final = _CREDENTIALS | {theirs for _, theirs in _ADOPTED}


def event_of(record: Record) -> Record:
    """With the time as it was sent; `distinct_id` is a device until it is identified."""
    properties = attributes_of(record.get("properties"), "properties")
    name = record.get("event")
    fields: Record = {
        "event_id": record.get("uuid"),
        "event_time": record.get("timestamp"),
        "event_type": "behavioral",
        "event_name": name,
        **_identity(name, record, properties),
    }
    for ours, theirs in _ADOPTED:
        if theirs in properties:
            fields[ours] = properties[theirs]
    if "session_id" in record:
        fields["session_id"] = record["session_id"]
    if name == "$exception":
        fields |= _exception(properties)
    if not _NOT_KEPT.isdisjoint(properties):
        properties = {k: v for k, v in properties.items() if k not in _NOT_KEPT}
    event = joined(properties, fields)
    rest = {k: record[k] for k in record.keys() - _TAKEN if record[k] is not None}
    rest |= _options(record.get("options"))
    return joined(rest, event) if rest else event


def _identity(name: Any, record: Record, properties: Record) -> Record:
    """Who: `$identify` and `$create_alias` tell that a device, or an id before, is a user."""
    who = record.get("distinct_id")
    if who is None:
        who = record.get("$distinct_id", properties.get("distinct_id"))
    device = properties.get("$device_id")
    if name == "$identify":
        return {"user_id": who, "install_id": properties.get("$anon_distinct_id", device)}
    if name == "$create_alias" and "alias" in properties:
        return {"user_id": properties["alias"], "install_id": properties.get("distinct_id", who)}
    if _is_anonymous(who, device, record, properties):
        return {"install_id": device if device is not None else who}
    return {"user_id": who, "install_id": device}


def _is_anonymous(who: Any, device: Any, record: Record, properties: Record) -> bool:
    identified = properties.get("$is_identified")
    if type(identified) is bool:
        return not identified
    if type(device) in {str, int} and type(who) is type(device) and who == device:
        return True
    options = record.get("options")
    told = options.get("process_person_profile") if type(options) is dict else None
    return properties.get("$process_person_profile", told) is False


def _exception(properties: Record) -> Record:
    """An error, with the words of the first exception in the list."""
    found = properties.get("$exception_list")
    first = found[0] if type(found) is list and found and type(found[0]) is dict else {}
    level = properties.get("$exception_level")
    return {
        "event_type": "error",
        "severity": level if type(level) is str else "error",
        "message": properties.get("$exception_message", first.get("value")),
        "exception.type": properties.get("$exception_type", first.get("type")),
    }


def _options(options: Any) -> Record:
    """Of v1, by the names that they have as properties in v0."""
    if type(options) is not dict:
        return {}
    return {f"${name}": value for name, value in options.items()}
