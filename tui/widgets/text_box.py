"""An input that shows what a terminal would obey: values of events may be put into it."""

from rich.text import Text
from textual.widgets import Input


def visible(text: str) -> str:
    """As long as `text`, so that a cursor stays in its place, with a sign for each character that
    is not printed.
    """
    return text if text.isprintable() else "".join(map(_sign, text))


def _sign(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "�"


class TextBox(Input):
    """A one-line input without a border."""

    def __init__(self, placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)

    @property
    def _value(self) -> Text:
        return Text(visible(self.value), no_wrap=True, overflow="ignore", end="")
