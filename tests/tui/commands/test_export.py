"""Events out, into files that import again."""

import io
import json

import pytest

from tui.commands import export
from tui.commands.command import Parser
from tui.commands.console import Console


class OnTerminal(io.TextIOWrapper):
    """Standard output or error that people look at."""

    def __init__(self):
        super().__init__(_Shown(), encoding="utf-8", write_through=True)

    def isatty(self):
        return True

    @property
    def text(self):
        return self.buffer.getvalue().decode()


class _Shown(io.BytesIO):
    def isatty(self):
        return True


def test_a_file_is_written_and_imports_again(eventdeck, stored, tmp_path):
    stored(message=["a", "=1+1"], plan=["pro", None])
    done = eventdeck("export", tmp_path / "x.csv")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith(f"eventdeck: 2 events in {tmp_path / 'x.csv'}, ")
    taken = eventdeck("import", tmp_path / "x.csv", on=tmp_path / "other")
    assert taken.out == "2 received: 2 stored\n"
    again = eventdeck("export", "-", "--format", "csv", on=tmp_path / "other")
    assert again.out == (tmp_path / "x.csv").read_text()


def test_standard_output_gets_lines_and_nothing_else(eventdeck, stored):
    stored(message=["a", "b"])
    done = eventdeck("export", "-")
    assert [json.loads(line)["message"] for line in done.out.splitlines()] == ["a", "b"]
    assert done.err == "eventdeck: 2 events\n"
    assert eventdeck("export", "-", "--quiet").err == ""


def test_the_filter_and_the_span_choose(eventdeck, stored, tmp_path):
    stored(message=["a", "b", "c"])
    found = eventdeck("export", "-", "--where", "message=a,b", "--since", "2025-11-22T12:00:01Z")
    assert [json.loads(line)["message"] for line in found.out.splitlines()] == ["b"]
    unknown = eventdeck("export", "-", "--where", "mesage=a")
    assert (unknown.code, unknown.out) == (0, "")
    assert "no event has mesage; did you mean message?" in unknown.err


def test_what_was_written_is_said_in_json(eventdeck, stored, tmp_path):
    stored(message=["a"])
    done = eventdeck("export", tmp_path / "x.parquet", "--json")
    wanted = {"events": 1, "format": "parquet", "path": str(tmp_path / "x.parquet")}
    assert (json.loads(done.out), done.err) == (wanted, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("x.doc",), "its name does not tell the format"),
        (("-", "--json"), "--json would stand among the events"),
        (("/",), "its name does not tell"),
        (("-", "--format", "xml"), "known: ndjson, csv, parquet"),
        (("-", "--where", "a="), "a value is missing"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(eventdeck, words, says):
    done = eventdeck("export", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_file_that_is_there_is_left_alone(eventdeck, stored, tmp_path):
    stored(message=["a"])
    (tmp_path / "x.csv").write_text("mine")
    done = eventdeck("export", tmp_path / "x.csv")
    assert done.code == 2
    assert "--force" in done.err
    assert (tmp_path / "x.csv").read_text() == "mine"


def on_terminal(store, monkeypatch, *words) -> tuple[str, str]:
    """What people see of the command."""
    out, err = OnTerminal(), OnTerminal()
    monkeypatch.setattr("sys.stdout", out)
    parser = Parser("eventdeck export", "", "")
    export.configure(parser, words)
    options = parser.read([*words, "--store", str(store)])
    export.run(options, Console(out, err))
    return out.text, err.text


def test_on_a_terminal_there_is_progress_and_nothing_that_it_obeys(
    stored, store, monkeypatch, tmp_path
):
    stored(message=["\x1b[31mred\x9b0m\u202e", "=1"])
    shown, _ = on_terminal(store, monkeypatch, "-", "--format", "csv")
    assert '"�[31mred�0m�"' in shown
    assert "\x1b" not in shown
    _, said = on_terminal(store, monkeypatch, str(tmp_path / "x.csv"))
    assert "exporting [" in said
    assert "2 events in" in said
    assert "\x1b" in (tmp_path / "x.csv").read_text()


def test_a_terminal_is_not_shown_parquet(store, monkeypatch):
    with pytest.raises(Exception, match="a terminal cannot show parquet"):
        on_terminal(store, monkeypatch, "-", "--format", "parquet")
