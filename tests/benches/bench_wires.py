"""Loki, Elastic, CloudEvents and StatsD to events, and a flood of datagrams.

`python -m tests.benches.bench_wires`. Decoding: processor time, the best of many rounds in turns;
the peer is what decodes the native protocol, given the same events. Datagrams: a second of them as
fast as they can be sent; the peer is a bare loop that receives and does nothing with them.
"""

import json
import random
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cramjam

from store.collector.intake import INTAKES, Delivery
from store.collector.intake.loki_streams import PushRequest
from store.event import EventIds
from store.settings import Limits
from tests.benches.bench_vendors import attributes, natively
from tests.collecting import collecting, settings
from tests.decoding import RECEIVED

BATCH = 1_000
BODIES = 10
ROUNDS = 20
AT = 1_763_800_000_123_456_789
LINE = b"shop.hits:1|c|@0.5|#route:/cart,env:prod,status:200"
LINES_A_DATAGRAM = 25  # 1,300 bytes: what DogStatsD's client packs into one


def loki(chance: random.Random) -> bytes:
    labels = {"service_name": "shop", "env": "prod"}
    values = [[str(AT + n), line(chance), {"pod": f"web-{n % 9}"}] for n in range(BATCH)]
    return json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()


def loki_packed(chance: random.Random) -> bytes:
    request = PushRequest()
    stream = request.streams.add(labels='{service_name="shop", env="prod"}')
    for number in range(BATCH):
        entry = stream.entries.add(line=line(chance).encode())
        entry.timestamp.seconds, entry.timestamp.nanos = divmod(AT + number, 1_000_000_000)
        entry.metadata.add(name="pod", value=f"web-{number % 9}")
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def line(chance: random.Random) -> str:
    return f"level=info msg=paid user=u{chance.randrange(9999)} took={chance.random():.3f}"


def elastic(chance: random.Random) -> bytes:
    document = {"@timestamp": "2026-11-22T13:59:58.123456Z", "message": "paid"}
    lines = []
    for number in range(BATCH):
        named = {"service": {"name": "shop"}, "log": {"level": "info"}}
        lines.append(json.dumps({"index": {"_index": "logs", "_id": str(number)}}))
        lines.append(json.dumps(document | named | attributes(chance)))
    return "\n".join(lines).encode()


def cloudevents(chance: random.Random) -> bytes:
    event = {"specversion": "1.0", "source": "/shop", "type": "order.paid"}
    time_of = {"time": "2026-11-22T13:59:58.123456Z"}
    return json.dumps(
        [{**event, **time_of, "id": str(n), "data": attributes(chance)} for n in range(BATCH)]
    ).encode()


def statsd(chance: random.Random) -> bytes:
    return b"\n".join(
        b"shop.%s:%d|%s|#route:/r%d,env:prod"
        % (kind, chance.randrange(999), kind, chance.randrange(50))
        for kind in (chance.choice([b"c", b"g", b"ms", b"d"]) for _ in range(BATCH))
    )


WIRES: dict[str, tuple[str, str, str, Callable[[random.Random], bytes]]] = {
    "loki": ("loki", "/loki/api/v1/push", "application/json", loki),
    "loki packed": ("loki", "/loki/api/v1/push", "application/x-protobuf", loki_packed),
    "elastic": ("elastic", "/_bulk", "application/x-ndjson", elastic),
    "cloudevents": ("cloudevents", "/", "application/cloudevents-batch+json", cloudevents),
    "statsd": ("statsd", "", "", statsd),
}


def decoder(name: str, path: str, content_type: str) -> Callable[[bytes], object]:
    intake = next(each for each in INTAKES if each.name == name)
    ids, headers = EventIds(time.time), {"content-type": content_type}
    return lambda body: intake.decode(Delivery(body, path, {}, headers, RECEIVED, ids, Limits()))


def seconds(step: Callable[[bytes], object], given: list[bytes]) -> float:
    begun = time.process_time()
    for body in given:
        step(body)
    return time.process_time() - begun


def decoding() -> None:
    native = decoder("native", "/v1/events", "application/json")
    for name, (intake, path, content_type, made) in WIRES.items():
        decode = decoder(intake, path, content_type)
        bodies = [made(random.Random(seed)) for seed in range(BODIES)]
        flat = [natively(decode(body).events) for body in bodies]
        ours = peer = float("inf")
        for _ in range(ROUNDS):
            ours = min(ours, seconds(decode, bodies))
            peer = min(peer, seconds(native, flat))
        count = BATCH * BODIES
        print(
            f"{name:12}{count / ours:10,.0f} events/s, native {count / peer:10,.0f}/s   "
            f"ratio {peer / ours:.2f}",
            flush=True,
        )


def sent_for_a_second(port: int) -> int:
    datagram = b"\n".join([LINE] * LINES_A_DATAGRAM)
    count, begun = 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while time.monotonic() - begun < 1:
            for _ in range(20):
                sender.sendto(datagram, ("127.0.0.1", port))
            count += 20
    return count * LINES_A_DATAGRAM


def flood() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        collecting(settings(Path(folder) / "store", statsd_port=0)) as collector,
    ):
        lines = sent_for_a_second(collector.statsd_port)
        begun, before = time.monotonic(), None
        while (tally := collector.get("/v1/tally")) != before:
            before = tally
            time.sleep(1.5)
        stats = collector.get("/v1/stats")
    print(
        f"flood: {lines:,} lines in a second; {tally['stored']:,} stored, {tally['reasons']}; "
        f"settled in {time.monotonic() - begun - 1.5:.1f} s, {stats['rss_bytes'] >> 20} MiB resident"
    )
    print(f"bare loop: {bare():,} lines received of as many as could be sent")


def bare() -> int:
    received = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.5)
        port = listener.getsockname()[1]
        sending = threading.Thread(target=sent_for_a_second, args=(port,))
        sending.start()
        try:
            while True:
                received += listener.recv(65_536).count(b"\n") + 1
        except TimeoutError:
            sending.join()
    return received


def main() -> None:
    decoding()
    flood()


if __name__ == "__main__":
    main()
