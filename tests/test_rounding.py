"""From fractions to whole units: what is handed out, rounded, dived for or lifted keeps every rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt import solver
from gpu_opt.allocation.appraisal import appraise, is_feasible, moved_gpus
from gpu_opt.allocation.dive import dive
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.greedy import fill, keep_holdings
from gpu_opt.allocation.ledger import open_ledger, room, rooms
from gpu_opt.allocation.lifting import lift
from gpu_opt.allocation.merging import merge
from gpu_opt.allocation.rounding import round_relaxation
from gpu_opt.allocation.strategy.lumps import NOTHING, SOME
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.allocation.strategy.relaxation import Relaxation, read_units, relaxation_of
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from tests.building import lab, pool, project, root, team
from tests.searching import instance
from tests.strategies import organizations

__all__ = ["instance"]  # a fixture


@given(organizations(max_projects=5, max_pools=3), st.booleans())
def test_the_room_of_a_projects_arcs_is_that_of_each(organization: Organization, is_merged: bool) -> None:
    instance = build_instance(organization, organization.as_of)
    if is_merged:
        instance = merge(instance).instance
    for x in (np.zeros_like(instance.arcs.wanted), instance.arcs.wanted):  # these may be over something
        ledger = open_ledger(instance, x)
        for j, arcs in enumerate(instance.projects.arcs):
            assert rooms(ledger, j).tolist() == [room(ledger, a) for a in arcs]


@given(organizations(max_projects=5, max_pools=3))
def test_todays_holdings_are_always_a_plan(organization: Organization) -> None:
    instance = build_instance(organization, organization.as_of)
    assert is_feasible(instance, keep_holdings(instance))


@given(organizations(max_projects=5, max_pools=3))
def test_handing_out_what_is_free_makes_no_goal_worse(organization: Organization) -> None:
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    keep = keep_holdings(instance)
    filled = fill(instance, keep)
    assert is_feasible(instance, filled)
    for goal, before, after in zip(
        goals, appraise(instance, goals, keep), appraise(instance, goals, filled), strict=True
    ):
        assert after >= before - 1e-9 if goal.sense == "maximize" else after <= before + 1e-9


@given(organizations(max_projects=3, max_pools=2), st.data())
def test_rounding_keeps_every_rule_but_the_move_budget(
    organization: Organization, data: st.DataObject
) -> None:
    unlimited = organization.model_copy(
        update={"policy": organization.policy.model_copy(update={"max_moves": None})}
    )
    instance = build_instance(unlimited, unlimited.as_of)
    relaxed = np.array([data.draw(st.floats(0, float(most))) for most in instance.arcs.upper])
    assert is_feasible(instance, round_relaxation(instance, relaxed))


def relaxation(instance: Instance) -> Relaxation:
    goals = list_goals(instance)
    position = next(k for k, goal in enumerate(goals) if goal.kind == "value")
    return relaxation_of(instance, Aim(goals[position], goals[:position], (0.0,) * position))


def stated(relaxation: Relaxation) -> list[object]:
    problem = relaxation.problem
    bounds = [(v.name, v.lowBound, v.upBound) for v in problem.variables()]
    sides = [(row.name, row.constant) for row in problem.constraints()]
    assert problem.objective is not None
    return [bounds, sides, sorted((v.name, c) for v, c in problem.objective.items())]


def test_a_dive_leaves_the_relaxation_as_it_was(instance: Instance) -> None:
    lp = relaxation(instance)
    before = stated(lp)
    halves = instance.arcs.upper / 2.0
    assert dive(lp, halves, [(0, NOTHING)], lambda: False) is halves
    assert stated(lp) == before


def test_a_dive_goes_on_until_nothing_is_left_in_halves(instance: Instance) -> None:
    lp = relaxation(instance)
    calls = []

    def nothing() -> bool:
        calls.append(1)
        for variable in lp.problem.variables():
            variable.varValue = 0.0
        return True

    assert not dive(lp, instance.arcs.upper / 2.0, [], nothing).any()
    assert len(calls) == 1


def test_a_dive_gives_nothing_to_whom_its_team_chose_to_give_nothing(instance: Instance) -> None:
    lp = relaxation(instance)
    left_out = next(j for j, own in enumerate(instance.projects.arcs) if own)

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    units = dive(lp, read_units(lp), [(left_out, NOTHING)], solved)
    own = instance.projects.arcs[left_out]
    assert not units[own.start : own.stop].any()
    assert units.any()


@pytest.mark.parametrize(("holders_stay", "kept"), [(True, 4), (False, 0)])
def test_a_dive_moves_a_whole_holding_where_it_is_let_and_the_budget_has_the_moves(
    holders_stay: bool, kept: int
) -> None:
    """The cap funds orion's minimum or lyra's; the relaxation leaves orion a quarter of what it holds."""
    orion = project("orion", 4, minimum=4, holds={"iowa": 4})
    lyra = project("lyra", 4, minimum=4, priority=9)
    organization = lab([pool("iowa", 8)], projects=[orion, lyra], teams=[root(cap=5)], max_moves=5)
    lp = relaxation(build_instance(organization, organization.as_of))

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    units = dive(lp, read_units(lp), [], solved, holders_stay=holders_stay)
    assert units.tolist() == pytest.approx([kept, 4 - kept])


def test_a_dive_does_not_give_up_more_than_the_budget_has_moves_for() -> None:
    holders = [project(name, 4, minimum=4, holds={"iowa": 4}) for name in ("orion", "vega")]
    organization = lab([pool("iowa", 8)], projects=holders, max_moves=5)
    lp = relaxation(build_instance(organization, organization.as_of))

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    assert dive(lp, read_units(lp), [(0, NOTHING), (1, NOTHING)], solved).tolist() == pytest.approx([0, 4])


@pytest.mark.parametrize("one_pool", [False, True])
@pytest.mark.parametrize("holders_stay", [False, True])
def test_a_dive_funds_whom_its_team_chose_to_fund(one_pool: bool, holders_stay: bool) -> None:
    """A fifth of orion keeps research's promise, so the relaxation leans to giving up what orion holds.

    Moves are not limited, so there is nothing to stay for but what the team chose.
    """
    orion = project("orion", 20, minimum=20, holds={"iowa": 20}, team="research", one_pool=one_pool)
    lyra = project("lyra", 40, priority=9)
    pools = [pool("iowa", 20), pool("oslo", 20)]
    organization = lab(pools, [team("research", guarantee=5)], projects=[orion, lyra])
    lp = relaxation(build_instance(organization, organization.as_of))

    def solved() -> bool:
        return solver.solve(lp.problem, Options(threads=1), seconds=20).status is SolverStatus.OPTIMAL

    assert solved()
    relaxed = read_units(lp)
    assert relaxed[:2].sum() < 0.5 * 20
    units = dive(lp, relaxed, [(0, SOME)], solved, holders_stay=holders_stay)
    assert units[:2].sum() == pytest.approx(20)
    assert not one_pool or units[:2].max() == pytest.approx(20)


@pytest.mark.parametrize(("max_moves", "rounded"), [(4, [2, 2]), (3, [0, 3])])
def test_a_holder_that_was_rounded_up_makes_room_for_a_minimum_where_there_are_moves(
    max_moves: int, rounded: list[int]
) -> None:
    """Six GPUs are two units of four; vega keeps three of its own, and needs but half of one of them."""
    orion = project("orion", 8, minimum=6)
    vega = project("vega", 12, holds={"iowa": 12})
    organization = lab([pool("iowa", 16, unit=4)], projects=[orion, vega], max_moves=max_moves)
    instance = build_instance(organization, organization.as_of)
    assert round_relaxation(instance, np.array([1.5, 2.5])).tolist() == rounded


def test_a_promise_that_rounding_missed_is_lifted_by_moves_only_as_far_as_there_are_some() -> None:
    """Research is promised 4 GPUs and has 1: 2 come without a move, and 1 of 5 that are held may move."""
    teams = [team("research", guarantee=4), team("other")]
    orion = project("orion", 4, team="research", holds={"iowa": 1})
    others = project("others", 8, team="other", holds={"iowa": 5})
    organization = lab([pool("iowa", 8)], teams=teams, projects=[orion, others], max_moves=1)
    instance = build_instance(organization, organization.as_of)
    ledger = open_ledger(instance, np.array([1, 7]))
    lift(ledger)
    assert ledger.x.tolist() == [4, 4]
    ledger = open_ledger(replace(instance, max_moves=0), np.array([1, 7]))
    lift(ledger)
    assert ledger.x.tolist() == [3, 5]


@given(organizations(max_projects=4, max_pools=3), st.data())
def test_what_is_rounded_is_never_lifted_beyond_the_moves_that_are_left(
    organization: Organization, data: st.DataObject
) -> None:
    instance = build_instance(organization, organization.as_of)
    kept = [data.draw(st.integers(0, int(most))) for most in instance.arcs.wanted]
    ledger = open_ledger(instance, np.array(kept, dtype=np.int64))
    before = ledger.moves_free
    lift(ledger)
    if before is not None:
        assert instance.max_moves is not None
        assert ledger.moves_free == instance.max_moves - int(moved_gpus(instance, ledger.x).sum())
        assert ledger.moves_free >= min(before, 0)
