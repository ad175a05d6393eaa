import os
import socket
import threading

import pytest

from store.collector.passage import KEPT_BYTES, Passage, shared_memory

LONG = os.urandom(1000) * 2000


@pytest.fixture(params=["memory", "socket alone"])
def ends(request):
    """Both ends, as two processes have them."""
    memory = shared_memory() if request.param == "memory" else None
    one, other = socket.socketpair()
    words = [str(other.detach()), *([] if memory is None else [str(os.dup(memory))])]
    here, there = Passage(one.detach(), memory), Passage.named(words)
    yield here, there
    here.close()
    there.close()


def exchanged(sender, receiver, message):
    sending = threading.Thread(target=sender.send, args=[message])
    sending.start()
    received = receiver.receive()
    sending.join()
    return received


def test_questions_and_answers_of_any_length_arrive_whole(ends):
    here, there = ends
    for message in (LONG, b"", b"short", LONG[:-1], b"\0" * 10):
        assert exchanged(here, there, message) == message
        assert exchanged(there, here, message[::-1]) == message[::-1]


def test_it_is_known_whether_something_waits(ends):
    here, there = ends
    assert not here.waits()
    there.send(b"ready")
    assert here.waits(60)
    assert here.receive() == b"ready"
    assert not here.waits()


def test_when_the_other_end_is_gone_nobody_waits_for_it(ends):
    here, there = ends
    there.close()
    assert here.waits()
    with pytest.raises(EOFError):
        here.receive()
    with pytest.raises(OSError, match="Broken pipe"):
        here.send(b"anybody?")


def test_memory_that_took_much_is_given_back():
    memory = shared_memory()
    if memory is None:
        pytest.skip("the system has no memory without a name")
    one, other = socket.socketpair()
    here, there = Passage(one.detach(), memory), Passage(other.detach(), os.dup(memory))
    message = b"x" * (KEPT_BYTES + 1)
    assert exchanged(here, there, message) == message
    assert os.fstat(memory).st_size == 0
    assert exchanged(there, here, b"y") == b"y"
    here.close()
    there.close()
