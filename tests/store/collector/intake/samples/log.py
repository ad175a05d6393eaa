"""What programs print, as `eventdeck run` sends it and as plain text."""

from tests.store.collector.intake.samples.sample import Sample

SAMPLES = (
    Sample(
        name="numbered lines",
        intake="log",
        path="/v1/lines",
        body=b'3\t{"_e":1,"event":"a"}\n7\tlevel=info msg=b\n',
        content_type="application/x-numbered-lines",
        parameters={"run": "019a", "stream": "stderr", "logs": "1"},
        events=2,
        whole=False,
    ),
    Sample(
        name="a text with events in it",
        intake="log",
        path="/v1/lines",
        body=b'hello\n{"_e": 1, "event": "a"}\r\nlevel=info msg=b\n',
        content_type="text/plain",
        events=1,
        whole=False,
    ),
)
