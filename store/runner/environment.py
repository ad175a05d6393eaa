"""The variables by which programs and the SDKs in them find the collector. Pure.

What the user set is never changed. Where a group says where telemetry goes, and the user set any
of it, the whole group stays as it is: half of a vendor's settings would send to two places.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

URL: Final = "EVENTDECK_URL"
TOKEN: Final = "EVENTDECK_TOKEN"  # noqa: S105  a name
_HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"


@dataclass(frozen=True, slots=True)
class Collecting:
    """A collector as programs see it."""

    url: str
    """`http://127.0.0.1:4318`"""
    intakes: Collection[str] = ()
    """The names of the protocols that it takes."""
    statsd: str = ""
    """`127.0.0.1:8125`; empty when it takes none."""
    token: str = ""

    @property
    def authority(self) -> str:
        return self.url.partition("://")[2]


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that belong together; GROUPS lists them all."""

    variables: Mapping[str, str]
    """Name -> value, with `{url}`, `{authority}`, `{statsd}`, `{host}`, `{port}` (of statsd)."""
    intake: str = "otlp"
    """Of use only when the collector takes this."""
    theirs: tuple[str, ...] = ()
    """The user has settled it when a variable that starts like one of these is set."""


# https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and .../sdk-environment-variables/
_OTLP: Final = Group(
    {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "{url}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    },
    theirs=(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_SDK_DISABLED",
    ),
)
GROUPS: Final[tuple[Group, ...]] = (
    _OTLP,
    Group({"OTEL_TRACES_EXPORTER": "otlp"}, theirs=_OTLP.theirs),
    Group({"OTEL_METRICS_EXPORTER": "otlp"}, theirs=_OTLP.theirs),
    Group({"OTEL_LOGS_EXPORTER": "otlp"}, theirs=_OTLP.theirs),
    # Ten seconds in place of a minute: somebody is looking on.
    Group({"OTEL_METRIC_EXPORT_INTERVAL": "10000"}, theirs=_OTLP.theirs),
    # Coding agents. https://code.claude.com/docs/en/monitoring-usage
    Group({"CLAUDE_CODE_ENABLE_TELEMETRY": "1"}, theirs=_OTLP.theirs),
    # https://geminicli.com/docs/cli/telemetry
    Group(
        {
            "GEMINI_TELEMETRY_ENABLED": "true",
            "GEMINI_TELEMETRY_TARGET": "local",
            "GEMINI_TELEMETRY_OTLP_ENDPOINT": "{url}",
            "GEMINI_TELEMETRY_OTLP_PROTOCOL": "http",
        },
        theirs=("GEMINI_TELEMETRY_", *_OTLP.theirs),
    ),
    # https://docs.github.com/copilot/reference/enterprise-administrators/opentelemetry-reference
    Group({"COPILOT_OTEL_ENABLED": "true"}, theirs=("COPILOT_OTEL_", *_OTLP.theirs)),
    Group({"SENTRY_DSN": "http://eventdeck@{authority}/1"}, "sentry", ("SENTRY_",)),
    Group({"POSTHOG_HOST": "{url}", "POSTHOG_API_KEY": "eventdeck"}, "posthog", ("POSTHOG_",)),
    Group(
        {"HONEYCOMB_API_ENDPOINT": "{url}", "HONEYCOMB_API_KEY": "eventdeck"},
        theirs=("HONEYCOMB_",),
    ),
    # https://docs.datadoghq.com/extend/dogstatsd/
    Group({"DD_DOGSTATSD_URL": "udp://{statsd}"}, "statsd", ("DD_",)),
    # https://statsd.readthedocs.io/en/latest/configure.html#from-the-environment
    Group({"STATSD_HOST": "{host}", "STATSD_PORT": "{port}"}, "statsd", ("STATSD_",)),
    # https://github.com/knative/specs/blob/main/specs/eventing/overview.md#sink-binding
    Group({"K_SINK": "{url}/v1/events"}, "cloudevents", ("K_SINK",)),
)


def environment(collecting: Collecting, given: Mapping[str, str]) -> dict[str, str]:
    """`given` with what points programs at the collector."""
    host, _, port = collecting.statsd.rpartition(":")
    places = {
        "url": collecting.url,
        "authority": collecting.authority,
        "statsd": collecting.statsd,
        "host": host.strip("[]"),
        "port": port,
    }
    made = {URL: collecting.url} | ({TOKEN: collecting.token} if collecting.token else {})
    for group in GROUPS:
        if _is_of_use(group, collecting) and not any(
            name.startswith(group.theirs) for name in given
        ):
            made |= {name: value.format_map(places) for name, value in group.variables.items()}
    if collecting.token and "OTEL_EXPORTER_OTLP_ENDPOINT" in made:
        made[_HEADERS] = f"Authorization=Bearer%20{collecting.token}"
    return {**made, **given}


def _is_of_use(group: Group, collecting: Collecting) -> bool:
    if group.intake == "statsd" and not collecting.statsd:
        return False
    return group.intake in collecting.intakes
