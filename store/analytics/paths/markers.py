"""Words in the place of an event's name for what is no event; an event of such a name stands in
quotes there, so that the bare word is always the marker.
"""

import re
from typing import Final

START: Final = "… start"
"""Where a session truly began."""
END: Final = "… end"
"""Where a session truly ended."""
OTHER: Final = "… other"
"""All that is not shown by itself."""
PATH_START: Final = "path_start"
PATH_END: Final = "path_end"
"""What comes before the first and after the last event of a session."""
MARKERS: Final = frozenset({START, END, OTHER, PATH_START, PATH_END})
_LIKE_ONE: Final = re.compile(f'"*(?:{"|".join(sorted(MARKERS))})"*')


def told_name(name: str) -> str:
    """An event's name as answers have it: `"path_end"`, in quotes, where it reads as a marker (or
    as one in quotes); no two names become one.
    """
    return f'"{name}"' if _LIKE_ONE.fullmatch(name) else name


def event_named(told: str) -> str | None:
    """The event that `told_name` told of; None for a marker."""
    if told in MARKERS:
        return None
    return told[1:-1] if _LIKE_ONE.fullmatch(told) else told
