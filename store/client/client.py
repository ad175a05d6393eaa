"""Client: what a program calls to tell what it does."""

import os
from time import time_ns
from types import TracebackType
from typing import Any, Final, Self

from store.client.delivery import Post
from store.client.sender import WAKE_EVERY, ClientTally, Sender
from store.client.span import Span

URL_DEFAULT: Final = "http://127.0.0.1:4318"
REQUEST_SECONDS_MAX: Final = 10.0


class Client:
    """Records events from inside a program and sends them to a collector in the background.

    Never blocks and never raises into its host: `record` notes the time and puts the values
    aside, under 2 microseconds (the first call starts the thread). Making JSON and sending are
    the work of one daemon thread, which sleeps while nothing is recorded. Values that have no
    JSON go out as their text, huge ones cut.

    Delivery is at-least-once while the process lives: ids are made here, so what is sent twice is
    stored once. Lost, and counted by `tally`: the oldest events when more than `queue_events_max`
    wait, and what is left when the bound at exit runs out. Forked children start empty, with a
    thread of their own; killed processes lose what waits (half a second by default).
    """

    __slots__ = ("__weakref__", "_append", "_context", "_next", "_sender")

    def __init__(
        self,
        *,
        url: str | None = None,
        token: str | None = None,
        queue_events_max: int = 10_000,
        interval_seconds: float = 0.5,
        exit_seconds_max: float = 2.0,
        **context: Any,
    ) -> None:
        """Every event carries `context`: `service_name="shop"`, `service_version="2.3.1"`, ….

        `url` is the collector's, else `EVENTDECK_URL`, else http://127.0.0.1:4318; `token`, else
        `EVENTDECK_TOKEN`, is for one that wants it. Events gather for `interval_seconds` before
        they are sent together; leaving the program waits `exit_seconds_max` for the last ones.
        """
        address = url or os.environ.get("EVENTDECK_URL") or URL_DEFAULT
        secret = token if token is not None else os.environ.get("EVENTDECK_TOKEN", "")
        sender = Sender(
            Post(address, secret, REQUEST_SECONDS_MAX),
            queue_events_max=queue_events_max,
            interval_seconds=interval_seconds,
            exit_seconds_max=exit_seconds_max,
        )
        self._share(sender, context)

    def _share(self, sender: Sender, context: dict[str, Any]) -> None:
        self._sender = sender
        self._context = context
        self._append = sender.waiting.append
        self._next = sender.numbers.__next__

    def record(self, event_type: str, event_name: str, /, **attributes: Any) -> None:
        """One thing that happened, now: `record("behavioral", "signup", user_id="ada")`.

        `event_time` and `event_id` among the attributes replace the ones made here. Values are
        read a moment later: pass a copy of what you go on changing. Safe in any thread and in
        signal handlers.
        """
        number = self._next()
        self._append((time_ns(), self._context, event_type, event_name, attributes))  # type: ignore[arg-type]
        if self._sender.asleep or not number % WAKE_EVERY:
            self._sender.wake()

    def record_metric(
        self,
        metric_name: str,
        value: float,
        /,
        *,
        kind: str = "gauge",
        unit: str | None = None,
        **attributes: Any,
    ) -> None:
        """One measurement, now. `kind`: gauge, counter (an increase), histogram or timing (one
        observed value); `unit` as in `ms`, `By`, `1`.
        """
        attributes["value"] = value
        attributes["metric_kind"] = kind
        if unit is not None:
            attributes["unit"] = unit
        self.record("metric", metric_name, **attributes)

    def span(self, name: str, /, **attributes: Any) -> Span:
        """A piece of work: `with client.span("db.query", table="carts") as span:`.

        Recorded when it ends, as an event of type `span` at its start, with `duration_ms`, the
        error if it raised (which goes on to the caller), and trace, span and parent ids: spans
        inside one another, in a thread or a task, belong to one trace.
        """
        return Span(self.record, name, attributes)

    def with_context(self, **context: Any) -> "Client":
        """A client whose events carry `context` as well. It shares queue, thread and tally with
        this one, which stays as it is.
        """
        client = object.__new__(Client)
        client._share(self._sender, {**self._context, **context})
        return client

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Waits until all that was recorded before is settled with the collector; False when it
        is not by then (it stays queued). What was refused or dropped is in `tally`.
        """
        return self._sender.flush(timeout_seconds)

    def close(self, timeout_seconds: float | None = None) -> bool:
        """Flushes for so long at most (default: the bound at exit) and ends the thread; True when
        nothing was left. What is recorded later is counted as dropped.
        """
        limit = self._sender.exit_seconds_max if timeout_seconds is None else timeout_seconds
        return self._sender.close(limit)

    def tally(self) -> ClientTally:
        """What became of everything recorded through this client and those that share with it."""
        return self._sender.tally()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
