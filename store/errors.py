"""Errors that name the thing, the place, the fault and the next step.

The command line prints the sentence and leaves with `exit_code`; the fields stay apart so that a
screen or a receipt can show them in its own way.
"""


class StoreError(Exception):
    """Something failed in the store or on the network; its text is one sentence for a person."""

    exit_code = 3

    def __init__(self, thing: str, fault: str, *, place: str = "", next_step: str = "") -> None:
        """`thing` failed at `place` with `fault`; `next_step` says what to do about it."""
        self.thing = thing
        self.place = place
        self.fault = fault
        self.next_step = next_step
        where = f"{thing}: {place}" if place else thing
        super().__init__(f"{where}: {fault}" + (f"; {next_step}" if next_step else ""))


class UsageError(StoreError):
    """A wrong option, setting, filter or query: nothing was done."""

    exit_code = 2


class NotAStoreError(StoreError):
    """The folder holds something else; it is left as it is."""


class NewerFormatError(StoreError):
    """A later eventdeck wrote this store; reading it could misread it."""


class ReadOnlyStoreError(StoreError):
    """The store can be read, but nothing can be written to it."""


class NoRoomError(StoreError):
    """The disk is full; what was acknowledged is safe, and writing goes on once there is room."""


class PartUnreadableError(StoreError):
    """A part's magic, footer or checksum is wrong."""


class ForeignPartError(StoreError):
    """A file stands among the parts whose bytes are whole, and that is none of this store's."""
