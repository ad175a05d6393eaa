"""A program of ours that dies at a named step: for tests, which set the time of its death.

    python -m tests.mortal ORDERS MODULE [ARGUMENT…]
    python -m tests.mortal ORDERS -            (the program is the text of the variable PROGRAM)

A step is a moment just before or after one of the calls that reach the disk, named by the call and
by where in the store it goes: `after rename events`. Each step that is passed for the first time
is appended to ORDERS/steps. When ORDERS/death holds the name of a step, the process is killed
there, by SIGKILL.
"""

import functools
import os
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.parts.disk import Disk

AREAS = ("events", "staged", "quarantine", "rollups", "maintenance.json", "store.json")


class Fate:
    """What the orders say; read anew at every step, so that a running process can be killed."""

    def __init__(self, orders: Path) -> None:
        self.death = orders / "death"
        self.steps = orders / "steps"
        self.passed: set[str] = set()

    def at(self, step: str) -> None:
        if step not in self.passed:
            self.passed.add(step)
            with self.steps.open("a") as file:
                file.write(f"{step}\n")
        try:
            due = self.death.read_text() == step
        except FileNotFoundError:
            return
        if due:
            self.death.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def mortal(call: Callable[..., Any], name: str, fate: Fate) -> Callable[..., Any]:
    """`call`, with a step before and one after it."""

    @functools.wraps(call)
    def called(disk: Disk, *what: Any) -> Any:
        target = next((each for each in reversed(what) if isinstance(each, Path)), None)
        where = area_of(target) if target else ""
        step = f"{name} {where}".strip()
        fate.at(f"before {step}")
        done = call(disk, *what)
        fate.at(f"after {step}")
        return done

    return called


def area_of(path: Path) -> str:
    """The part of the store that a path belongs to."""
    return next((area for area in AREAS if area in path.name or area in path.parts), "store")


def main() -> None:
    orders, module, *arguments = sys.argv[1:]
    fate = Fate(Path(orders))
    for name in [name for name in vars(Disk) if not name.startswith("_")]:
        setattr(Disk, name, mortal(getattr(Disk, name), name, fate))
    sys.argv = [module, *arguments]
    if module == "-":
        exec(os.environ["PROGRAM"], {"__name__": "__main__"})
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
