"""The lines of an output that may hold an event, in whatever pieces it comes."""

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.vacuum.sieve import Found, Sieve, sift

LIMIT = 200
PIECES = st.sampled_from(
    [
        b'{"_e": 1, "a": 2}',
        b'{"_e":1}',
        b"plain text ",
        b"\n",
        b"\r\n",
        b'"_e"',
        b"\x00\xff\x1b[2J",
        b"x" * 150,
        b'{"level": "info"}',
        b'level=info msg="a b"',
    ]
)
OUTPUTS = st.lists(PIECES, max_size=30).map(b"".join)


def fed(output, *cuts, logs=False):
    sieve = Sieve(LIMIT, logs=logs)
    edges = [0, *sorted(min(cut, len(output)) for cut in cuts), len(output)]
    founds = [sieve.feed(output[a:b]) for a, b in itertools.pairwise(edges)]
    founds.append(sieve.close())
    return [
        pair for found in founds for pair in zip(found.numbers, found.lines, strict=True)
    ], sieve.line


@given(OUTPUTS, st.lists(st.integers(0, 900), max_size=12), st.booleans())
def test_wherever_it_is_cut_the_same_lines_are_found(output, cuts, logs):
    assert fed(output, *cuts, logs=logs) == fed(output, logs=logs)


@given(OUTPUTS)
def test_every_line_with_the_flag_is_found_under_its_number(output):
    lines = enumerate(output.split(b"\n"), 1)
    wanted = [(n, line) for n, line in lines if b'"_e"' in line and len(line) <= LIMIT]
    found = [pair for pair in fed(output, 7)[0] if len(pair[1]) <= LIMIT]
    assert found == wanted


@pytest.mark.parametrize("flag_at", [0, LIMIT - 2, LIMIT * 3])
def test_of_a_long_line_with_the_flag_the_start_is_given(flag_at):
    line = b"{" + b" " * flag_at + b'"_e": 1,' + b"x" * LIMIT * 4
    for cuts in ([], range(0, 2000, 13), [flag_at + 3]):
        found, following = fed(b"a\n" + line + b"\nb\n", *cuts)
        assert found == [(2, line[: LIMIT + 1])]
        assert following == 4


def test_a_long_line_without_it_is_no_loss_and_ends_where_it_ends():
    found, _ = fed(b"x" * 10_000 + b'\n{"_e":1}\n', *range(0, 10_000, 100))
    assert found == [(2, b'{"_e":1}')]


def test_a_line_of_a_gigabyte_costs_no_more_than_a_line_may_have():
    sieve = Sieve(256 * 1024)
    piece = b"\x1b[31m" * 52_429
    tracemalloc.start()
    for _ in range(1024 * 1024 * 1024 // len(piece)):
        sieve.feed(piece)
    found = sieve.feed(b'\n{"_e":1}\n')
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.numbers, found.lines) == ([2], [b'{"_e":1}'])
    assert peak < 4 * 1024 * 1024


def test_with_logs_what_looks_like_one_is_given_too():
    found = Found()
    text = b'hello\n{"a": 1}\n level=info msg=x\nlevel: info\nan "_e" here\n'
    assert sift(text, 10, LIMIT, found, logs=True) == 15
    assert found.numbers == [11, 12, 14]
