"""`python -m store.maintenance`: one round, at low priority; the collector starts it.

Reads its settings as JSON from standard input and ends with the round: its memory goes back, and
whatever happens to it harms nobody. For people there are `eventdeck compact` and `expire`.
"""

import json
import os
import sys
from typing import Final

from store.errors import StoreError
from store.maintenance.maintainer import BusyError, Maintainer
from store.parts.layout import StoreFolder
from store.settings import settings_from

NICENESS: Final = 19
"""What comes in goes first: on two busy cores a round gets some hundredth of the time."""


def main() -> int:
    """0 when the round is done, or when another process is at it; else the error's code."""
    settings = settings_from(json.load(sys.stdin), "standard input")
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        with Maintainer(StoreFolder.open(settings.store), settings) as maintainer:
            report = maintainer.round()
    except BusyError:
        return 0
    except StoreError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    for fault in report.faults:
        print(fault, file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
