"""What a screen says when there is nothing to show: what to do next, ready to be pasted."""

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Advice, centred


class EmptyState(Drawn):
    """Lines in the middle, all from the same column, so that one can be pasted whole."""

    advice: reactive[Advice] = reactive((), repaint=False)

    def watch_advice(self) -> None:
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        return centred(self.advice, *size, look)


def first_event(collector: str | None, *, failed: bool = False) -> Advice:
    """How to send the first event here; without an address, the collector is still coming up or
    has `failed` to.
    """
    if collector is None and not failed:
        return (("no events yet; the collector is starting", "bright"),)
    if collector is None:
        return (
            ("no events yet, and no collector serves this store", "bright"),
            ("", "dim"),
            ("start one:", "dim"),
            ("eventdeck collect", "primary"),
            ("", "dim"),
            ("or bring events from a file:", "dim"),
            ("eventdeck import events.ndjson", "primary"),
        )
    return (
        (f"listening on {collector}", "live"),
        ("", "dim"),
        ("no events yet; send the first one, and it is here within a second:", "bright"),
        ("", "dim"),
        (curl_line(collector), "primary"),
        ("", "dim"),
        ("or from Python:", "dim"),
        ("", "dim"),
        ("from store.client import Client", "text"),
        ('Client(service_name="shop").record("behavioral", "signup")', "text"),
        ("", "dim"),
        ("y copies the first line, 7 Health tells of other ways in", "dim"),
    )


def curl_line(collector: str) -> str:
    """A command that sends one event when pasted into a shell."""
    return f"""curl {collector}/v1/events -d '{{"event_name": "hello"}}'"""
