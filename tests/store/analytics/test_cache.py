"""What was computed is kept up to a bound, and the longest unused goes first."""

import polars as pl

from store.analytics.cache import PartialCache


def frame(kilobytes):
    return pl.DataFrame({"a": pl.Series([0] * 125 * kilobytes, dtype=pl.Int64)})


def test_what_is_used_stays_and_the_oldest_goes():
    cache = PartialCache(100_000)
    for name in "abcdefghi":
        cache.put(name, frame(10))
        cache.get("a")
    assert cache.get("a") is not None
    assert cache.get("i") is not None
    cache.put("j", frame(10))
    assert cache.get("b") is None
    assert cache.size_bytes <= 100_000


def test_an_entry_that_would_push_out_the_rest_is_not_kept():
    cache = PartialCache(100_000)
    cache.put("small", frame(1))
    cache.put("large", frame(20))
    assert cache.get("large") is None
    assert cache.get("small") is not None


def test_an_entry_put_again_is_counted_once():
    cache = PartialCache(100_000)
    for _ in range(50):
        cache.put("a", frame(5))
    assert cache.size_bytes < 7_000


def test_what_is_put_in_the_place_of_another_takes_its_room():
    cache = PartialCache(100_000)
    for name in "abcdefghi":
        cache.put(name, frame(1), place="now")
    assert [name for name in "abcdefghi" if cache.get(name) is not None] == ["i"]
    assert cache.size_bytes < 3_000
    cache.put("i", frame(1), place="now")
    cache.put("large", frame(50), place="now")
    assert cache.get("i") is None
    for number in range(1_000):
        cache.put(number, frame(1), place=("other", number))
    assert cache.size_bytes <= 100_000
    assert len(cache._placed) < 200
