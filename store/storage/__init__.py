"""Storage: events and metrics in and out by five doors, whatever keeps them.

`Partitions` keeps them as parts in a folder, `Memory` in this process, for tests and development.
"""

from store.storage.memory import Memory
from store.storage.partitions import Partitions
from store.storage.storage import Deleted, Storage

__all__ = ["Deleted", "Memory", "Partitions", "Storage"]
