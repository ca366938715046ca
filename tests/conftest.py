"""What every test shares: property tests that do not look at the clock."""

from hypothesis import HealthCheck, settings

settings.register_profile("webfarer", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("webfarer")
