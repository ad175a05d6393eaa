"""A piece of work that is recorded when it ends: how long it took, whether it failed, and inside
which other one it ran.
"""

from collections.abc import Callable
from contextvars import ContextVar, Token
from random import Random
from time import perf_counter_ns, time_ns
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from store.client.encoding import text_of


class _Place(NamedTuple):
    trace_id: str
    span_id: str


_current: Final[ContextVar[_Place | None]] = ContextVar("eventdeck_span", default=None)
# Its own: a host that seeds `random` would make the same trace ids in every run.
_random: Final = Random()  # noqa: S311 - ids, no secrets


class Span:
    """A context manager; `Client.span` makes it. Never raises itself."""

    __slots__ = ("_attributes", "_began_ns", "_name", "_outer", "_place", "_record", "_started_us")

    def __init__(self, record: Callable[..., None], name: str, attributes: dict[str, Any]) -> None:
        """`record` is the client's; `attributes` go out with the event."""
        self._record = record
        self._name = name
        self._attributes = attributes

    def set(self, **attributes: Any) -> None:
        """Adds what is known only now: `span.set(rows=3)`."""
        self._attributes.update(attributes)

    def __enter__(self) -> Self:
        outer = _current.get()
        trace_id = outer.trace_id if outer else f"{_random.getrandbits(128):032x}"
        self._place = _Place(trace_id, f"{_random.getrandbits(64):016x}")
        self._outer: Token[_Place | None] = _current.set(self._place)
        self._started_us = time_ns() // 1000
        self._began_ns = perf_counter_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        took_ms = (perf_counter_ns() - self._began_ns) / 1e6
        fixed: dict[str, Any] = {
            "event_time": self._started_us,
            "duration_ms": took_ms,
            "trace_id": self._place.trace_id,
            "span_id": self._place.span_id,
        }
        outer = self._outer.old_value
        if isinstance(outer, _Place):
            fixed["parent_span_id"] = outer.span_id
        if kind is not None:
            fixed |= {"severity": "error", "error_type": kind.__name__, "message": text_of(error)}
        self._record("span", self._name, **{**self._attributes, **fixed})
        try:
            _current.reset(self._outer)
        except ValueError:  # ended in another task than it began in
            _current.set(None)
