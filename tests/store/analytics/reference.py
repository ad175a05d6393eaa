"""Answers worked out in plain Python, one event at a time, to hold the engine's against."""

import math
from collections import defaultdict

import xxhash


def linear(values, quantile):
    """numpy's `linear` percentile."""
    ordered = sorted(values)
    rank = quantile * (len(ordered) - 1)
    low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    return low + (high - low) * (rank - math.floor(rank))


def links(rows):
    """device -> user, by the earliest event that has both; of one instant, the smaller hash."""
    both = [row for row in rows if row.get("user_id") and row.get("install_id")]
    first = {}
    for row in sorted(both, key=lambda row: (row["event_time"], hashed(row["user_id"]))):
        first.setdefault(row["install_id"], row["user_id"])
    return first


def hashed(text):
    """`subject_hash`."""
    return xxhash.xxh3_64_intdigest(text.encode())


def subjects(rows, linked):
    """Who the events belong to."""
    found = set()
    for row in rows:
        device = row.get("install_id")
        found.add(row.get("user_id") or linked.get(device) or device)
    return found - {None, ""}


def by_point(rows, width, start):
    """The rows of each point, by its number."""
    points = defaultdict(list)
    for row in rows:
        points[(row["event_time"] - start) // width].append(row)
    return points


def same(one, other, share=1e-9):
    """Whether two JSON values are equal, but for the rounding of sums in another order."""
    if isinstance(one, float) or isinstance(other, float):
        if one is None or other is None:
            return one is other
        return math.isclose(one, other, rel_tol=share, abs_tol=1e-9)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], share) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
