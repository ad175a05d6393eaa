"""What happens to events between the door and the disk, one step a file."""

from typing import Final

from store.collector.processors.mask import Mask
from store.collector.processors.processor import Processed, Processor

PROCESSORS: Final[tuple[Processor, ...]] = (Mask(),)
"""In their order; masking first, so that nothing after it sees a secret."""

__all__ = ["PROCESSORS", "Processed", "Processor"]
