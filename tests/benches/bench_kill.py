"""The promise over a kill -9, at length: collector, maintainer, commands and imports die in turn.

    python -m tests.benches.bench_kill [ROUNDS [SEED]]

Four senders retry numbered batches all the while. After each kill, at a random moment or at a
named step, all acknowledged events are read back, each once, and a new write is timed.
"""

import sys
import tempfile
import time
from pathlib import Path

from store.parts.check import check
from store.parts.layout import StoreFolder
from tests.killing import VICTIMS, Battlefield, Kills

ROUNDS = 500


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else rounds
    victims = ["collector", *VICTIMS]
    with tempfile.TemporaryDirectory() as scratch:
        begun = time.monotonic()
        with Battlefield(Path(scratch), seed) as field:
            for number in range(rounds):
                field.round(victims[number % len(victims)])
                if number % 50 == 49:
                    print(f"{number + 1} rounds", file=sys.stderr, flush=True)
            field.finish_imports()
        seconds = time.monotonic() - begun
        tell(field.kills, seconds)
        report = check(StoreFolder.open(field.store))
        print(
            f"check: {report.events:,} events, {report.unique_event_ids:,} ids, "
            f"{report.parts:,} parts, {len(report.faults)} faults, {report.covered} covered"
        )
        for victim in victims:
            for step in field.steps_of(victim):
                print(f"{field.kills.at[victim, step]:6}  {victim} {step}")


def tell(kills: Kills, seconds: float) -> None:
    times = sorted(kills.seconds_to_write)
    at_random = sum(n for (_, step), n in kills.at.items() if step == "at random")
    print(
        f"{kills.at.total()} kills in {seconds:.0f} s, {at_random} of them at random moments; "
        f"{kills.ended} processes ended before; {kills.again} batches were sent again"
    )
    print(f"{kills.acknowledged:,} events acknowledged: 0 lost, 0 twice, after every kill")
    print(
        f"a new write was accepted, a new collector's start included, after {times[len(times) // 2] * 1000:.0f} ms, "
        f"{times[-1]:.2f} s at most"
    )


if __name__ == "__main__":
    main()
