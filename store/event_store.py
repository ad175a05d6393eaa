"""EventStore: the one door to what is stored."""
