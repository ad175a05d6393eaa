"""How this program starts parts of itself as processes of their own."""

import os
from pathlib import Path

import store
from store.allocator import FREED_MEMORY


def environment() -> dict[str, str]:
    """In which `python -P -m store.…` finds this very package, wherever the user stands, and memory
    that was freed goes back to the system.
    """
    paths = (str(Path(store.__file__).parents[1]), os.environ.get("PYTHONPATH", ""))
    return {**FREED_MEMORY, **os.environ} | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
