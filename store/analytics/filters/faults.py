"""What is wrong with a filter, before it is known where it stands."""

from store.errors import UsageError


class FilterFault(Exception):  # noqa: N818 - it never leaves this package
    """A fault in a value or a field; the reader that knows the place turns it into a UsageError."""

    def __init__(self, fault: str, next_step: str = "", *, offset: int = 0) -> None:
        """`offset` counts characters into the value."""
        super().__init__(fault)
        self.fault = fault
        self.next_step = next_step
        self.offset = offset

    def at(self, place: str) -> UsageError:
        """The error that a person reads."""
        return UsageError("filter", self.fault, place=place, next_step=self.next_step)
