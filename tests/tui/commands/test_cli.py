"""The command line as a whole: help, exit codes, and errors of one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from store.errors import NoRoomError
from tui import cli
from tui.commands import tail
from tui.commands.registry import COMMANDS

ROOT = Path(__file__).parents[3]


def test_every_command_has_help_with_an_example(eventdeck):
    overview = eventdeck("--help", on=None)
    assert overview.code == 0
    for command in COMMANDS:
        assert f"  {command.name} " in overview.out
        done = eventdeck(command.name, "--help", on=None)
        assert done.code == 0
        assert f"  {command.example.splitlines()[0]}" in done.out
        assert {"--store DIR", "--config FILE", "--quiet"} <= {
            words for words in ("--store DIR", "--config FILE", "--quiet") if words in done.out
        }


def test_the_commands_are_all_in_the_tuple():
    folder = Path(cli.__file__).parent / "commands"
    listed = {command.run.__module__.rpartition(".")[2] for command in COMMANDS}
    holding = {path.stem for path in folder.glob("*.py") if "\nCOMMAND = " in path.read_text()}
    assert listed == holding


@pytest.mark.parametrize("words", [["--version"], ["tail", "--version"], ["--quiet", "--version"]])
def test_the_version_is_told(eventdeck, words):
    assert eventdeck(*words, on=None) == (0, "eventdeck 0.1.0\n", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["improt", "x"], "eventdeck: there is no command 'improt'; did you mean import?"),
        (["import"], "eventdeck import: the following arguments are required: PATH; see eventdeck import --help"),
        (["tail", "--wher", "a"], "eventdeck tail: there is no option --wher; did you mean --where?"),
        (["tail", "more"], "eventdeck tail: what is 'more'?; see eventdeck tail --help"),
        (["tail", "--where"], "eventdeck tail: --where: expected one argument; see eventdeck tail --help"),
        (["tail", "--where", "a="], 'eventdeck: filter: character 3: a value is missing; write one; "" finds what is empty'),
        (["tail", "--tz", "Mars"], "eventdeck: --tz: 'Mars' is no time zone; write a name such as Europe/Berlin"),
        (["tail", "--last", "soon"], "eventdeck: duration: 'soon' is not a duration; write 250ms, 10s, 15m, 1h, 7d, 2w"),
        (["collect", "--port", "70000"], "eventdeck: port: '70000' is no port; write 0 to 65535, or off"),
        (["tail", "--config", "/no/such.toml"], "eventdeck: settings: /no/such.toml: there is no such file"),
        ([], "eventdeck: dashboard: this is no terminal; ask with eventdeck query … --json"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_sentence_and_a_2(eventdeck, words, sentence):
    assert eventdeck(*words) == (2, "", sentence + "\n")


def test_options_of_every_command_stand_before_or_after_it(eventdeck, store, stored):
    stored(message=["here"])
    assert eventdeck("tail", "--last", "10000d", "--once").out.count("here") == 1
    before = eventdeck("--store", store, "--quiet", "tail", "--last", "10000d", "--once", on=None)
    assert before.out.count("here") == 1


def test_the_store_comes_from_the_environment_or_the_settings_file(
    eventdeck, store, stored, monkeypatch, tmp_path
):
    stored(message=["here"])
    words = ("tail", "--last", "10000d", "--once")
    config = tmp_path / "c.toml"
    config.write_text(f"store = '{store}'\n")
    assert "here" in eventdeck(*words, "--config", config, on=None).out
    monkeypatch.setenv("EVENTDECK_STORE", str(tmp_path / "other"))
    assert "here" not in eventdeck(*words, "--config", config, on=None).out
    assert "here" in eventdeck(*words, "--config", config).out


def test_a_folder_that_is_no_store_is_a_3(eventdeck, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    done = eventdeck("tail", on=tmp_path)
    assert done.code == 3
    assert str(tmp_path) in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (NoRoomError("store", "the disk is full", place="/x"), 3, "eventdeck: store: /x: the disk is full"),
        (PermissionError(13, "Permission denied", "/x/y"), 3, "eventdeck: /x/y: Permission denied"),
        (KeyboardInterrupt(), 130, "eventdeck: interrupted"),
    ],
)  # fmt: skip
def test_whatever_fails_is_one_sentence(eventdeck, monkeypatch, error, code, sentence):
    def fail(*_):
        raise error

    monkeypatch.setattr(tail, "zone_asked", fail)
    assert eventdeck("tail") == (code, "", sentence + "\n")


def test_a_fault_of_its_own_is_one_sentence_and_the_rest_in_a_file(
    eventdeck, monkeypatch, tmp_path
):
    def fail(*_):
        raise ZeroDivisionError("two\nlines \x1b[31m")

    monkeypatch.setattr(tail, "zone_asked", fail)
    done = eventdeck("tail")
    path = tmp_path / "state/eventdeck/failure.txt"
    sentence = f"eventdeck: internal error: ZeroDivisionError: two; please report it with {path}\n"
    assert done == (3, "", sentence)
    assert "in fail" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_thread_that_fails_is_one_sentence_but_a_closed_terminal_is_none(capsys, tmp_path):
    for error in (ValueError("a\nb"), OSError(5, "Input/output error"), SystemExit()):
        cli._thread_failed(SimpleNamespace(exc_value=error))
    said = capsys.readouterr().err
    assert said.startswith("eventdeck: internal error: ValueError: a; please report it with ")
    assert said.count("\n") == 1


def test_a_reader_that_goes_ends_it_quietly(store, stored):
    stored(message=["x" * 500] * 5_000)
    done = subprocess.run(
        f"{sys.executable} -m tui.cli tail --last 10000d --once | head -1",
        shell=True,
        cwd=ROOT,
        env={**os.environ, "EVENTDECK_STORE": str(store)},
        capture_output=True,
        check=False,
    )
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_the_version_imports_nothing_heavy():
    code = (
        "import sys; from tui.cli import main; main(['--version']);"
        "print([m for m in ('polars', 'textual', 'pyarrow', 'argparse', 'json') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1] == "[]"


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from tui.cli import main; main(['collect', '--help']);"
        "print([m for m in ('polars', 'textual', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_another_program_reads_is_utf_8(store, stored):
    stored(plan=["é日"])
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "query", "top", "--by", "plan", "--json"],
        cwd=ROOT,
        env={**os.environ, "EVENTDECK_STORE": str(store), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["result"]["rows"][0]["key"] == {"plan": "é日"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_where_there_is_no_room_is_said():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tui.cli", "--help"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == "eventdeck: standard output: No space left on device\n"
