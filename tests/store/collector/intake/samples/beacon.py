from tests.store.collector.intake.samples.sample import Sample

SAMPLES = (
    Sample(
        name="beacon",
        intake="beacon",
        path="/v1/events",
        content_type="text/plain;charset=UTF-8",
        body=b'{"event_name":"page_left","session_id":"s1","seconds":12.5,"path":"/cart"}',
        events=1,
        status=204,
    ),
)
