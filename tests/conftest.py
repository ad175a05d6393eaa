"""What holds for all tests."""

import os

from hypothesis import settings

# Time on a busy machine says nothing about a property. A run tries the same cases each time, so
# that it judges the change and not the day; EVENTDECK_CASES draws new ones.
settings.register_profile(
    "eventdeck", deadline=None, derandomize="EVENTDECK_CASES" not in os.environ
)
settings.load_profile("eventdeck")
