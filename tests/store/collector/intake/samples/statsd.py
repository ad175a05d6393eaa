from tests.store.collector.intake.samples.sample import Sample

BODY = (
    b"shop.hits:3|c|@0.1|#env:prod,route:/cart\nqueue:5|g\nqueue:-2|g\nload:1:2.5|ms|#a:b|c:ci-1\n"
    b"users:ada|s|T1763800000\n_e{5,3}:Title|hey|t:error|#k:v\n_sc|db|2|h:web|m:down\r\n"
)
SAMPLES = (
    Sample(
        name="statsd",
        intake="statsd",
        path="",
        body=BODY,
        content_type="",
        events=8,
        status=204,
        whole=False,
    ),
)
