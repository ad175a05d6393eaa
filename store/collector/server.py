"""The collector as a program: claims the store, listens, and runs until it is told to stop.

Light until it serves: `eventdeck` knows this module without loading Polars.
"""

import os
import socket
from collections.abc import Callable

from store.collector import presence
from store.collector.presence import Listening
from store.collector.security import check_exposure
from store.errors import StoreError, UsageError
from store.parts.layout import StoreFolder
from store.settings import CollectorSettings, Settings


class PortTakenError(StoreError):
    """Another program listens there, or this user may not."""


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
        with _bound(settings.collector) as listener:
            # Before Polars is loaded. Deliveries are small, and decoding one while another is
            # committed uses two cores better than both threads of Polars on each do: +30 %.
            os.environ.setdefault("POLARS_MAX_THREADS", "1")
            from store.collector.process import Process

            Process(settings, folder, listener, announce, until).run()
    finally:
        presence.withdraw(folder)
        claim.release()


def _bound(settings: CollectorSettings) -> socket.socket:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError("collector", str(error.strerror), place=settings.host) from error
    try:
        if os.name == "posix":  # elsewhere it would let two listen at once
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise PortTakenError(
            "collector",
            (error.strerror or str(error)).lower(),
            place=f"{settings.host}:{settings.port}",
            next_step="name another port with --port, or 0 for a free one",
        ) from error
    return listener
