"""JSON that no terminal obeys."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from store.terminals import harmless_json
from tui.formatting import clean

HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@given(st.text(st.characters(categories=None) | st.sampled_from("\x9b\u202e\u200b\ufeff\x7f")))
def test_it_says_the_same_and_holds_nothing_that_is_obeyed_or_hidden(text):
    written = harmless_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(written) == [text]
    assert not HOSTILE.search(written)


def test_what_is_shown_to_people_knows_the_same_characters():
    for number in range(0x10000):
        if harmless_json(chr(number)) != chr(number):
            assert clean(chr(number)) != chr(number), hex(number)
