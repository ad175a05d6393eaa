"""A collector's door on a free port, without a collector: it keeps what it is sent."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Door(ThreadingHTTPServer):
    """Answers each request with the next of `answers` (status, headers, body), then with 200."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Request)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = []
        self.bodies = []
        self.headers = []
        self.paths = []
        self.connections = 0

    def events(self):
        return [json.loads(line) for body in self.bodies for line in body.splitlines()]

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.headers.append(dict(self.headers))
        self.server.paths.append(self.path)
        answers = self.server.answers
        status, headers, body = answers.pop(0) if answers else (200, {}, b"{}")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def door():
    server = Door()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
