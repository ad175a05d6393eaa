import json
import subprocess
import sys

import pytest

from store.maintenance.job import Done
from store.maintenance.maintainer import BusyError, Maintainer
from store.maintenance.notes import read_notes
from store.settings import Settings, settings_document


class Told:
    """A job with these steps; a step that is an error is raised."""

    def __init__(self, *steps):
        self.steps, self.done = steps, []
        self.name = "told"

    def plan(self, state):
        return self.steps

    def carry_out(self, step, tools):
        if isinstance(step, Exception):
            raise step
        self.done.append(step)
        return Done(str(step), files_removed=1)


def test_one_process_maintains_a_store_at_a_time(folder):
    settings = Settings(store=folder.root)
    with Maintainer(folder, settings):
        with (
            pytest.raises(BusyError, match="another process maintains"),
            Maintainer(folder, settings),
        ):
            pass
        assert Maintainer(folder, settings).plan() == []
    with Maintainer(folder, settings) as maintainer:
        assert maintainer.round().faults == ()


def test_a_step_that_fails_keeps_no_other_from_being_done(round_of):
    first, second = Told("a", ValueError("broken"), "b"), Told("c")
    report = round_of(first, second)
    assert (first.done, second.done) == (["a", "b"], ["c"])
    assert report.faults == ("told: broken: ValueError: broken",)
    assert report.as_json()["files_removed"] == 3


def test_the_last_round_is_kept_for_whoever_asks(folder, round_of):
    report = round_of(Told("a"))
    assert read_notes(folder.root)["last_round"] == report.as_json()


def test_notes_that_were_spoiled_are_forgotten(folder, round_of):
    (folder.root / "maintenance.json").write_bytes(b'{"last_ro')
    assert round_of().faults == ()


def test_the_process_does_one_round_and_says_nothing(folder, writer):
    leftover = folder.staging / "0-x-1.parquet.staged"
    leftover.write_bytes(b"half")
    settings = settings_document(Settings(store=folder.root))
    run = [sys.executable, "-m", "store.maintenance"]
    done = subprocess.run(
        run, input=json.dumps(settings), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not leftover.exists()
