"""Where the extra `grpc` is not installed, the collector says so and serves all else."""

import os
import signal
import subprocess
import sys

from tests.collecting import ROOT

PROGRAM = """
import importlib.util, sys
from pathlib import Path
from store.settings import OFF, CollectorSettings, Settings
from store.collector.server import serve
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "grpc" else find(name, *rest)
collector = CollectorSettings(port=0, grpc_port=0, statsd_port=OFF)
serve(Settings(Path(sys.argv[1]), collector), announce=lambda at: print(at.line(), flush=True))
"""


def test_it_says_what_to_install_and_goes_on(tmp_path):
    words = [sys.executable, "-c", PROGRAM, tmp_path / "store"]
    with subprocess.Popen(
        words, cwd=ROOT, env=os.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as collector:
        line = collector.stdout.readline()
        collector.send_signal(signal.SIGTERM)
        said = collector.stderr.read()
    assert line.startswith("listening on http://127.0.0.1:")
    assert "grpc" not in line
    assert "pip install 'eventdeck[grpc]'" in said
    assert "Traceback" not in said
