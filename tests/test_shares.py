"""Shares of a demand, added up exactly: where doubles cannot tell, and by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gpu_opt.allocation.appraisal import is_feasible
from gpu_opt.allocation.greedy import fill
from gpu_opt.allocation.shares import units_left
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Pool, Project
from tests.building import TODAY, lab, pool, project


def instance_of(pools: list[Pool], one: Project) -> Instance:
    return build_instance(lab(pools, projects=[one]), TODAY)


def units(*counts: int) -> Ints:
    return np.array(counts, dtype=np.int64)


def test_a_share_of_one_in_a_million_millions_too_much_is_too_much() -> None:
    instance = instance_of(
        [pool("iowa", 2_000_000), pool("ohio", 2_000_000, gpu_type="gb200")],
        project("orion", 1_000_001, speeds={"h100": 1.0, "gb200": 1.001}),
    )
    assert instance.arcs.needed.tolist() == [1_000_001, 999_002]
    too_much = units(500_501, 499_001)  # 1 + 1 / (1,000,001 · 999,002)
    assert not is_feasible(instance, too_much)
    assert is_feasible(instance, too_much - units(1, 0))
    assert is_feasible(instance, too_much - units(0, 1))
    assert [units_left(instance, too_much, arc) for arc in (0, 1)] == [-1, -1]
    assert [units_left(instance, too_much - units(1, 0), arc) for arc in (0, 1)] == [0, 0]


def test_three_thirds_are_all_of_it() -> None:
    pools = [pool(name, 30, unit=10) for name in ("iowa", "ohio", "texas")]
    instance = instance_of(pools, project("orion", 21))
    thirds = units(1, 1, 1)
    assert is_feasible(instance, thirds)
    assert [units_left(instance, thirds - units(0, 0, 1), arc) for arc in range(3)] == [1, 1, 1]
    assert not is_feasible(instance, thirds + units(0, 1, 0))


def test_wanted_holdings_beyond_the_demand_are_allowed_and_no_more() -> None:
    pools = [pool("iowa", 20, unit=4), pool("ohio", 20, unit=5)]
    instance = instance_of(pools, project("orion", 10, holds={"iowa": 8, "ohio": 5}))
    held = units(2, 1)  # 13, and 9 would not do: 2 of 3 units and 1 of 2
    assert instance.arcs.wanted.tolist() == held.tolist()
    assert instance.projects.most_share == (Fraction(7, 6),)
    assert instance.arcs.upper.tolist() == [3, 2]
    assert is_feasible(instance, held)
    assert [units_left(instance, held, arc) for arc in (0, 1)] == [0, 0]
    assert not is_feasible(instance, units(1, 2))


def test_units_of_several_pools_need_not_add_up_to_a_demand() -> None:
    instance = instance_of([pool("iowa", 8, unit=4), pool("ohio", 5, unit=5)], project("orion", 10))
    for start in (units(0, 0), units(2, 0), units(1, 0)):
        handed_out = fill(instance, start)
        assert is_feasible(instance, handed_out)
        assert handed_out.tolist() in ([2, 0], [1, 1])  # 13 for 10: 2 of 3 units and 1 of 2 are too much
