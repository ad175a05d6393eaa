"""A small store of a made-up day, the program that makes it, and copies that end now."""

from sample_data.copies import copy_shifted, write_demo_history

__all__ = ["copy_shifted", "write_demo_history"]
