"""What is done to a store beside taking events in: one job a file, under one lock.

A new job is one file and one entry in JOBS, which a round runs in this order.
"""

from typing import Final

from store.maintenance.compaction import Compaction
from store.maintenance.covered import CoveredParts
from store.maintenance.duplicates import Duplicates
from store.maintenance.expiry import Expiry
from store.maintenance.job import AnyJob
from store.maintenance.quarantine import Quarantine
from store.maintenance.rollups import Rollups
from store.maintenance.staged import StagedLeftovers
from store.maintenance.volumes import BoundVolumes

JOBS: Final[tuple[AnyJob, ...]] = (
    Quarantine(),
    StagedLeftovers(),
    CoveredParts(),
    Compaction(),
    Duplicates(),
    Rollups(),
    Expiry(),
    BoundVolumes(),
)
