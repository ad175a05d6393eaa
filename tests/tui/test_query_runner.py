import threading
import time

import pytest

from store.errors import UsageError
from tui.messages import QueryFailed, ResultReady, StoreFailed, StoreOpened
from tui.query_runner import QueryRunner


class Inbox:
    """Stands for a widget: keeps what is posted to it."""

    def __init__(self):
        self.messages = []

    def post_message(self, message):
        self.messages.append(message)

    def wait(self, count=1):
        deadline = time.monotonic() + 60
        while len(self.messages) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.messages


class Nothing:
    def generation(self):
        return "g"


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def runner(inbox):
    made = QueryRunner(Nothing, Inbox().post_message)
    made.start()
    yield made
    made.close()


def test_the_store_is_opened_in_the_thread(inbox):
    opened_in = []

    def open_store():
        opened_in.append(threading.current_thread())
        return Nothing()

    runner = QueryRunner(open_store, inbox.post_message)
    runner.start()
    (opened,) = inbox.wait()
    runner.close()
    assert isinstance(opened, StoreOpened)
    assert opened_in[0] is not threading.main_thread()


def test_a_store_that_cannot_be_opened_is_told_in_a_sentence(inbox):
    def open_store():
        raise UsageError("store", "it is no store", next_step="name another")

    QueryRunner(open_store, inbox.post_message).start()
    (failed,) = inbox.wait()
    assert isinstance(failed, StoreFailed)
    assert failed.sentence == "store: it is no store; name another"


def test_an_answer_comes_with_its_ticket(runner, inbox):
    ticket = runner.ask("a", lambda _store, _cancelled: 42, inbox)
    (answer,) = inbox.wait()
    assert isinstance(answer, ResultReady)
    assert (answer.asker, answer.ticket, answer.result) == ("a", ticket, 42)
    assert not runner.busy("a")


def test_a_slow_old_answer_never_follows_a_newer_question(runner, inbox):
    begun, go = threading.Event(), threading.Event()

    def slow(_store, _cancelled):
        begun.set()
        go.wait(60)
        return "old"

    runner.ask("a", slow, inbox)
    begun.wait(60)
    newest = runner.ask("a", lambda _store, _cancelled: "new", inbox)
    go.set()
    inbox.wait()
    time.sleep(0.05)
    assert [(m.ticket, m.result) for m in inbox.messages] == [(newest, "new")]


def test_the_running_question_is_told_that_nobody_waits(runner, inbox):
    begun, told = threading.Event(), threading.Event()

    def patient(_store, cancelled):
        begun.set()
        while not cancelled():
            time.sleep(0.002)
        told.set()

    runner.ask("a", patient, inbox)
    begun.wait(60)
    runner.cancel("a")
    assert told.wait(60)
    time.sleep(0.05)
    assert inbox.messages == []


def test_questions_of_others_are_not_replaced(runner, inbox):
    runner.ask("a", lambda _store, _cancelled: 1, inbox)
    runner.ask("b", lambda _store, _cancelled: 2, inbox)
    assert {message.result for message in inbox.wait(2)} == {1, 2}


def test_a_failure_is_a_sentence_with_the_full_text_apart(runner, inbox):
    runner.ask("a", lambda _store, _cancelled: 1 / 0, inbox)
    (failed,) = inbox.wait()
    assert isinstance(failed, QueryFailed)
    assert failed.sentence == "ZeroDivisionError: division by zero"
    assert "Traceback" in failed.detail


def test_the_thread_lives_on_after_a_failure(runner, inbox):
    runner.ask("a", lambda _store, _cancelled: 1 / 0, inbox)
    inbox.wait()
    runner.ask("a", lambda _store, _cancelled: "fine", inbox)
    assert inbox.wait(2)[1].result == "fine"
