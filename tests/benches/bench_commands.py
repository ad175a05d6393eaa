"""What the command line itself costs: `--version` and a question, beside Python and Polars alone.

Run it with `python -m tests.benches.bench_commands`.
"""

import subprocess
import sys
import tempfile
import time

ROUNDS = 7


def main() -> None:
    with tempfile.TemporaryDirectory() as store:
        deck = ["-m", "tui.cli", "--store", store]
        bare, polars = ["-c", "pass"], ["-c", "import polars, pyarrow.parquet"]
        compare("--version", ["-m", "tui.cli", "--version"], "python -c pass", bare)
        compare("collect --help", [*deck, "collect", "--help"], "python -c pass", bare)
        compare("query top, no events", [*deck, "query", "top"], "import polars, pyarrow", polars)


def compare(name: str, ours: list[str], peer_name: str, peer: list[str]) -> None:
    mine, theirs = best(ours), best(peer)
    print(
        f"{name:22} {mine:6.1f} ms, {peer_name} {theirs:6.1f} ms: "
        f"{mine - theirs:+.1f} ms, ratio {mine / theirs:.2f}"
    )


def best(words: list[str]) -> float:
    """Milliseconds of the fastest of some runs."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        times.append((time.perf_counter() - started) * 1_000)
    return min(times)


if __name__ == "__main__":
    main()
