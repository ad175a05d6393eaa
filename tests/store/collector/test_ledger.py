import threading

import pytest

from store.collector.ledger import Ledger
from store.tally import Tally


def stored(count):
    return Tally({"stored": count}, {"native": count})


def rejected(count):
    return Tally({"rejected": count}, {"native": count}, {"rejected.bad_json": count})


class Footers:
    """What the parts of a store add up to."""

    def __init__(self):
        self.tallies = []

    def total(self):
        return Tally.total(self.tallies)

    def write(self, tally):
        self.tallies.append(tally)
        return "written"


@pytest.fixture
def footers():
    return Footers()


@pytest.fixture
def ledger(footers):
    return Ledger(footers.total)


def test_what_waits_rides_with_the_next_commit(ledger, footers):
    ledger.add(rejected(2))
    assert ledger.age is not None
    assert ledger.commit(stored(5), footers.write) == "written"
    assert footers.tallies == [rejected(2) + stored(5)]
    assert ledger.age is None


def test_the_total_is_the_same_before_and_after_a_commit(ledger, footers):
    ledger.add(rejected(2))
    before = ledger.total()
    ledger.commit(Tally(), footers.write)
    assert ledger.total() == before == rejected(2)


def test_a_commit_that_fails_loses_no_count(ledger, footers):
    def fail(tally):
        raise OSError("no room")

    ledger.add(rejected(2))
    with pytest.raises(OSError, match="no room"):
        ledger.commit(stored(5), fail)
    assert ledger.total() == rejected(2)
    ledger.commit(stored(5), footers.write)
    assert ledger.total() == rejected(2) + stored(5)


def test_counting_never_waits_for_the_disk_but_the_total_does(ledger, footers):
    writing, go_on = threading.Event(), threading.Event()

    def slow(tally):
        writing.set()
        assert go_on.wait(60)
        return footers.write(tally)

    commit = threading.Thread(target=ledger.commit, args=(stored(5), slow))
    commit.start()
    writing.wait(60)
    ledger.add(rejected(1))
    totals = []
    asking = threading.Thread(target=lambda: totals.append(ledger.total()))
    asking.start()
    asking.join(0.05)
    assert totals == []
    go_on.set()
    commit.join()
    asking.join()
    assert totals == [stored(5) + rejected(1)]
