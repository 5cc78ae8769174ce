"""An instance that is large enough to search in."""

from __future__ import annotations

import pytest

from benchmarks.generator import Dials, generate
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance

DIALS = Dials(projects=60, pools=8, tiers=2)


@pytest.fixture(scope="module")
def instance() -> Instance:
    organization = generate(DIALS)
    return build_instance(organization, organization.as_of)
