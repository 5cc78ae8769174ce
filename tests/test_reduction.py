"""Caps, limits and the budget of moves are rounded down to what whole units can add up to."""

from __future__ import annotations

import pytest

from gpu_opt.allocation.reduction import reduce
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from gpu_opt.organization import Limit, Organization
from tests.building import lab, pool, project, root, team

POOLS = [pool("iowa", 64, unit=8), pool("ohio", 64, unit=12), pool("rio", 64, unit=8, gpu_type="gb200")]


def reduced(organization: Organization) -> Instance:
    return reduce(build_instance(organization, organization.as_of)).instance


def test_a_limit_is_what_its_pools_units_can_add_up_to() -> None:
    """Units of 8 and 12 add up to multiples of 4, units of 8 alone to multiples of 8."""
    teams = [root(), team("research", limits={"h100": Limit(cap=27), "gb200": Limit(cap=15)})]
    part = reduced(lab(POOLS, teams, [project(name, 400, "research") for name in ("orion", "vela")]))
    assert [limit.gpus for limit in part.limits] == [24, 8]


def test_a_limit_that_holdings_exceed_stays() -> None:
    teams = [root(), team("research", limits={"gb200": Limit(cap=15)})]
    part = reduced(lab(POOLS, teams, [project("orion", 400, "research", holds={"rio": 24})]))
    assert [(limit.gpus, limit.over) for limit in part.limits] == [(15, 9)]


def test_a_cap_is_what_units_below_it_can_add_up_to() -> None:
    """Units of 8 h100 count 8, of 8 gb200 20: multiples of 4; of the team that has no gb200, of 8."""
    teams = [root(), team("research", cap=50), team("alpha", "research", cap=31), team("beta", "research")]
    projects = [
        project("orion", 400, "alpha", pools=["iowa"]),
        project("vela", 400, "alpha", pools=["iowa"]),
        project("lyra", 400, "beta", pools=["rio"]),
    ]
    part = reduced(lab(POOLS, teams, projects))
    assert [cap and cap / 1000 for cap in part.teams.cap] == [None, 48.0, 24.0, None]


def test_a_cap_that_holdings_exceed_stays() -> None:
    teams = [root(), team("research", cap=31)]
    part = reduced(lab(POOLS, teams, [project("orion", 400, "research", holds={"iowa": 40}, pools=["iowa"])]))
    assert part.teams.cap[1] == 31_000
    assert part.teams.over[1] == 9_000


def test_moves_are_whole_units_of_what_is_held() -> None:
    projects = [
        project("orion", 400, holds={"iowa": 16}),
        project("lyra", 400, holds={"ohio": 24}),
        project("vela", 400),
    ]
    assert reduced(lab(POOLS, projects=projects, max_moves=23)).max_moves == 20
    assert reduced(lab(POOLS, projects=projects[:1], max_moves=15)).max_moves == 8


@pytest.mark.parametrize(("moves", "left"), [(15, 8), (16, None), (100_000_000, None)])
def test_a_budget_of_moves_that_all_holdings_fit_under_binds_nothing(moves: int, left: int | None) -> None:
    projects = [project("orion", 400, holds={"iowa": 16}), project("vela", 400)]
    organization = lab(POOLS, projects=projects, max_moves=moves)
    found = reduce(build_instance(organization, organization.as_of))
    assert found.instance.max_moves == left
    assert found.removed["budgets"] == (left is None)
