"""What can be wrong with a file among the parts, and so what may be done about it."""

import errno
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from store.errors import ForeignPartError, NewerFormatError, PartUnreadableError, StoreError

_OUR_OWN: Final = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""This process has no room to open anything: no word on the file."""


class Kind(StrEnum):
    """Only what is BROKEN is ever moved, and by the maintainer alone."""

    BROKEN = "broken"
    """Its magic, its footer or a checksum is wrong: bytes were lost or changed."""
    FOREIGN = "foreign"
    """Its bytes are whole, but no part of this store: another program's, or a copy."""
    NEWER = "newer"
    """A later eventdeck wrote it."""
    UNOPENED = "unopened"
    """The system would not read it: permissions, a disk in trouble. It may be sound."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file does not count; its text is the reason for a person."""

    kind: Kind
    words: str

    def __str__(self) -> str:
        return self.words


def fault_of(read: Callable[[], object]) -> Fault | None:
    """What is wrong with the file that `read` reads; None when nothing is.

    FileNotFoundError passes: a merge took the file, which is no fault of it. StoreError: this
    process may not open any more files.
    """
    try:
        read()
    except FileNotFoundError:
        raise
    except ForeignPartError as error:
        return Fault(Kind.FOREIGN, error.fault)
    except PartUnreadableError as error:
        return Fault(Kind.BROKEN, error.fault)
    except NewerFormatError as error:
        return Fault(Kind.NEWER, error.fault)
    except OSError as error:
        # Arrow raises OSErrors of its own about what it reads.
        return unopened(error) if error.errno else _undecodable(error)
    except Exception as error:
        if not isinstance(error, (pl.exceptions.PolarsError, *_arrow_errors())):
            raise
        return _undecodable(error)
    return None


def _arrow_errors() -> tuple[type[Exception], ...]:
    """None before Arrow was loaded: nothing can have raised one, and loading it takes long."""
    arrow = sys.modules.get("pyarrow")
    return (arrow.ArrowException,) if arrow else ()


def _undecodable(error: Exception) -> Fault:
    return Fault(Kind.FOREIGN, f"it cannot be decoded: {error}")


def unopened(error: OSError) -> Fault:
    """The system would not read it; StoreError when that is for this process' own reasons."""
    words = (error.strerror or str(error)).lower()
    if error.errno in _OUR_OWN:
        raise StoreError("store", words, next_step="close other programs") from error
    return Fault(Kind.UNOPENED, f"it cannot be read: {words}")
