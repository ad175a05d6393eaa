"""One body over one keep-alive connection, and what the collector said of it.

All imports stand on top of the client's modules: one that is under way in a thread comes half done
into a forked child, for good. `encodings.idna` is what `socket` would import at the first look-up.
"""

import encodings.idna  # noqa: F401
import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

PATH: Final = "/v1/events"
CONTENT_TYPE: Final = "application/x-ndjson"
# A moment's overload or a proxy between; anything else would be refused again.
RETRIED: Final = frozenset({408, 429, 502, 503, 504})
REPLY_BYTES_MAX: Final = 1024 * 1024


class Verdict(NamedTuple):
    """What became of a body of events."""

    settled: bool
    """False: nothing is known to be stored, and it should be sent again."""
    delivered: int = 0
    rejected: int = 0
    retry_after: float | None = None
    """Seconds that the collector asked to wait."""
    fault: str = ""
    absent: bool = False
    """True when nothing listens at the address."""


class Post:
    """Sends bodies to one address; used by one thread at a time."""

    def __init__(
        self, url: str, token: str, timeout_seconds: float, content_type: str = CONTENT_TYPE
    ) -> None:
        """`url` is the collector's, with or without a path before `/v1/events`. A wrong one shows
        in the verdict, never as an error.
        """
        self._url = url
        self._prefix = ""
        self._timeout = timeout_seconds
        self._connection: HTTPConnection | None = None
        self._headers = {"Content-Type": content_type}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def send(self, body: bytes, events: int, path: str = PATH) -> Verdict:
        """Sends `body` of that many lines, once more when an idle connection had been closed."""
        reused = self._connection is not None
        try:
            try:
                return self._exchange(body, events, path)
            except (HTTPException, ConnectionError):
                self.close()
                if not reused:
                    raise
                return self._exchange(body, events, path)
        except (HTTPException, OSError, ValueError) as error:
            self.close()
            fault = f"{self._url}: {error or type(error).__name__}"
            return Verdict(False, fault=fault, absent=isinstance(error, ConnectionRefusedError))

    def forget(self) -> None:
        """Lets go of the connection without ending it: in a forked child it is the parent's."""
        self._connection = None

    def close(self) -> None:
        """Ends the connection; the next body opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _exchange(self, body: bytes, events: int, path: str) -> Verdict:
        if self._connection is None:
            self._connection = self._connected()
        self._connection.request("POST", self._prefix + path, body, self._headers)
        reply = self._connection.getresponse()
        text = reply.read(REPLY_BYTES_MAX)
        if not reply.isclosed():
            self.close()
        return judged(reply.status, reply.getheader("Retry-After"), text, events)

    def _connected(self) -> HTTPConnection:
        parts = urlsplit(self._url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("not an http:// or https:// address")
        self._prefix = parts.path.rstrip("/")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(parts.hostname, parts.port, timeout=self._timeout)


def judged(status: int, retry_after: str | None, text: bytes, events: int) -> Verdict:
    """The verdict on a body of `events` lines that was answered so."""
    if status in RETRIED:
        wait = retry_after or ""
        seconds = float(wait) if wait.isdecimal() else None
        return Verdict(False, retry_after=seconds, fault=f"the collector answered {status}")
    if 200 <= status < 300:
        rejected, dropped, fault = _refused(text, events)
        return Verdict(True, events - rejected - dropped, rejected, fault=fault)
    fault = _refused(text, events)[2] or f"the collector answered {status}"
    return Verdict(True, 0, events, fault=fault)


def _refused(text: bytes, events: int) -> tuple[int, int, str]:
    """(rejected, dropped, first fault) of a receipt; none of anything else."""
    try:
        receipt: Any = json.loads(text)
        rejected, dropped = int(receipt["rejected"]), int(receipt["dropped"])
        faults = [f"{error['place']}: {error['fault']}" for error in receipt["errors"]]
    except (ValueError, TypeError, KeyError):
        return 0, 0, ""
    rejected = min(max(rejected, 0), events)
    return rejected, min(max(dropped, 0), events - rejected), faults[0] if faults else ""
