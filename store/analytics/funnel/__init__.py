"""Funnels: who goes from step to step, how fast, and who does not."""
