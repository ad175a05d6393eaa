"""All checks, in the order of how fast they say no: `python -m tests`."""

import subprocess
import sys
from pathlib import Path

CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("lint-imports",),
    ("mypy",),
    ("pytest", "-q", "-n", "2"),
)


def main() -> int:
    """Run every check with this interpreter's tools; the exit code is the first failure's."""
    root = Path(__file__).parent.parent
    tools = Path(sys.executable).parent
    for tool, *options in CHECKS:
        print(f"== {tool} {' '.join(options)}".rstrip(), flush=True)
        code = subprocess.run([tools / tool, *options], cwd=root, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
