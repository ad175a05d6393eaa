"""Vendors' own clients while the collector is killed, and back on the same port: nothing that a
client still had is lost, and nothing that has an id is there twice.
"""

import contextlib
import signal
import threading
import time
import uuid
from collections import Counter

import pytest
import sentry_sdk
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

from tests.collecting import Collecting, collecting, settings
from tests.reading import stored
from tests.vendor_clients import closed, datadog_to, honey_to, posthog_to, segment_to, sentry_to

COUNT = 200
BATCH = 10


class Mortal:
    """A collector that is killed in the middle of what `send` sends, and started again."""

    def __init__(self, tmp_path):
        self.store = tmp_path / "store"
        self.collector = Collecting(settings(self.store))
        self.again = None

    def kill_during(self, send):
        """`send(n)` for each of COUNT numbers; the kill comes when a fifth of them was taken."""
        sending = threading.Thread(target=lambda: [send(number) for number in range(COUNT)])
        sending.start()
        while self.collector.get("/v1/tally")["stored"] < COUNT // 5:
            time.sleep(0.01)
        self.collector.stop(signal.SIGKILL)
        self.again = Collecting(settings(self.store, port=self.collector.port))
        sending.join()

    def numbers(self):
        return Counter(stored(self.store, "n")["n"].to_list())

    def close(self):
        for each in (self.collector, self.again):
            if each is not None and each.process.poll() is None:
                each.stop(signal.SIGKILL)


@pytest.fixture
def mortal(tmp_path):
    with contextlib.closing(Mortal(tmp_path)) as collector:
        yield collector


def slowly(send):
    """So that the kill comes in between."""

    def one(number):
        send(number)
        time.sleep(0.001)

    return one


def exactly_once(numbers):
    return numbers == dict.fromkeys(range(COUNT), 1)


def test_segments_client_loses_nothing_and_nothing_is_there_twice(mortal):
    client = segment_to(mortal.collector, upload_size=BATCH)
    mortal.kill_during(slowly(lambda n: client.track("ada", "x", {"n": n})))
    client.shutdown()
    assert exactly_once(mortal.numbers())


@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_posthogs_client_loses_nothing_and_nothing_is_there_twice(mortal, mode):
    client = posthog_to(mortal.collector, flush_at=BATCH, capture_mode=mode)

    def capture(number):
        client.capture("x", distinct_id="ada", properties={"n": number})

    mortal.kill_during(slowly(capture))
    client.shutdown()
    assert exactly_once(mortal.numbers())


def test_datadogs_client_loses_nothing(mortal):
    """Datadog's logs have no ids: one whose answer was lost is there twice."""
    with datadog_to(mortal.collector) as client:
        logs = LogsApi(client)

        def submit(number):
            if number % BATCH == 0:
                batch = range(number, number + BATCH)
                logs.submit_log(HTTPLog([HTTPLogItem(message="x", n=n) for n in batch]))

        mortal.kill_during(submit)
    numbers = mortal.numbers()
    assert set(numbers) == set(range(COUNT))
    assert numbers.total() <= COUNT + BATCH


def test_what_libhoney_was_told_is_taken_is_there(mortal):
    """libhoney tries once more at once and then gives up, and says so: its caller still has it."""
    client = honey_to(mortal.collector, max_batch_size=BATCH)

    def send(number):
        event = client.new_event({"n": number})
        event.add_metadata(number)
        event.send()

    mortal.kill_during(slowly(send))
    answers = closed(client)
    taken = {answer["metadata"] for answer in answers if answer["status_code"] == 202}
    assert len(taken) > 0
    assert taken <= set(mortal.numbers())
    client = honey_to(mortal.again)
    for number in set(range(COUNT)) - taken:
        client.new_event({"n": number}).send()
    assert {answer["status_code"] for answer in closed(client)} <= {202}
    assert set(mortal.numbers()) == set(range(COUNT))


def test_sentrys_sdk_sends_on_when_the_collector_is_back(mortal):
    """The SDK tries again at once, and gives up what it could not send then."""

    def send(number):
        sentry_sdk.capture_message("x", tags={"n": number})
        if number in {COUNT // 2, COUNT - 1}:
            sentry_sdk.get_client().flush(timeout=5)

    with sentry_to(mortal.collector):
        mortal.kill_during(slowly(send))
        sentry_sdk.capture_message("x", tags={"n": COUNT})
        sentry_sdk.get_client().flush(timeout=5)
    numbers = mortal.numbers()
    assert COUNT in numbers
    assert len(numbers) > COUNT // 5
    assert set(numbers.values()) == {1}


BODIES = {
    "/v1/batch": '{"batch":[{"type":"track","event":"x","messageId":"%s","userId":"a"}]}',
    "/batch/": '{"batch":[{"event":"x","uuid":"%s","distinct_id":"a"}]}',
    "/i/v1/analytics/events": '{"batch":[{"event":"x","uuid":"%s","distinct_id":"a"}]}',
    "/api/1/envelope/": '{"event_id":"%s"}\n{"type":"event"}\n{"message":"x"}\n',
}


def test_what_is_sent_again_is_a_duplicate_also_after_a_restart(tmp_path):
    bodies = {path: (body % uuid.uuid4().hex).encode() for path, body in BODIES.items()}
    config = settings(tmp_path / "store")
    with collecting(config) as first:
        answers = [first.ask("POST", *sent) for sent in bodies.items()]
        assert [first.ask("POST", *sent).body for sent in bodies.items()] == bodies_of(answers)
        first.stop()
    with collecting(config) as second:
        assert [second.ask("POST", *sent).body for sent in bodies.items()] == bodies_of(answers)
        tally = second.get("/v1/tally")
    assert {answer.status for answer in answers} == {200}
    assert (tally["received"], tally["stored"], tally["duplicate"]) == (12, 4, 8)


def bodies_of(answers):
    return [answer.body for answer in answers]
