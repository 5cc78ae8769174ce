"""An allocation whose CBC dies, cannot be run, or says what is not so: that costs proofs, but no plan."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest
from pulp import LpProblem

from benchmarks.generator import Dials, generate
from gpu_opt import solver
from gpu_opt.allocation import allocate
from gpu_opt.allocation.appraisal import appraise
from gpu_opt.allocation.decode import decode
from gpu_opt.allocation.goals import list_goals
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.proof import Proof
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.checker import verify
from gpu_opt.errors import SolverDied, SolverFailure
from gpu_opt.indexing import build_instance
from gpu_opt.options import Options
from gpu_opt.plan import Status, Stop
from gpu_opt.solver import Answer
from tests.breaking import replace_solver
from tests.building import RUN, lab, pool, project
from tests.solving import (
    BEST,
    PROOF,
    TODAY_AND_WHAT_IS_FREE,
    exchange,
    gpus,
    proved,
)


def test_a_cbc_that_dies_on_every_program_costs_the_proof_but_not_the_plan(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def die(*_: object, **__: object) -> Answer:
        raise SolverDied("CBC was killed by signal 9")

    replace_solver(monkeypatch, die)
    plan = allocate(exchange(), options=PROOF)
    assert (plan.status, gpus(plan)) == (Status.FEASIBLE, TODAY_AND_WHAT_IS_FREE)
    assert (plan.stop, plan.goals[0].stop) == (Stop.FAILED, Stop.FAILED)
    assert verify(exchange(), plan) == ()
    assert "CBC was killed by signal 9" in caplog.text


def test_a_cbc_that_dies_on_the_relaxation_and_the_parts_leaves_the_whole_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    improved = threading.Event()

    def die_on_parts(problem: LpProblem, options: Options, **how: object) -> Answer:
        if not problem.isMIP() or how.get("preprocess"):
            improved.set()
            raise SolverDied("CBC was killed by signal 9")
        improved.wait(30)
        return solver.solve(problem, options, **how)  # type: ignore[arg-type]

    replace_solver(monkeypatch, die_on_parts)
    plan = allocate(exchange(), options=dataclasses.replace(PROOF, threads=2))
    assert plan.status is Status.OPTIMAL
    assert gpus(plan) == BEST


def test_a_cbc_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> Answer:
        raise SolverFailure("CBC could not be started")

    replace_solver(monkeypatch, missing)
    with pytest.raises(SolverFailure, match="could not be started"):
        allocate(exchange(), options=PROOF)


def test_a_false_infeasible_is_survived_by_holding_less_exactly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """CBC has been seen to call a later goal's program infeasible, which no such program can be."""
    calls: list[str] = []

    def infeasible_at_first(problem: object, options: Options, **how: object) -> Answer:
        calls.append("")
        if len(calls) <= 2:
            return Answer(SolverStatus.INFEASIBLE, Stop.PROVED, None, None, 0.0)
        return solver.solve(problem, options, **how)  # type: ignore[arg-type]

    replace_solver(monkeypatch, infeasible_at_first)
    assert gpus(proved(exchange())) == BEST
    assert "infeasible; held goals widened 10 times" in caplog.text
    assert "infeasible; held goals widened 100 times" in caplog.text


def test_a_cbc_that_calls_everything_infeasible_costs_the_proof_but_not_the_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def infeasible(*_: object, **__: object) -> Answer:
        return Answer(SolverStatus.INFEASIBLE, Stop.PROVED, None, None, 0.0)

    replace_solver(monkeypatch, infeasible)
    plan = allocate(exchange(), options=PROOF)
    assert (plan.status, plan.stop) == (Status.FEASIBLE, Stop.FAILED)
    assert gpus(plan) == TODAY_AND_WHAT_IS_FREE


def test_a_cbc_that_calls_only_whole_programs_infeasible_leaves_the_rest_of_the_search_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def infeasible_as_a_whole(problem: LpProblem, options: Options, **how: object) -> Answer:
        if not how.get("preprocess"):
            return Answer(SolverStatus.INFEASIBLE, Stop.PROVED, None, None, 0.0)
        return solver.solve(problem, options, **how)  # type: ignore[arg-type]

    replace_solver(monkeypatch, infeasible_as_a_whole)
    plan = allocate(exchange(), options=dataclasses.replace(PROOF, time_limit=1.0))
    assert gpus(plan) == BEST


@pytest.mark.parametrize("parts", [False, True], ids=["any program", "parts only"])
def test_a_disk_that_fills_up_meanwhile_costs_no_plan(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, parts: bool
) -> None:
    answered: list[Answer] = []

    def fills_up(problem: LpProblem, options: Options, **how: object) -> Answer:
        if answered and (how.get("preprocess") or not parts):
            raise SolverFailure("the solve's temporary files could not be written: No space left on device")
        answered.append(solver.solve(problem, options, **how))  # type: ignore[arg-type]
        return answered[-1]

    replace_solver(monkeypatch, fills_up)
    organization = generate(Dials(projects=60, pools=6))
    plan = allocate(organization, options=Options(work_limit=8, gap=0.0, threads=1))
    assert "No space left on device" in caplog.text
    assert verify(organization, plan) == ()
    assert plan.stop in {Stop.FAILED, Stop.TIME}


def test_without_cbc_there_is_no_plan_that_is_near_another_one_but_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that was asked for can be had, so that only the last goal, to be near, asks CBC."""

    def absent(*_: object, **__: object) -> Answer:
        raise SolverFailure("CBC could not be started: no such file")

    organization = lab([pool("iowa", 16)], projects=[project("orion", 8), project("lyra", 8)])
    fewer = organization.model_copy(update={"projects": organization.projects[:1]})
    near = allocate(fewer, options=PROOF)
    replace_solver(monkeypatch, absent)
    with pytest.raises(SolverFailure, match="no such file"):
        allocate(organization, options=PROOF, near=near)


def test_a_cbc_that_dies_when_the_time_is_over_has_used_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def die_late(*_: object, seconds: float, **__: object) -> Answer:
        time.sleep(max(0.0, seconds))
        raise SolverDied("CBC was killed by signal 9")

    replace_solver(monkeypatch, die_late)
    plan = allocate(exchange(), options=dataclasses.replace(PROOF, time_limit=0.5))
    assert plan.stop is Stop.TIME


def test_a_proof_that_a_later_goals_plan_contradicts_is_none() -> None:
    """Goals are searched one after the other, and a false bound may show only later."""
    organization = exchange()
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    x = first_incumbent(instance, goals).x
    values = appraise(instance, goals, x)
    false = Proof(values[0] - 1, Stop.PROVED, 0.0)
    proofs = (false, *(Proof(value, Stop.PROVED, 0.0) for value in values[1:]))
    plan = decode(organization, instance, goals, x, proofs, RUN)
    assert (plan.status, plan.stop, plan.goals[0].stop) == (Status.FEASIBLE, Stop.FAILED, Stop.FAILED)
    assert plan.goals[0].bound == 8  # orion's whole demand


def test_a_bound_that_a_later_goals_plan_reaches_is_a_proof() -> None:
    organization = exchange()
    instance = build_instance(organization, organization.as_of)
    goals = list_goals(instance)
    x = first_incumbent(instance, goals).x
    proofs = tuple(Proof(value, Stop.TIME, 0.0) for value in appraise(instance, goals, x))
    plan = decode(organization, instance, goals, x, proofs, RUN)
    assert (plan.status, plan.stop) == (Status.OPTIMAL, Stop.PROVED)
