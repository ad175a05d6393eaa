"""One collector for the runs of a module, which join it."""

import pytest

from tests.collecting import collecting, settings


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "store"
    with collecting(settings(folder)):
        yield folder
