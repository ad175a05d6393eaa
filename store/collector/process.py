"""One run of the collector, from the bound socket to the last commit."""

import asyncio
import contextlib
import functools
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import FrameType
from typing import Final

import uvicorn

from store.collector import presence
from store.collector.app import App
from store.collector.assembly import Assembled, assembled
from store.collector.datagrams import Datagrams
from store.collector.decoders import Decoders
from store.collector.grpc_door import GrpcDoor, is_installed
from store.collector.maintaining import Maintaining
from store.collector.memory import rest_garbage_collection
from store.collector.presence import Listening, taken
from store.collector.protocol import BoundedProtocol
from store.parts.layout import StoreFolder
from store.settings import GRPC_PORT, OFF, Settings

LOG: Final = logging.getLogger("eventdeck.collector")
CONNECTIONS_MAX: Final = 640
"""Beyond, senders are told to come again: five hundred idle ones and many busy ones fit, and many
systems give a process 1,024 files."""
KEEP_ALIVE_SECONDS: Final = 65
"""Exporters send every 5 to 60 seconds; a connection of theirs lives from one to the next."""
COMMIT_SHARE_OF_DRAIN: Final = timedelta(seconds=3)
"""What open requests leave of the drain's time to the last commit."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Process:
    """Serves on `listener`, and on `datagrams` if there is one, until a signal comes or `until()`
    is true.
    """

    def __init__(
        self,
        settings: Settings,
        folder: StoreFolder,
        listener: socket.socket,
        datagrams: socket.socket | None,
        announce: Callable[[Listening], None],
        until: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._listener = listener
        self._datagrams = datagrams
        self._announce = announce
        self._until = until
        self._grpc: str | None = None
        """Where OTLP over gRPC is taken."""
        self._decoders = Decoders()
        self._maintaining = Maintaining(settings, folder)

    def run(self) -> None:
        made = assembled(self._settings, self._folder, self._decoders, self._maintaining)
        config = self._config(made.app)
        rest_garbage_collection()
        try:
            with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(self._serve(config, made))
        finally:
            self._maintaining.close()
            self._decoders.close()

    async def _serve(self, config: uvicorn.Config, made: Assembled) -> None:
        collector, datagrams = made.collector, made.datagrams
        self._grpc = await self._open_grpc(made.grpc)
        server = _Server(config, self._publish, datagrams.close)
        committing = asyncio.create_task(collector.run())
        committing.add_done_callback(lambda _: server.stop())
        waiting = asyncio.create_task(self._wait(server))
        receiving = asyncio.create_task(self._receive(datagrams))
        following = asyncio.create_task(made.follower.run())
        await server.serve(sockets=[self._listener])
        await made.grpc.close(COMMIT_SHARE_OF_DRAIN)
        waiting.cancel()
        made.follower.close()
        await asyncio.wait({following}, timeout=COMMIT_SHARE_OF_DRAIN.total_seconds())
        await receiving
        collector.close()
        await self._last_commit(committing)

    async def _open_grpc(self, door: GrpcDoor) -> str | None:
        """Where it listens. PortTakenError, but for the usual port."""
        settings = self._settings.collector
        if settings.grpc_port == OFF:
            return None
        is_usual = settings.grpc_port == GRPC_PORT
        if not is_installed():
            said = "gRPC needs grpcio: pip install 'eventdeck[grpc]'; it goes on without"
            LOG.log(logging.INFO if is_usual else logging.WARNING, "%s", said)
            return None
        try:
            port = await door.open(settings.host, settings.grpc_port)
        except OSError as error:
            if not is_usual:
                raise taken(settings.host, settings.grpc_port, "--grpc-port", str(error)) from error
            LOG.warning("%s; it goes on without gRPC", error)
            return None
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return f"{host}:{port}"

    async def _receive(self, datagrams: Datagrams) -> None:
        if self._datagrams is not None:
            await datagrams.run(self._datagrams)

    async def _last_commit(self, committing: asyncio.Task[None]) -> None:
        done, _ = await asyncio.wait({committing}, timeout=COMMIT_SHARE_OF_DRAIN.total_seconds())
        if not done:
            # Its thread cannot be stopped, and none of what it writes was acknowledged.
            print("collector: the last commit did not end in time", file=sys.stderr, flush=True)
            os._exit(3)
        committing.result()

    async def _wait(self, server: "_Server") -> None:
        while not self._until():
            self._decoders.rest()
            await asyncio.to_thread(self._maintaining.look)
            await asyncio.sleep(1)
        server.stop()

    def _publish(self) -> None:
        at = _address(self._listener)
        statsd = _address(self._datagrams) if self._datagrams else None
        root = str(self._folder.root)
        listening = Listening(f"http://{at}", root, os.getpid(), self._grpc, statsd)
        presence.publish(self._folder, listening)
        self._announce(listening)

    def _config(self, app: App) -> uvicorn.Config:
        limits = self._settings.limits
        open_requests = self._settings.collector.drain_timeout - COMMIT_SHARE_OF_DRAIN
        return uvicorn.Config(
            app,
            http=functools.partial(  # type: ignore[arg-type]
                BoundedProtocol,
                header_timeout=limits.header_timeout.total_seconds(),
                connections_max=CONNECTIONS_MAX,
            ),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(0, int(open_requests.total_seconds())),
        )


def _address(bound: socket.socket) -> str:
    host, port, *_ = bound.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn's server, with our signals, and a word when it accepts and when it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        on_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_stopping = on_stopping

    def stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own would raise the signal again in the end, and the exit code would be its."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del frame
        if self.should_exit:
            # Threads may be at work; what was acknowledged is on disk.
            os._exit(128 + sig)
        self.should_exit = True
