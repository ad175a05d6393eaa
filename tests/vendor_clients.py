"""Vendors' own clients, unmodified, with the address of a collector."""

import contextlib

import libhoney
import posthog
import sentry_sdk
import urllib3
from datadog_api_client import ApiClient, Configuration
from segment.analytics import Client as Segment

SECRET = "s3cr3t-0123456789abcdef0123456789"


def url(collector):
    return f"http://127.0.0.1:{collector.port}"


def honey_to(collector, **options):
    return libhoney.client.Client(SECRET, "shop", 1, url(collector), send_frequency=0.02, **options)


def closed(client):
    """What libhoney was told of each event."""
    counters = client.xmit.sd  # for a StatsD that is not there
    client.close()
    counters.close()
    return list(iter(client.responses().get, None))


def datadog_to(collector):
    retries = urllib3.Retry(total=40, backoff_factor=0.1, backoff_max=0.5, allowed_methods=None)
    configuration = Configuration(
        host=url(collector), api_key={"apiKeyAuth": SECRET}, retry_policy=retries
    )
    return ApiClient(configuration)


def segment_to(collector, **options):
    return Segment(SECRET, url(collector), upload_interval=0.02, sync_mode=False, **options)


def posthog_to(collector, **options):
    return posthog.Posthog(
        SECRET, url(collector), flush_interval=0.02, disable_geoip=False, **options
    )


@contextlib.contextmanager
def sentry_to(collector, **options):
    """Sentry's SDK knows one client at a time; its integrations stay out of other tests."""
    sentry_sdk.init(
        f"http://{SECRET}@127.0.0.1:{collector.port}/1",
        default_integrations=False,
        auto_enabling_integrations=False,
        release="shop@1.2",
        environment="prod",
        server_name="web-1",
        **options,
    )
    try:
        yield
    finally:
        sentry_sdk.get_client().close(timeout=5)
        sentry_sdk.init()
