"""How many random cases: some in each run, many when `EVENTDECK_CASES` says so."""

import os


def cases(usual):
    """`usual`, or what the environment asks for."""
    return int(os.environ.get("EVENTDECK_CASES", usual))
