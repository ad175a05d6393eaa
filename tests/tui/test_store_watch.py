from store.errors import StoreError
from tests.tui.fake_store import FakeStore
from tui.store_watch import StoreWatch


def watching(store):
    posted = []
    return StoreWatch(store, posted.append), posted


def test_a_change_is_told_once():
    store = FakeStore(events=10)
    watch, posted = watching(store)
    watch.look()
    watch.look()
    store.events = 12
    watch.look()
    assert [change.events for change in posted] == [10, 12]


def test_a_listing_that_fails_is_tried_again():
    store = FakeStore(events=10)
    watch, posted = watching(store)
    fine = store.snapshot

    def gone():
        raise StoreError("part", "it is gone")

    store.snapshot = gone
    watch.look()
    store.snapshot = fine
    watch.look()
    assert [change.events for change in posted] == [10]


def test_an_empty_store_is_told_too():
    watch, posted = watching(FakeStore(events=0))
    watch.look()
    assert posted[0].events == 0
    assert posted[0].span is None
