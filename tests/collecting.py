"""A collector in a process of its own, and a bare HTTP client that can misbehave."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store.settings import OFF, CollectorSettings, Settings, settings_document

ROOT = Path(__file__).parents[1]
PROGRAM = """
import json, sys
from store.collector.server import serve
from store.settings import settings_from
settings = settings_from(json.load(sys.stdin), "test")
serve(settings, announce=lambda listening: print(json.dumps(listening.as_json()), flush=True))
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Collecting:
    """A running collector; `settings` are those of its process. With `orders` it is a mortal one
    (tests.mortal).
    """

    def __init__(self, settings: Settings, orders: Path | None = None) -> None:
        self.settings = settings
        mortal = ["-m", "tests.mortal", str(orders), "-"]
        self.process = subprocess.Popen(
            [sys.executable, *(mortal if orders else ["-c", PROGRAM])],
            cwd=ROOT,
            env={**os.environ, "PROGRAM": PROGRAM},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.process.stdin.write(json.dumps(settings_document(settings)).encode())
        self.process.stdin.close()
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().decode()
            self.end()
            raise AssertionError(said)
        listening = json.loads(line)
        self.port = int(listening["http"].rpartition(":")[2])
        self.grpc = listening["grpc"]
        self.statsd = listening["statsd"]
        self.statsd_port = int((self.statsd or ":0").rpartition(":")[2])

    def post(self, body: bytes, path: str = "/v1/events", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, body, named)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json()

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self.send(request(method, path, body, headers or {}))

    def send(self, data: bytes, *, half_close: bool = False) -> Answer:
        """These bytes on a connection of their own, and the answer to them."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return read_answer(connection, with_body=not data.startswith(b"HEAD"))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(60)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@contextlib.contextmanager
def collecting(settings: Settings) -> Iterator[Collecting]:
    """Killed at the end, if it still runs."""
    collector = Collecting(settings)
    try:
        yield collector
    finally:
        if collector.process.poll() is None:
            collector.stop(signal.SIGKILL)


def settings(store: Path, **changes: Any) -> Settings:
    """For tests: a free port, and no other protocol."""
    return Settings(
        store, replace(CollectorSettings(port=0, grpc_port=OFF, statsd_port=OFF), **changes)
    )


def request(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}) -> bytes:
    named = {"Host": "localhost", **headers}
    if body and "Transfer-Encoding" not in named:
        named.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def read_answer(connection: socket.socket, *, with_body: bool = True) -> Answer:
    """Status 0 when the connection ends without an answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = _received(connection)
        if not chunk:
            return Answer(0, {}, data)
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while with_body and len(body) < int(headers.get("content-length", 0)):
        chunk = _received(connection)
        if not chunk:
            break
        body += chunk
    return Answer(int(status.split()[1]), headers, body)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def ndjson(*events: Mapping[str, Any]) -> bytes:
    return "\n".join(json.dumps(event) for event in events).encode()
