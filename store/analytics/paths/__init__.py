"""What people do one after the other: paths, transitions, and where they stop."""
