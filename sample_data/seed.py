"""Makes the sample store: `python -m sample_data.seed`.

A day of a shop and of coding agents, about 50,000 events, in the real format and below 2 MB. The
same seed gives the same events; the bytes of the files also depend on the Parquet writer.
"""

import shutil
from pathlib import Path

from sample_data.storing import END, STORE, commit, sample
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter


def write(folder: Path) -> None:
    """A new sample store in `folder`, in place of what was there."""
    if folder.exists():
        shutil.rmtree(folder)
    writer = PartWriter(StoreFolder.open(folder, create=True), now=lambda: END, writer="sample")
    commit(writer, sample())


if __name__ == "__main__":
    write(STORE)
    files = [path for path in STORE.rglob("*") if path.is_file()]
    print(f"{STORE}: {len(files)} files, {sum(path.stat().st_size for path in files):,} bytes")
