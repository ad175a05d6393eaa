"""A small store of a made-up day, the program that makes it, and copies that end now."""
