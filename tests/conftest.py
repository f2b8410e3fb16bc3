"""Settings for every test: hypothesis without deadlines, since the machine is shared and small."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# The same examples each time, so that a change is judged by what it changed; `long` goes by chance.
settings.register_profile(
    "tests", deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("tests"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))
