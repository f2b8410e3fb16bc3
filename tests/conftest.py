"""Settings for every test: hypothesis without deadlines, since the machine is shared and small."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("tests"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))
