"""Job: staged files that their writers left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.maintenance.job import Done, State, Tools


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file that was to become a part, and never will: nothing in it was acknowledged."""

    path: Path

    def __str__(self) -> str:
        return f"remove {self.path.name}: its writer has gone"

    def as_json(self) -> dict[str, Any]:
        return {"remove": str(self.path)}


class StagedLeftovers:
    """Removes what nobody is writing: writers hold a lock while they have something staged."""

    name = "staged"

    def plan(self, state: State) -> Sequence[Leftover]:
        return [Leftover(path) for path in state.leftovers]

    def carry_out(self, step: Leftover, tools: Tools) -> Done:
        try:
            size = step.path.stat().st_size
            tools.disk.remove(step.path)
        except FileNotFoundError:  # its writer failed just then, and took it back itself
            return Done(str(step))
        return Done(str(step), files_removed=1, bytes_freed=size)
