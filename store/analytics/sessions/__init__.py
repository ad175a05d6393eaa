"""Sessions: pieces of them that add up, and what they come to."""
