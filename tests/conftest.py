"""What every test shares: property tests that do not look at the clock, and try the same examples every time.

`make test-properties` tries more of them (`HYPOTHESIS_PROFILE=wide`); the profile `search` looks for new ones, and what
it finds becomes an `@example`.
"""

import os

from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fixed", max_examples=20, derandomize=True, **_COMMON)
settings.register_profile("wide", max_examples=100, derandomize=True, **_COMMON)
settings.register_profile("search", max_examples=400, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
