"""Characters of texts that a terminal would obey or hide, and JSON without them."""

import re
from typing import Final

OBEYED: Final = (
    "\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
)
"""For a regex's brackets: DEL, C1, what turns the direction of a text, and what has no width. C0
has to be looked for as well, where JSON does not escape it anyway."""
_OBEYED: Final = re.compile(f"[{OBEYED}\ud800-\udfff]")


def harmless_json(text: str) -> str:
    """The same JSON, with escapes for those characters."""
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
