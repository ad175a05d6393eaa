"""Rollups: the cells of a part in a few fixed grids, kept on disk beside it and after it.

A rollup is what `reducing.partial` makes of a part that an edge cuts, with all the keys and numbers
that are worth keeping; so an answer takes its cells from there as it takes those of cut parts.
"""
