"""What each step is worth: every variant still leaves out a step that is there."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from benchmarks.ablation import VARIANTS, Variant, run
from benchmarks.generator import Dials, generate
from gpu_opt import Options

LAB = Dials(projects=60, pools=8, binding="moves")
FIRST = {"no reduction", "no merging", "no uniting", "no choice of lumps", "no dive"}
"""Steps that come before the first job that work is counted by."""


WORK = Options(gap=0.0, work_limit=4)
"""No seconds: a slow machine may use up any number of them before a step is reached."""


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_without_any_one_step_there_is_a_plan_and_a_bound(variant: Variant) -> None:
    """And what takes the place of a step that comes first is called, so it is this step that is left out."""
    asked: list[Mock] = []

    def noted(other: Any) -> Any:
        if not callable(other):
            return other
        asked.append(Mock(wraps=other))
        return asked[-1]

    changes = tuple((module, name, noted(other)) for module, name, other in variant.changes)
    reached = run(generate(LAB), Variant(variant.name, changes), WORK)
    assert 0 < reached.value <= reached.bound
    assert variant.name not in FIRST or all(each.called for each in asked)
