from store.parts.disk import Disk
from store.parts.writer import PartWriter
from store.parts.writing import leftovers, writing
from store.tally import Tally
from store.testing import events_of


def test_what_a_dead_writer_left_is_removed(folder, round_of):
    leftover = folder.staging / "0-x-1.parquet.staged"
    leftover.write_bytes(b"half")
    report = round_of()
    assert not leftover.exists()
    assert report.as_json()["bytes_freed"] == 4


def test_what_a_living_writer_has_staged_stays_whatever_its_age(folder, clock, round_of, ids):
    class Slow(Disk):
        """A round is run between the writing of a part and its renaming."""

        def rename(self, source, target):
            assert round_of().as_json()["files_removed"] == 0
            super().rename(source, target)

    writer = PartWriter(folder, now=clock, disk=Slow())
    writer.commit(events_of([{}]), Tally({"stored": 1}))
    assert ids() == ["e000000"]


def test_many_write_at_once(folder):
    with writing(folder), writing(folder):
        (folder.staging / "0-x-1.parquet.staged").touch()
        assert leftovers(folder) == []
    assert [path.name for path in leftovers(folder)] == ["0-x-1.parquet.staged"]
