"""Settings, frozen: every default with its reason; read from TOML, the environment and flags."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from store.errors import UsageError
from store.timespan import WEEKDAYS, duration_text, parse_duration

MIB: Final = 1024 * 1024
STATSD_PORT: Final = 8125
GRPC_PORT: Final = 4317
OFF: Final = -1
"""The port of a protocol that is not listened for; `"off"` in a file."""
PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what comes in; whatever passes one is refused and counted by reason."""

    body_bytes_max: int = 64 * MIB
    """After decompression, counted while inflating: OTLP's recommendation."""
    line_bytes_max: int = 256 * 1024
    """VictoriaLogs' bound; longer lines are rejected."""
    event_bytes_max: int = 32 * 1024
    """The longest values of a larger event are cut, the rest kept, the size recorded."""
    depth_max: int = 32
    keys_max: int = 2_000
    name_chars_max: int = 256
    header_timeout: timedelta = timedelta(seconds=10)
    """Against senders that hold a connection open without asking for anything."""
    body_timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """How the collector takes in and commits."""

    host: str = "127.0.0.1"
    port: int = 4318
    """OTLP's port, so that SDKs find it without being told."""
    grpc_port: int = GRPC_PORT
    """For OTLP over gRPC, with the extra `grpc`; 0 takes a free port, OFF none."""
    statsd_port: int = STATSD_PORT
    """For StatsD over UDP, on loopback whatever `host` says, as it knows no token; 0 takes a free
    port, OFF none."""
    token: str = ""
    """Wanted from every sender when set; without one only loopback may be bound."""
    origins: tuple[str, ...] = ()
    """Web origins that may send (exact); none by default."""
    follow: tuple[str, ...] = ()
    """Files whose events are taken as they grow; those with the flag `"_e": 1` alone."""
    follow_logs: bool = False
    """Ordinary JSON logs and logfmt in those files are events too."""
    queue_events_max: int = 10_000
    """Events waiting for a commit; one larger delivery still fits when nothing else waits."""
    when_full: str = "refuse"
    """`refuse`: the sender is told 503; `drop_oldest`: the oldest waiting events give way."""
    bodies_bytes_max: int = 128 * MIB
    """Bodies in memory over all requests, reserved before they are read: two of the largest."""
    drain_timeout: timedelta = timedelta(seconds=10)
    part_events_max: int = 250_000
    """A commit is cut here, so that one part fits comfortably in memory."""


@dataclass(frozen=True, slots=True)
class CompactionSettings:
    """When parts are merged."""

    commits_max: int = 32
    """In a folder; more are merged at once: a cold question opens each of them (0.4 ms)."""
    fan_in: int = 8
    """So many parts of like size become one: ten thousand commits are written again five times."""
    large_day_bytes: int = 64 * MIB
    """From here a day's parts hold an hour each: late events then cost an hour's writing."""
    quiet: timedelta = timedelta(minutes=15)
    """A day (or an hour of a large one) that is over becomes one part after so long without an
    event, or after as long as its last event was late, if that is more."""
    quiet_max: timedelta = timedelta(days=1)
    """However late the last event was."""


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long events and their rollups stay, counted from the newest arrival in a part. Nothing
    that was imported goes by itself; nothing goes by an age of 0s, or a limit of 0.
    """

    preset: str = "default"
    """The ages to begin with: `default`, `light` or `production` (RETENTION_PRESETS)."""
    raw: timedelta = timedelta(days=30)
    """The events themselves: what happened in a month can be asked in any way."""
    hourly: timedelta = timedelta(days=30)
    """Counts, errors, sums, users and percentiles by the hour and finer, once events went."""
    daily: timedelta = timedelta(days=90)
    weekly: timedelta = timedelta(days=180)
    monthly: timedelta = timedelta(days=365)
    max_bytes: int = 10 * 1024 * MIB
    """Of events on disk; beyond, the oldest go: room that a laptop can spare."""
    min_free_disk: int = 0
    """Bytes left on the disk, or the oldest events go. Off: another program that fills the disk
    must not cost what was recorded, unless you say so."""


RETENTION_PRESETS: Final[Mapping[str, RetentionSettings]] = {
    "default": RetentionSettings(),
    "light": RetentionSettings(preset="light", raw=timedelta(days=7)),
    "production": RetentionSettings(
        preset="production",
        hourly=timedelta(days=90),
        daily=timedelta(days=180),
        weekly=timedelta(days=365),
        monthly=timedelta(days=730),
    ),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a process."""

    store: Path
    collector: CollectorSettings = field(default_factory=CollectorSettings)
    limits: Limits = field(default_factory=Limits)
    compaction: CompactionSettings = field(default_factory=CompactionSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    week_start: str = "monday"
    """Of all questions that do not say."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The id of an action in the dashboard -> the keys that do it instead of its own, with commas."""


S = TypeVar("S", Settings, CollectorSettings, Limits, CompactionSettings, RetentionSettings)


def default_store() -> Path:
    """`EVENTDECK_STORE`, else the platform's data folder."""
    from platformdirs import user_data_path

    given = os.environ.get("EVENTDECK_STORE")
    return Path(given) if given else user_data_path("eventdeck", appauthor=False)


def load_settings(store: Path | None = None, config: Path | None = None) -> Settings:
    """The settings file (`config`, else `EVENTDECK_CONFIG`, else the platform's, when it is
    there) over the defaults, and `store` over both. An unknown or ill-typed key is a UsageError.
    """
    from platformdirs import user_config_path

    named = config or (Path(p) if (p := os.environ.get("EVENTDECK_CONFIG")) else None)
    path = named or user_config_path("eventdeck", appauthor=False) / "config.toml"
    document = _read(path, wanted=named is not None)
    filed = document.pop("store", None)
    given_store = store or (Path(filed) if filed else default_store())
    settings = Settings(store=given_store.expanduser())
    return _overlaid(settings, document, str(path), "")


def settings_document(settings: Settings) -> dict[str, Any]:
    """All of them as a settings file would have them; `settings_from` reads it back."""
    return {part.name: _plain(getattr(settings, part.name)) for part in fields(settings)}


def settings_from(document: Mapping[str, Any], place: str) -> Settings:
    """Settings out of a whole document; a UsageError names `place`."""
    rest = {key: value for key, value in document.items() if key != "store"}
    return _overlaid(Settings(store=Path(document["store"])), rest, place, "")


def _plain(value: Any) -> Any:
    match value:
        case CollectorSettings() | Limits() | CompactionSettings() | RetentionSettings():
            return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
        case timedelta():
            return duration_text(value)
        case tuple():
            return list(value)
        case Mapping():
            return dict(value)
        case Path():
            return str(value)
    return value


def _joined_names(document: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """`a.b = "x"` is a table in TOML, and `"a.b" = "x"` is none: here they are the same."""
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= _joined_names(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = str(value)
    return found


def _read(path: Path, *, wanted: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not wanted:
            return {}
        raise UsageError("settings", "there is no such file", place=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError("settings", str(error), place=str(path)) from None


def _overlaid(base: S, document: dict[str, Any], place: str, section: str) -> S:
    known = {part.name: getattr(base, part.name) for part in fields(base)}
    changes: dict[str, Any] = {}
    for key, value in document.items():
        if key not in known:
            raise UsageError(
                "settings",
                f"there is no {section}{key}",
                place=place,
                next_step=f"known here: {', '.join(sorted(known))}",
            )
        changes[key] = _converted(known[key], value, place, f"{section}{key}")
    return replace(base, **changes)


def _converted(default: Any, value: Any, place: str, name: str) -> Any:
    """`value` as the type of the setting's default."""
    match default, value:
        case (CollectorSettings(), dict()):
            return _overlaid(default, value, place, f"{name}.")
        case (Limits(), dict()):
            return _overlaid(default, value, place, f"{name}.")
        case (CompactionSettings(), dict()):
            return _overlaid(default, value, place, f"{name}.")
        case (RetentionSettings(), dict()):
            return _overlaid(_preset(value, place), value, place, f"{name}.")
        case (timedelta(), str()):
            return _duration(value, place, name)
        case (int(), "off") if name.endswith(("grpc_port", "statsd_port")):
            return OFF
        case (tuple(), list()) if all(isinstance(item, str) for item in value):
            return tuple(value)
        case (Mapping(), dict()):
            return _joined_names(value)
        case (int() | str(), _) if type(value) is type(default):
            return _sensible(value, place, name)
    wanted = (
        "a duration such as '10s'" if isinstance(default, timedelta) else type(default).__name__
    )
    raise UsageError("settings", f"{name} is {value!r}, wanted {wanted}", place=place)


def _duration(text: str, place: str, name: str) -> timedelta:
    try:
        return parse_duration(text)
    except UsageError as error:
        where = f"{place}: {name}"
        raise UsageError("settings", error.fault, place=where, next_step=error.next_step) from None


def _sensible(value: int | str, place: str, name: str) -> int | str:
    """A value of the right type that also means something."""
    key, wanted = name.rpartition(".")[2], ""
    if key == "week_start" and value not in WEEKDAYS:
        wanted = f"one of {', '.join(WEEKDAYS)}"
    elif key.endswith("port") and not 0 <= int(value) <= PORT_MAX:
        is_off = value == OFF and key != "port"
        wanted = "" if is_off else "0 to 65535"
    elif isinstance(value, int) and value < 0:
        wanted = "0 or more"
    if wanted:
        raise UsageError("settings", f"{name} is {value!r}, wanted {wanted}", place=place)
    return value


def _preset(document: Mapping[str, Any], place: str) -> RetentionSettings:
    """The ages that a document begins with."""
    named = document.get("preset", "default")
    if named not in RETENTION_PRESETS:
        known = ", ".join(RETENTION_PRESETS)
        fault = f"retention.preset is {named!r}"
        raise UsageError("settings", fault, place=place, next_step=f"take one of: {known}")
    return RETENTION_PRESETS[named]
