"""Recording and reading events: everything below the screens."""

from typing import Final

VERSION: Final = "0.1.0"
