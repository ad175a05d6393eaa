import json

import cramjam

from store.collector.intake.loki_streams import PushRequest
from tests.store.collector.intake.samples.sample import Sample

AT = 1_763_800_000_123_456_789
DOCUMENT = {
    "streams": [
        {
            "stream": {"service_name": "shop", "level": "warn", "env": "prod"},
            "values": [
                [str(AT), "user=ada msg=slow"],
                [str(AT + 1000), '{"a": 1}', {"trace_id": "ab" * 16, "pod": "web-1"}],
            ],
        },
        {"stream": {"job": "cron"}, "values": [[str(AT), "done"]]},
    ]
}


def push_request():
    request = PushRequest()
    stream = request.streams.add(labels='{service_name="shop", level="warn", quoted="a\\"b\\n,c"}')
    for number in range(2):
        entry = stream.entries.add(line=b"user=ada msg=slow \xff")
        entry.timestamp.seconds, entry.timestamp.nanos = divmod(AT + number, 1_000_000_000)
        entry.metadata.add(name="pod", value="web-1")
    return request


PACKED = bytes(cramjam.snappy.compress_raw(push_request().SerializeToString()))
SAMPLES = (
    Sample(
        name="loki json",
        intake="loki",
        path="/loki/api/v1/push",
        body=json.dumps(DOCUMENT).encode(),
        events=3,
        status=204,
    ),
    Sample(
        name="loki protobuf",
        intake="loki",
        path="/loki/api/v1/push",
        content_type="application/x-protobuf",
        body=PACKED,
        events=2,
        status=204,
    ),
)
