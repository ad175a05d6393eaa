"""A pytest plugin that sends a test run to a collector: `pytest -p tests.recording`.

One event of type `span` named `test` for each test (its file, outcome, duration, and the error's
last line), between `session_start` and `session_end`. The address is EVENTDECK_URL's; a run
without a collector is not held up.
"""

import os
import time
from pathlib import Path

import pytest

from store.client import Client
from store.event import EventIds

# Worst first: a test that passed and then failed to clean up has failed.
OUTCOMES = ("failed", "skipped", "passed")


def pytest_configure(config):
    # With xdist, reports meet in the controller; workers record nothing.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(config.rootpath).name), "eventdeck-recorder")


class Recorder:
    """Turns reports into events as they come."""

    def __init__(self, project, client=None):
        """`client` stands in for one made from the environment."""
        session_id = EventIds(time.time)()
        self._client = (client or Client(service_name=f"{project} tests")).with_context(
            session_id=session_id, user_id=os.environ.get("USER")
        )
        self._reports = {}

    def pytest_sessionstart(self):
        self._client.record("session_start", "session_start")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        """Set-up, call and tear-down come one by one; the last one closes the test."""
        phases = self._reports.setdefault(report.nodeid, [])
        phases.append(report)
        if report.when == "teardown":
            del self._reports[report.nodeid]
            self._client.record("span", "test", **event_of(phases))

    def pytest_sessionfinish(self, session, exitstatus):
        self._client.record(
            "session_end",
            "session_end",
            tests=session.testscollected,
            failed=session.testsfailed,
            exit_status=int(exitstatus),
        )
        self._client.close()


def event_of(phases):
    """The attributes of one test's event, out of its reports."""
    outcome = min((phase.outcome for phase in phases), key=OUTCOMES.index)
    attributes = {
        "event_time": int(phases[0].start * 1e6),
        "duration_ms": sum(phase.duration for phase in phases) * 1e3,
        "outcome": outcome,
        "test": phases[0].nodeid,
        "component": phases[0].location[0],
    }
    failed = next((phase for phase in phases if phase.failed), None)
    if failed is not None:
        text = getattr(failed.longrepr, "reprcrash", None)
        message = text.message if text else str(failed.longrepr)
        attributes |= {
            "severity": "error",
            "phase": failed.when,
            "message": message.strip().splitlines()[0] if message.strip() else "failed",
        }
    return attributes
