"""What a command is told by its environment."""

import pytest

from store.runner.environment import GROUPS, Collecting, environment

ALL = Collecting(
    "http://127.0.0.1:5555",
    frozenset(group.intake for group in GROUPS) | {"statsd"},
    "127.0.0.1:8125",
)


def test_programs_are_pointed_at_the_collector():
    told = environment(ALL, {})
    assert told["EVENTDECK_URL"] == told["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:5555"
    assert told["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
    assert told["SENTRY_DSN"] == "http://eventdeck@127.0.0.1:5555/1"
    assert told["POSTHOG_HOST"] == "http://127.0.0.1:5555"
    assert told["DD_DOGSTATSD_URL"] == "udp://127.0.0.1:8125"
    assert (told["STATSD_HOST"], told["STATSD_PORT"]) == ("127.0.0.1", "8125")
    assert told["CLAUDE_CODE_ENABLE_TELEMETRY"] == "1"
    assert "EVENTDECK_TOKEN" not in told


def test_nothing_that_the_user_set_is_changed():
    given = {name: "mine" for group in GROUPS for name in group.variables}
    given |= {"EVENTDECK_URL": "mine", "PATH": "/bin", "OTEL_EXPORTER_OTLP_HEADERS": "mine"}
    assert environment(Collecting(ALL.url, ALL.intakes, ALL.statsd, "t0ken"), given) == given | {
        "EVENTDECK_TOKEN": "t0ken"
    }


@pytest.mark.parametrize(
    ("set_by_user", "left_alone"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "CLAUDE_CODE_ENABLE_TELEMETRY"),
        ("SENTRY_ENVIRONMENT", "SENTRY_DSN"),
        ("DD_AGENT_HOST", "DD_DOGSTATSD_URL"),
        ("HONEYCOMB_API_KEY", "HONEYCOMB_API_ENDPOINT"),
        ("POSTHOG_API_KEY", "POSTHOG_HOST"),
    ],
)
def test_where_the_user_has_settled_it_the_whole_group_is_left_alone(set_by_user, left_alone):
    assert left_alone in environment(ALL, {})
    assert left_alone not in environment(ALL, {set_by_user: "x"})


def test_a_name_of_the_service_settles_nothing():
    given = {"OTEL_SERVICE_NAME": "shop", "OTEL_TRACES_EXPORTER": "none"}
    told = environment(ALL, given)
    assert told["OTEL_EXPORTER_OTLP_ENDPOINT"] == ALL.url
    assert told["OTEL_TRACES_EXPORTER"] == "none"


def test_what_the_collector_does_not_take_is_not_promised():
    told = environment(Collecting(ALL.url, ("otlp", "statsd")), {})
    assert not {"SENTRY_DSN", "POSTHOG_HOST", "DD_DOGSTATSD_URL", "STATSD_HOST"} & told.keys()


def test_a_token_goes_along():
    told = environment(Collecting(ALL.url, ALL.intakes, token="t0ken"), {})
    assert told["EVENTDECK_TOKEN"] == "t0ken"
    assert told["OTEL_EXPORTER_OTLP_HEADERS"] == "Authorization=Bearer%20t0ken"
