"""What is handed out without a solver keeps every constraint, whatever it starts from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import is_feasible
from gpu_opt.allocation.greedy import fill, keep_holdings
from gpu_opt.allocation.rounding import round_relaxation
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from tests.strategies import organizations

instances = organizations(max_projects=4, max_pools=3).map(lambda each: build_instance(each, each.as_of))


def parts(instance: Instance) -> st.SearchStrategy[list[float]]:
    """A share of every arc's most units: none or all of them, or some."""
    arcs = len(instance.arcs.upper)
    return st.lists(st.sampled_from((0.0, 1.0)) | st.floats(0, 1), min_size=arcs, max_size=arcs)


@given(instances, st.data())
def test_what_is_handed_out_on_top_of_a_plan_leaves_it_a_plan(
    instance: Instance, data: st.DataObject
) -> None:
    x = np.floor(np.array(data.draw(parts(instance))) * instance.arcs.upper).astype(np.int64)
    if not is_feasible(instance, x):
        x = keep_holdings(instance)
    assert is_feasible(instance, fill(instance, x))


@given(instances, st.data())
def test_what_is_rounded_keeps_everything_but_the_number_of_moves(
    instance: Instance, data: st.DataObject
) -> None:
    assume(len(instance.arcs.upper))
    relaxed = np.array(data.draw(parts(instance))) * instance.arcs.upper.astype(np.float64)
    unlimited = replace(instance, max_moves=None)
    assert is_feasible(unlimited, round_relaxation(instance, relaxed))
