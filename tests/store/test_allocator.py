import os
import subprocess
import sys

import pyarrow as pa
import pytest

from store.allocator import FREED_MEMORY

ASKS = """
from store.allocator import give_freed_memory_back
give_freed_memory_back()
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize("named", [None, *pa.supported_memory_backends()])
def test_arrow_takes_its_memory_from_the_system_unless_the_user_says_otherwise(named):
    plain = {name: text for name, text in os.environ.items() if name not in FREED_MEMORY}
    chosen = {"ARROW_DEFAULT_MEMORY_POOL": named} if named else {}
    found = subprocess.run(
        [sys.executable, "-c", ASKS], check=True, stdout=subprocess.PIPE, env=plain | chosen
    )
    assert found.stdout.split() == [(named or "system").encode()]
