import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.client.conftest import door  # noqa: F401

ROOT = Path(__file__).parents[1]
SUITE = """
import pytest

def test_good(): pass

def test_bad(): assert 1 == 2, "one is not two"

@pytest.mark.skip
def test_skipped(): pass

@pytest.fixture
def broken():
    yield
    raise RuntimeError("cannot clean up")

def test_unclean(broken): pass
"""


@pytest.fixture(params=[(), ("-n", "2")], ids=["alone", "xdist"])
def recorded(request, door, tmp_path):  # noqa: F811
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.recording", *request.param, "."]
    environment = {**os.environ, "EVENTDECK_URL": door.url, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True)
    return [json.loads(line) for body in door.bodies for line in body.splitlines()]


def test_each_test_of_a_run_is_one_event_between_start_and_end(recorded):
    names = [event["event_name"] for event in recorded]
    assert names == ["session_start", "test", "test", "test", "test", "session_end"]
    assert len({event["session_id"] for event in recorded}) == 1
    end = recorded[-1]
    assert (end["tests"], end["exit_status"]) == (4, 1)
    tests = {event["test"].partition("::")[2]: event for event in recorded[1:-1]}
    outcomes = {name: event["outcome"] for name, event in tests.items()}
    assert outcomes == {
        "test_good": "passed",
        "test_bad": "failed",
        "test_skipped": "skipped",
        "test_unclean": "failed",
    }
    assert {event["component"] for event in tests.values()} == {"test_suite.py"}
    assert all(event["duration_ms"] >= 0 for event in tests.values())
    assert "one is not two" in tests["test_bad"]["message"]
    assert (tests["test_unclean"]["severity"], tests["test_unclean"]["phase"]) == (
        "error",
        "teardown",
    )
    assert "severity" not in tests["test_good"]
