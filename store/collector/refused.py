"""A delivery that does not get through the door, as one value for every place that says no."""

import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Refused(Exception):  # noqa: N818  a fact about a delivery, not a fault of ours
    """The sender is told `status` and `fault`; `reason` is the short word it is counted by.

    `rejected` says that the content was at fault: the tally counts one rejected body, and sending
    it again is of no use.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        fault: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        rejected: bool = False,
    ) -> None:
        super().__init__(fault)
        self.status = status
        self.reason = reason
        self.fault = fault
        self.headers = headers
        self.rejected = rejected


def try_later(reason: str, fault: str) -> Refused:
    """503 with `Retry-After: 1`: the one backpressure that all known clients understand."""
    return Refused(503, reason, fault, headers={"retry-after": "1"})


def bad_content(status: int, reason: str, fault: str) -> Refused:
    """The body cannot be taken as it is, now or later."""
    return Refused(status, reason, fault, rejected=True)


def internal() -> Refused:
    """A fault of ours."""
    return Refused(500, "internal", "the collector failed on this delivery")


def place_of(error: BaseException) -> str:
    """What went wrong and where in the code, for the log; never the error's text, which may hold
    what a sender sent.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} at {where}"
