"""How tests are run: Hypothesis' profiles, and the option that rewrites the golden files."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.public_data import data

__all__ = ["data"]  # a fixture for every test

# No deadline and no complaint about slow drawing: a busy machine is nobody's fault.
settings.register_profile(
    "fast", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("fast"), derandomize=True, print_blob=True)
settings.register_profile("thorough", settings.get_profile("fast"), max_examples=1000)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "fast")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites golden files."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )
