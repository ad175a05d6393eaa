"""The collector as a program: claims the store, listens, and runs until it is told to stop.

Light until it serves: `eventdeck` knows this module without loading Polars.
"""

import contextlib
import logging
import os
import socket
from collections.abc import Callable
from typing import Final

from store.collector import presence
from store.collector.presence import Listening, PortTakenError, taken
from store.collector.security import check_exposure, is_loopback
from store.errors import UsageError
from store.parts.layout import StoreFolder
from store.settings import OFF, STATSD_PORT, CollectorSettings, Settings

LOG: Final = logging.getLogger("eventdeck.collector")


def serve(
    settings: Settings,
    *,
    announce: Callable[[Listening], None],
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Collects until SIGTERM or SIGINT, or until `until()` (asked every second) is true; then
    takes no more, commits what it has and returns. A second signal ends the process at once.

    `announce` is called when it can accept. StoreError: another collector serves the store, the
    port is in use, the store cannot be written. UsageError: it would be open to other machines.
    """
    check_exposure(settings.collector)
    folder = StoreFolder.open(settings.store, create=True)
    claim = presence.claim(folder)
    try:
        with contextlib.ExitStack() as sockets:
            listener = sockets.enter_context(_listening(settings.collector))
            datagrams = _receiving(settings.collector)
            if datagrams is not None:
                sockets.enter_context(datagrams)
            # Before Polars is loaded. Deliveries are small, and decoding one while another is
            # committed uses two cores better than both threads of Polars on each do: +30 %.
            os.environ.setdefault("POLARS_MAX_THREADS", "1")
            from store.collector.process import Process

            Process(settings, folder, listener, datagrams, announce, until).run()
    finally:
        presence.withdraw(folder)
        claim.release()


def _listening(settings: CollectorSettings) -> socket.socket:
    return _bound(settings.host, settings.port, socket.SOCK_STREAM, "--port")


def _receiving(settings: CollectorSettings) -> socket.socket | None:
    """For StatsD; none when its usual port is taken, as by a Datadog agent."""
    if settings.statsd_port == OFF:
        return None
    host = settings.host if is_loopback(settings.host) else "127.0.0.1"
    try:
        return _bound(host, settings.statsd_port, socket.SOCK_DGRAM, "--statsd-port")
    except PortTakenError as error:
        if settings.statsd_port != STATSD_PORT:
            raise
        LOG.warning("%s: %s; it goes on without StatsD", error.place, error.fault)
        return None


def _bound(host: str, port: int, kind: socket.SocketKind, option: str) -> socket.socket:
    try:
        family, _, protocol, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError("collector", str(error.strerror), place=host) from error
    try:
        if kind == socket.SOCK_STREAM and os.name == "posix":  # else two could bind at once
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        if kind == socket.SOCK_STREAM:
            bound.listen(socket.SOMAXCONN)
    except OSError as error:
        bound.close()
        fault = (error.strerror or str(error)).lower()
        raise taken(host, port, option, fault) from error
    return bound
