import base64

from tests.store.collector.intake.samples.sample import Sample

BASIC = "Basic " + base64.b64encode(b"rill:secret").decode()
BODY = (
    b'{"event_id":"r1","event_time":"2026-11-22T14:00:00.123456789Z","event_type":"behavioral",'
    b'"event_name":"app-start","service_name":"rill-local","is_dev":true,"install_id":"i1"}\n'
    b'{"event_id":"r2","event_time":"2026-11-22T14:00:01Z","event_type":"metric",'
    b'"event_name":"requests","value":3.5}\n'
)
SAMPLES = (
    Sample(
        name="rill",
        intake="rill",
        path="/v1/events",
        content_type="",
        headers={"authorization": BASIC},
        body=BODY,
        events=2,
        whole=False,
    ),
)
