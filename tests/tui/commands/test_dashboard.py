"""How the dashboard is opened: what it is told, and what is said when it cannot be."""

import threading
from types import SimpleNamespace

import pytest
from textual.app import App

from store.errors import StoreError
from tui.commands import dashboard
from tui.commands.dashboard import Beside, run_app


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """The apps that would have run, on a terminal that is none."""
    seen = []

    def run(app, beside):
        seen.append(app)
        return 0

    monkeypatch.setattr(dashboard, "check_terminal", lambda: None)
    monkeypatch.setattr("tui.commands.open_view.check_terminal", lambda: None)
    monkeypatch.setattr(dashboard, "run_app", run)
    return seen


def test_eventdeck_alone_is_the_dashboard(eventdeck, opened):
    assert eventdeck() == (0, "", "")
    assert eventdeck("--theme", "light", "--ascii", "--tz", "Europe/Berlin").code == 0
    assert [app.ascii_glyphs for app in opened][1]
    assert str(opened[1].zone) == "Europe/Berlin"


def test_a_view_opens_as_it_was_copied(eventdeck, opened):
    text = "explore?last=1h&where=severity>=warning&by=plan"
    assert eventdeck("open", text).code == 0
    (app,) = opened
    assert app.view.text() == text


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ("exploer?last=1h", "did you mean explore?"),
        ("explore?where=a=", "a value is missing"),
        ("explore?lst=1h", "there is no 'lst'"),
        ("explore?last=soon", "duration"),
    ],
)
def test_a_view_that_makes_no_sense_is_a_2(eventdeck, opened, view, says):
    done = eventdeck("open", view)
    assert done.code == 2
    assert says in done.err
    assert opened == []


def test_a_folder_that_is_no_store_is_said_before_anything_is_drawn(eventdeck, opened, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    done = eventdeck(on=tmp_path)
    assert (done.code, opened) == (3, [])
    assert str(tmp_path) in done.err


class Failing(App[None]):
    def on_mount(self):
        secret = "hunter2"  # noqa: F841 - Textual's own traceback would show it
        raise ZeroDivisionError


def test_what_goes_wrong_inside_is_raised_and_not_printed(capsys):
    app = Failing()
    app.run = lambda: App.run(app, headless=True)
    with pytest.raises(ZeroDivisionError):
        run_app(app, None)
    assert "hunter2" not in "".join(capsys.readouterr())


class Told:
    """A dashboard that notes what it is told."""

    collector = None

    def __init__(self):
        self.sentences = []

    def call_from_thread(self, call, *what):
        call(*what)

    def failed(self, sentence):
        self.sentences.append(sentence)


class Attached:
    url = "http://127.0.0.1:5"
    closed = False

    def close(self):
        self.closed = True


def beside(monkeypatch, attach):
    monkeypatch.setattr("store.collector.attach.attach", attach)
    found = Beside(settings=None)
    found.app = Told()
    return found


def test_the_dashboard_learns_the_address_and_lets_go_in_the_end(monkeypatch):
    attached = Attached()
    found = beside(monkeypatch, lambda _: attached)
    found._attach()
    assert found.app.collector == "http://127.0.0.1:5"
    found.close()
    assert attached.closed


def test_what_is_stored_is_shown_before_a_collector_is_started(monkeypatch):
    found = beside(monkeypatch, lambda _: Attached())
    found.app.runner = SimpleNamespace(answered=threading.Event())
    attaching = threading.Thread(target=found._attach_in_turn)
    attaching.start()
    attaching.join(0.2)
    assert found.app.collector is None
    found.app.runner.answered.set()
    attaching.join(5)
    assert found.app.collector == Attached.url


def test_a_collector_that_comes_too_late_is_let_go(monkeypatch):
    attached = Attached()
    found = beside(monkeypatch, lambda _: attached)
    found.close()
    found._attach()
    assert attached.closed
    assert found.app.collector is None


def test_a_collector_that_does_not_come_up_is_a_sentence_on_screen(monkeypatch):
    def attach(_):
        raise StoreError("collector", "no")

    found = beside(monkeypatch, attach)
    found._attach()
    assert found.app.sentences == ["collector: no"]
