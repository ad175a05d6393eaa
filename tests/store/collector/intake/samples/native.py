"""Deliveries of the native protocol."""

from tests.store.collector.intake.samples.sample import Sample

SAMPLES = (
    Sample(
        name="native",
        intake="native",
        path="/v1/events",
        body=b'[{"event_name":"a"},{"event_name":"b"}]',
        events=2,
        whole=False,
    ),
)
