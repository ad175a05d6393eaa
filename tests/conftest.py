"""What holds for all tests."""

from hypothesis import settings

# Time on a busy machine says nothing about a property.
settings.register_profile("eventdeck", deadline=None)
settings.load_profile("eventdeck")
