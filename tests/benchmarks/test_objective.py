"""One objective for all: the program that the peers get, and what the checker makes of a plan, agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from benchmarks.objective import goal_weights, judge
from benchmarks.peers.cp_sat import whole
from benchmarks.program import Program, build, grants_of
from gpu_opt.organization import Organization
from gpu_opt.plan import Grant
from tests.building import lab, pool, project, root, team
from tests.strategies import organizations


def activity(program: Program, values: np.ndarray) -> np.ndarray:
    """What every row adds up to."""
    terms = program.coefficient * values[program.column]
    return np.array(
        [terms[a:b].sum() for a, b in zip(program.row_start, program.row_start[1:], strict=False)]
    )


def test_the_penalty_form_is_value_less_a_penalty_for_shortfalls() -> None:
    """b2b is promised 8 and gets 2, its unit is 1: it is 6 short of 8, and a share of a unit less counts."""
    organization = lab(
        [pool(gpus=8)],
        [root(), team("b2b", guarantee=8.0), team("art")],
        [project("site", 8, "b2b", priority=2), project("film", 8, "art", priority=3)],
        value=((0.5, 1.0), (0.5, 0.5)),
    )
    verdict = judge(
        organization,
        [Grant(project="site", pool="iowa", gpus=2), Grant(project="film", pool="iowa", gpus=6)],
    )
    assert verdict.value == 2 * 2 + 3 * (4 + 2 * 0.5)
    assert verdict.shortfall == pytest.approx(5.001)
    assert verdict.objective == pytest.approx(19 - 2 * 3 * 5.001)
    assert verdict.violations == ()


def test_a_tier_weighs_a_hundred_times_the_next_and_a_shortfall_twice_what_anybody_could_gain() -> None:
    organization = lab(
        [pool(gpus=8)],
        [root(guarantee=8.0)],
        [project("a", 8, tier=1, priority=2), project("b", 8, tier=3, priority=50, speeds={"h100": 1.5})],
    )
    weights = goal_weights(organization)
    assert weights["value_tier_1"] == 100
    assert weights["value_tier_3"] == 1
    assert weights["guarantee_level_0"] == -2 * 100 * 2


def test_grants_that_break_a_rule_are_no_plan() -> None:
    organization = lab([pool(gpus=4, unit=4)], projects=[project("a", 8), project("b", 8)])
    both = [Grant(project=name, pool="iowa", gpus=4) for name in "ab"]
    assert [told.partition(":")[0] for told in judge(organization, both).violations] == ["pool_capacity"]
    half = [Grant(project="a", pool="iowa", gpus=2)]
    assert [told.partition(":")[0] for told in judge(organization, half).violations] == ["grants"]
    twice = [Grant(project="a", pool="iowa", gpus=4)] * 2
    assert any("twice" in told for told in judge(organization, twice).violations)


@given(organizations())
def test_the_program_says_of_the_greedy_plan_what_the_checker_says(organization: Organization) -> None:
    instance, program = build(organization)
    verdict = judge(organization, grants_of(instance, program.start))
    assert verdict.violations == ()
    assert program.cost @ program.start == pytest.approx(verdict.objective, rel=1e-9, abs=1e-6)


@given(organizations())
def test_the_greedy_plan_satisfies_every_row_and_bound_of_the_program(organization: Organization) -> None:
    _, program = build(organization)
    rows = activity(program, program.start)
    assert (rows <= program.row_upper + 1e-6).all()
    assert (rows >= program.row_lower - 1e-6).all()
    assert (program.start <= program.upper + 1e-9).all()
    assert (program.start >= program.lower - 1e-9).all()


@given(organizations())
def test_the_whole_program_of_cp_sat_is_the_same_program(organization: Organization) -> None:
    """At any values, in integers: each row exceeds its side by the same share, the objective is the same."""
    _, program = build(organization)
    scaled = whole(program)
    counts = np.rint(program.start * scaled.scale).astype(np.int64)
    values = counts / scaled.scale
    assert sum(map(int.__mul__, scaled.cost, counts.tolist())) * float(scaled.worth) == pytest.approx(
        program.cost @ values, rel=1e-9, abs=1e-6
    )
    rows = activity(program, values)
    for row, coefficients in enumerate(scaled.coefficient):
        first = int(program.row_start[row])
        columns = program.column[first : first + len(coefficients)]
        total = sum(map(int.__mul__, coefficients, counts[columns].tolist()))
        largest = max(range(len(coefficients)), key=lambda k: abs(coefficients[k]))
        factor = coefficients[largest] * int(scaled.scale[columns[largest]])
        factor /= program.coefficient[first + largest]
        assert total == pytest.approx(rows[row] * factor, rel=1e-9, abs=1e-3)
