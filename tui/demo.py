"""The demo: a day of sample data, live traffic through a real collector, nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from store.settings import OFF, CollectorSettings, Settings

if TYPE_CHECKING:
    from store.analytics.registry import Known
    from store.collector.attach import Attachment
    from tui.app import DeckApp
    from tui.commands.command import Options
    from tui.commands.console import Console

PREFIX: Final = "eventdeck-demo-"
LOCK_FILE: Final = "demo.lock"
# Between making its folder and locking it, a demo looks dead; none takes this long.
LEFTOVER_SECONDS_MIN: Final = 60.0
STOP_SECONDS_MAX: Final = 5.0
# Of the commits that fill the store: the quarter of an hour that opens, and the day before it.
COMMITS_AWAITED: Final = 3


def run_demo(options: "Options", console: "Console") -> int:
    """The dashboard on a demo, until it is closed; `options` are those of its look."""
    from tui.commands.dashboard import analyses_of, run_app, theme_for, wants_ascii
    from tui.commands.times import zone_asked

    analyses = analyses_of(options)
    with demo_folder() as demo:
        app = demo_app(
            demo,
            analyses=analyses,
            clock=console.now,
            zone=zone_asked(options),
            ascii_glyphs=options.ascii or wants_ascii(),
            theme=theme_for(options.theme),
        )
        for name in ("SIGTERM", "SIGHUP"):  # a closed terminal, too, leaves nothing behind
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: app.exit())
        return run_app(app, None)


@contextmanager
def demo_folder(where: Path | None = None) -> Iterator["Demo"]:
    """A demo in a temporary folder of its own (made in `where`), gone afterwards with all that it
    started; what a killed demo left is removed by the next one.
    """
    from store.parts.lock import FileLock

    parent = where or Path(tempfile.gettempdir())
    remove_leftovers(parent)
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = FileLock(root / LOCK_FILE)
    lock.acquire()
    demo = Demo(root / "store", datetime.now(UTC))
    try:
        yield demo
    finally:
        demo.stop()
        shutil.rmtree(root, ignore_errors=True)
        lock.release()


def demo_app(demo: "Demo", *, analyses: "Sequence[Known] | None" = None, **look: Any) -> "DeckApp":
    """The dashboard on a demo, which is filled after the first frame; `look` is DeckApp's."""
    from tui.app import DeckApp
    from tui.commands.dashboard import open_store

    def opened() -> Any:
        demo.live.add_done_callback(tell_collector)
        demo.fill()
        return open_store(demo.settings, analyses)

    def tell_collector(live: "Future[str]") -> None:
        error = live.exception()
        with suppress(RuntimeError):  # the dashboard has gone meanwhile
            if error is not None:
                app.call_from_thread(app.failed, str(error))
            else:
                app.call_from_thread(setattr, app, "collector", live.result())

    app = DeckApp(opened, **look)
    return app


class Demo:
    """A store full of history that ends now, a collector on it, and traffic that goes on."""

    def __init__(self, store: Path, now: datetime) -> None:
        """Nothing is made before `fill`."""
        self.settings = Settings(
            store=store, collector=CollectorSettings(port=0, grpc_port=OFF, statsd_port=OFF)
        )
        self.live: Future[str] = Future()
        """The collector's address, or what went wrong, once the traffic begins."""
        self._now = now
        self._seed = os.getpid()
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="demo")
        self._attachment: Attachment | None = None
        self._traffic: subprocess.Popen[bytes] | None = None

    def fill(self) -> None:
        """Returns when there is enough to look at; the rest, the collector and the traffic come
        within seconds, in threads.
        """
        from sample_data.copies import demo_history

        self._threads.submit(self._go_live)
        commits = demo_history(self.settings.store, self._now, seed=self._seed)
        under_way = [self._threads.submit(commit) for commit in commits]
        for awaited in under_way[:COMMITS_AWAITED]:
            awaited.result()

    def stop(self) -> None:
        """Ends the traffic and the collector, and waits for both."""
        self._threads.shutdown(cancel_futures=True)
        if self._traffic is not None:
            _ended(self._traffic)
        if self._attachment is not None:
            self._attachment.close()
            self._end_collector()

    def _go_live(self) -> None:
        from store.collector.attach import attach

        try:
            self._attachment = attach(self.settings)
            self._traffic = _traffic(self._attachment.url, self._now, self._seed)
        except Exception as error:  # noqa: BLE001 - shown where the address would be
            self.live.set_exception(error)
        else:
            self.live.set_result(self._attachment.url)

    def _end_collector(self) -> None:
        """It would go by itself in a moment, but its folder has to go now."""
        from store.collector.presence import serving
        from store.parts.layout import StoreFolder

        folder = StoreFolder.open(self.settings.store)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        found = serving(folder)
        if found:
            with suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGTERM)
        while serving(folder) and time.monotonic() < deadline:
            time.sleep(0.02)


def _traffic(url: str, now: datetime, seed: int) -> "subprocess.Popen[bytes]":
    """Its standard input is a pipe from here: it ends when this process does, however it ends."""
    import sample_data

    command = [sys.executable, "-P", "-m", "sample_data.traffic", url, "--attached"]
    paths = [str(Path(sample_data.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [*command, "--now", now.isoformat(), "--seed", str(seed)],
        env=os.environ
        # One core for a hundred events a second is plenty; the others are the dashboard's.
        | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "POLARS_MAX_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _ended(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin
    process.stdin.close()
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def remove_leftovers(where: Path) -> None:
    """Removes the folders of demos that were killed: ours, old enough, and locked by no one."""
    for root in where.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if _is_old_and_ours(root):
                _remove_unlocked(root)


def _is_old_and_ours(root: Path) -> bool:
    status = root.lstat()
    is_ours = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    is_folder = root.is_dir() and not root.is_symlink()
    return is_folder and is_ours and time.time() - status.st_mtime > LEFTOVER_SECONDS_MIN


def _remove_unlocked(root: Path) -> None:
    from store.parts.lock import FileLock

    lock = FileLock(root / LOCK_FILE)
    if lock.acquire():
        shutil.rmtree(root, ignore_errors=True)
        lock.release()
