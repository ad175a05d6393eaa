"""Protobuf's wire format read column by column: the n-th field of all messages at once.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5
_WIDTHS: Final = {FIXED64: 8, FIXED32: 4}
_FIELD_MAX: Final = 2**29 - 1
# What may be read past the end of the last message before that is noticed.
_PAD: Final = bytes(16)
STEPS_MAX: Final = 128
"""Fields of one message; with more, reading all messages in step would cost more than it saves."""
FIELDS_MAX: Final = 2_000_000
"""Of all messages together: some 50 bytes each."""


class UnusualError(Exception):
    """It may be sound, but is not what senders write: to be read the patient way."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages within one run of bytes, in ascending order."""

    data: Octets
    """With room for a value after the last message."""
    starts: Whole
    ends: Whole

    @classmethod
    def of(cls, bodies: Sequence[bytes]) -> Self:
        """Of messages by themselves."""
        edges = np.fromiter(accumulate(map(len, bodies), initial=0), np.int64, len(bodies) + 1)
        data = np.frombuffer(b"".join((*bodies, _PAD)), np.uint8)
        return cls(data, edges[:-1], edges[1:])

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[bytes]:
        whole = self.data.data
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            yield bytes(whole[start:end])

    def chosen(self, which: Whole) -> "Messages":
        """Some of them, in the same order."""
        return Messages(self.data, self.starts[which], self.ends[which])


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in some messages, one entry for each field that was sent."""

    data: Octets
    count: int
    """How many rows there are: one for each message, or more."""
    owners: Whole
    """The row of the message; for one message, in the order of its bytes."""
    tags: Whole
    """Number * 8 + wire type."""
    values: Whole
    """Of varints, as 64 bits with a sign."""
    starts: Whole
    ends: Whole

    def chosen(self, number: int, kind: int) -> Whole:
        """The entries of a field in its wire type; in any other it would be another field."""
        found: Whole = np.flatnonzero(self.tags == number << 3 | kind)
        return found

    def one_of_each(self, number: int, kind: int) -> Whole:
        """As `chosen`, of a field that no message has twice."""
        found = self.chosen(number, kind)
        owners = self.owners[found]
        if (owners[1:] <= owners[:-1]).any() and np.bincount(owners).max() > 1:
            raise UnusualError
        return found

    def varints(self, number: int) -> Whole:
        """Of each row; 0 where it was not sent. UnusualError: not within 31 bits."""
        found = self.one_of_each(number, VARINT)
        values = self.values[found]
        if (values >> 31).any():
            raise UnusualError
        return self._placed(found, values)

    def fixed64(self, number: int) -> Whole:
        """As `varints`; all 64 bits, with a sign."""
        found = self.one_of_each(number, FIXED64)
        return self._placed(found, fixed(self.data, self.starts[found], "<i8"))

    def fixed32(self, number: int) -> Whole:
        found = self.one_of_each(number, FIXED32)
        return self._placed(found, fixed(self.data, self.starts[found], "<u4"))

    def messages(self, number: int) -> tuple[Whole, Messages]:
        """Their owners and they themselves, in the order of their bytes."""
        found = self.chosen(number, BYTES)
        found = found[np.argsort(self.starts[found], kind="stable")]
        return self.owners[found], Messages(self.data, self.starts[found], self.ends[found])

    def _placed(self, found: Whole, values: Any) -> Whole:
        placed = np.zeros(self.count, np.int64)
        placed[self.owners[found]] = values
        return placed


def fixed(data: Octets, starts: Whole, kind: str) -> Any:
    """Numbers of a fixed width: `<i8`, `<f8`, `<u4`."""
    room = len(data) - np.dtype(kind).itemsize + 1
    return np.ndarray(room, kind, data.data, strides=(1,))[starts]  # one at each octet


def fields(messages: Messages, rows: Whole | None = None, count: int | None = None) -> Fields:
    """All fields of the messages, which are of these among `count` rows: of all, in their order,
    when nothing is said. UnusualError: malformed, groups, too many of them.
    """
    steps = list(_steps(messages))
    columns = [np.concatenate(column) for column in zip(*steps, strict=True)] if steps else []
    owners, *others = columns or [np.zeros(0, np.int64)] * 5
    owners = owners if rows is None else rows[owners]
    return Fields(messages.data, len(messages) if count is None else count, owners, *others)


def _steps(messages: Messages) -> Iterator[tuple[Whole, Whole, Whole, Whole, Whole]]:
    data, at, ends = messages.data, messages.starts, messages.ends
    owners = np.arange(len(at))
    count = 0
    for _ in range(STEPS_MAX + 1):
        going = at < ends
        if not going.all():
            owners, at, ends = owners[going], at[going], ends[going]
        if not len(owners):
            return
        count += len(owners)
        if count > FIELDS_MAX:
            raise UnusualError
        tags, at = varints(data, at)
        values, starts, at = _value(data, tags, at)
        # No value is so long that a sum is out of range: `varints` gives 63 bits and a sign.
        if (at > ends).any() or (at < starts).any():
            raise UnusualError
        yield owners, tags, values, starts, at
    raise UnusualError


def _value(data: Octets, tags: Whole, at: Whole) -> tuple[Whole, Whole, Whole]:
    """Its number, where it starts, where it ends."""
    first = tags[0]
    if (tags == first).all():
        kind = int(first) & 7
        _check_tag(int(first), int(first))
        if kind in _WIDTHS:
            return at, at, at + _WIDTHS[kind]
        values, after = varints(data, at)
        return (values, at, after) if kind == VARINT else (values, after, after + values)
    _check_tag(int(tags.min()), int(tags.max()))
    kinds = tags & 7
    values, after = varints(data, at)
    is_bytes = kinds == BYTES
    starts = np.where(is_bytes, after, at)
    ends = np.where(is_bytes, after + values, after)
    for kind, width in _WIDTHS.items():
        ends = np.where(kinds == kind, at + width, ends)
    if not _KNOWN[kinds].all():
        raise UnusualError
    return values, starts, ends


_KNOWN: Final = np.array([kind in {VARINT, FIXED64, BYTES, FIXED32} for kind in range(8)])


def _check_tag(least: int, most: int) -> None:
    """Field numbers are 1 to 2^29 - 1."""
    if least < 8 or most >> 3 > _FIELD_MAX or not _KNOWN[least & 7]:
        raise UnusualError


def varints(data: Octets, at: Whole) -> tuple[Whole, Whole]:
    """The numbers that stand there, and where what follows them does. They may reach beyond the
    end of their message, which the caller is to notice.
    """
    octets = data[at]
    values = octets.astype(np.int64)
    at = at + 1
    longer = np.flatnonzero(octets >= 128)
    if not len(longer):
        return values, at
    values &= 0x7F
    for shift in range(7, 70, 7):
        octets = data[np.minimum(at[longer], len(data) - 1)]
        values[longer] |= (octets & 0x7F).astype(np.int64) << shift
        at[longer] += 1
        longer = longer[octets >= 128]
        if not len(longer):
            return values, at
    raise UnusualError
