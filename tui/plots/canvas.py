"""A grid of cells that plots draw on, and that becomes strips with one segment a run of style."""

from collections.abc import Sequence

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

NO_STYLE = Style()


class Canvas:
    """`width` x `height` cells, at first blank; what falls outside is dropped."""

    def __init__(self, width: int, height: int) -> None:
        self.width = max(0, width)
        self.height = max(0, height)
        self._texts = [[" "] * self.width for _ in range(self.height)]
        self._styles = [[NO_STYLE] * self.width for _ in range(self.height)]
        self._taken = [bytearray(self.width) for _ in range(self.height)]

    def put(self, x: int, y: int, text: str, style: Style) -> None:
        """Clean text from cell (x, y) to the right; a wide character takes two cells."""
        if not 0 <= y < self.height:
            return
        texts, styles = self._texts[y], self._styles[y]
        for character in text:
            size = get_character_cell_size(character)
            if size and x >= 0 and x + size <= self.width:
                texts[x : x + size] = [character, ""][:size]
                styles[x : x + size] = [style] * size
                self._taken[y][x : x + size] = b"\1" * size
            x += size

    def behind(self, x: int, y: int, glyph: str, style: Style) -> None:
        """One glyph where nothing has been drawn yet; it keeps the ground."""
        if 0 <= x < self.width and 0 <= y < self.height and not self._taken[y][x]:
            self._texts[y][x] = glyph
            self._styles[y][x] += style
            self._taken[y][x] = 1

    def under(self, x: int, y: int, ground: Style) -> None:
        """Lays a background under one cell: what the cell says wins."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._styles[y][x] = ground + self._styles[y][x]

    def paste(self, strips: Sequence[Strip], x: int, y: int) -> None:
        """Copies strips of one-cell characters; their blanks stay free."""
        for row, strip in enumerate(strips, y):
            column = x
            for text, style, _ in strip:
                for character in text:
                    if 0 <= column < self.width and 0 <= row < self.height:
                        self._texts[row][column] = character
                        self._styles[row][column] = style or NO_STYLE
                        self._taken[row][column] = character not in " ⠀"
                    column += 1

    def strips(self) -> list[Strip]:
        return [
            row_strip(texts, styles)
            for texts, styles in zip(self._texts, self._styles, strict=True)
        ]


def row_strip(texts: Sequence[str], styles: Sequence[Style]) -> Strip:
    """One cell after the other, joined where the style stays the same."""
    segments: list[Segment] = []
    start = 0
    for end in range(1, len(texts) + 1):
        if end == len(texts) or (styles[end] is not styles[start] and styles[end] != styles[start]):
            segments.append(Segment("".join(texts[start:end]), styles[start]))
            start = end
    return Strip(segments, len(texts))
