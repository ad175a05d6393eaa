"""Texts in CSV that a spreadsheet would take for formulas, and the mark that makes them harmless.

A text that starts with `=`, `+`, `-`, `@`, a tab or a line break (or with apostrophes and then one
of these) gets an apostrophe in front, as spreadsheets themselves mark text; taking one away brings
back every text as it was.
"""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

MARK: Final = "'"
_STARTS: Final = "=+\\-@\t\r\n＝＋－＠"
_DANGEROUS: Final = f"^'*[{_STARTS}]"
_MARKED: Final = f"^'('*[{_STARTS}])"
_DANGEROUS_TEXT: Final = re.compile(_DANGEROUS)
_MARKED_TEXT: Final = re.compile(_MARKED)


def guarded(text: "pl.Expr") -> "pl.Expr":
    """The texts, with the mark where they need it; null stays."""
    import polars as pl  # not for those who only want a text

    return pl.when(~text.str.contains(_DANGEROUS)).then(text).otherwise(MARK + text)


def guarded_text(text: str) -> str:
    """The same for one text."""
    return f"{MARK}{text}" if _DANGEROUS_TEXT.match(text) else text


def is_marked(cells: "pl.Series") -> bool:
    """Whether some of these cells were given the mark."""
    # By another name: one such as `^a.*$` would be taken for a pattern.
    return bool(cells.alias("cells").str.contains(_MARKED).any())


def unguarded(cells: "pl.Series") -> "pl.Series":
    """The texts as they were before `guarded`."""
    return cells.alias("cells").str.replace(_MARKED, "${1}").alias(cells.name)


def unguarded_text(text: str) -> str:
    """The same for one text."""
    return _MARKED_TEXT.sub(r"\1", text)
