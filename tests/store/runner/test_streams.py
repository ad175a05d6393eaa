"""What a command gets in place of our streams."""

import pytest

from store.runner.streams import Streams, Ways, ways


@pytest.mark.parametrize(
    ("stdin", "stdout", "stderr", "are_one", "wanted"),
    [
        (True, True, True, True, Ways(True, "terminal", "with stdout")),
        (True, True, False, False, Ways(True, "terminal", "pipe")),
        (True, False, True, False, Ways(False, "pipe", "terminal")),
        (True, False, False, True, Ways(False, "pipe", "with stdout")),
        (False, True, True, True, Ways(False, "terminal", "with stdout")),
        (False, False, False, False, Ways(False, "pipe", "pipe")),
        (False, False, False, True, Ways(False, "pipe", "with stdout")),
    ],
)
def test_a_terminal_stays_one_and_the_order_of_what_is_one_stays(
    stdin, stdout, stderr, are_one, wanted
):
    found = ways(Streams(stdin, stdout, stderr, are_one=are_one))
    assert found == wanted
    assert found.stdout_name == ("" if wanted.stderr == "with stdout" else "stdout")
