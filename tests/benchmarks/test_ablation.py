"""What each step is worth: every variant still leaves out a step that is there."""

from __future__ import annotations

import pytest

from benchmarks.ablation import VARIANTS, Variant, run
from benchmarks.generator import Dials, generate


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_without_any_one_step_there_is_a_plan_and_a_bound(variant: Variant) -> None:
    reached = run(generate(Dials(projects=60, pools=8, binding="moves")), variant, 1.0)
    assert 0 < reached.value <= reached.bound
