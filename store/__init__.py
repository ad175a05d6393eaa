"""Recording and reading events: everything below the screens."""
