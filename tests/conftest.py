"""All tests: the folder of tests is importable, and the profiles of the property tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

from elsewhere import Elsewhere

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
# The gate tries the same cases each time, so that it says the same on every machine; `nightly`
# looks for new ones.
settings.register_profile(
    "ci", max_examples=80, deadline=None, derandomize=True, suppress_health_check=_SLOW
)
settings.register_profile(
    "quick", parent=settings.get_profile("ci"), max_examples=25, derandomize=False
)
settings.register_profile(
    "nightly", parent=settings.get_profile("ci"), max_examples=20_000, derandomize=False
)
# What one test compiled must not be what another reads, nor land with whoever runs the tests.
os.environ["OVERTURE_CACHE"] = "off"

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Someone else's server."""
    running = Elsewhere()
    yield running
    running.close()
