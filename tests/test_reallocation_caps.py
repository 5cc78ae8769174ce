"""The reallocation under caps and limits over time, and how it copes with a solver that errs."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import SolverDied
from gpu_opt.options import Options
from gpu_opt.organization import Limit, Organization, ReallocationPrices, Request, Team
from gpu_opt.plan import Reallocation, Status, Stop
from gpu_opt.reallocation import conditioned, reallocate
from gpu_opt.solver import Answer, solve
from tests.building import day, delivery, lab, pool, project, request, root, team


def plan(organization: Organization, *asked: Request, **options: Any) -> Reallocation:
    return reallocate(
        organization, until=day(30), requests=asked, options=Options(threads=1, **{"gap": 0.0, **options})
    )


def arrivals(plan: Reallocation) -> list[tuple[str, int, int]]:
    """(request, GPUs, day) of every handover."""
    return [(one.request, one.gpus, (one.on - plan.as_of).days) for one in plan.handovers]


def lateness(plan: Reallocation) -> float:
    return next(goal.value for goal in plan.goals if goal.name == "late_tier_1")


def capped(*teams: Team, gpus: int = 8, **fields: Any) -> Organization:
    """A lab with `gpus` idle in iowa, where `ends-soon` of vision holds 4 more until day 7."""
    holder = project("ends-soon", team="vision", holds={"iowa": 4}, ends=day(7))
    return lab([pool("iowa", gpus + 4)], teams=teams, projects=[holder], **fields)


def test_a_cap_lets_gpus_in_only_when_a_project_of_the_team_ends() -> None:
    answer = plan(capped(team("vision", cap=6)), request("r", 6, "vision", by=3))
    assert arrivals(answer) == [("r", 2, 0), ("r", 4, 7)]
    assert lateness(answer) == 4 * 4
    assert answer.objective == 0  # the project's own, as they come free: late, not idle
    assert answer.status is Status.OPTIMAL


def test_idle_gpus_wait_for_the_cap_where_there_are_no_others() -> None:
    holder = project("ends-soon", team="vision", holds={"texas": 4}, ends=day(7))
    organization = lab([pool("iowa", 4), pool("texas", 4)], teams=[team("vision", cap=4)], projects=[holder])
    answer = plan(organization, request("r", 4, "vision", by=3, pools=("iowa",)))
    assert arrivals(answer) == [("r", 4, 7)]
    assert lateness(answer) == 4 * 4
    assert answer.objective == pytest.approx(4 * 7 * 0.1)


def test_a_cap_lets_in_whole_units_only() -> None:
    nodes = pool("iowa", 24, unit=8)
    holder = project("ends-soon", team="vision", holds={"iowa": 8}, ends=day(7))
    organization = lab([nodes], teams=[team("vision", cap=20)], projects=[holder])
    answer = plan(organization, request("r", 24, "vision", by=3))
    assert arrivals(answer) == [("r", 8, 0), ("r", 8, 7)]
    assert answer.requests[0].text.endswith(f"the cap of vision leaves no room for more by {day(30)}")
    assert answer.status is Status.OPTIMAL


def test_a_cap_counts_every_team_below_it() -> None:
    organization = capped(team("research", cap=10), team("vision", "research"), team("speech", "research"))
    answer = plan(organization, request("v", 4, "vision", by=3), request("s", 4, "speech", by=3, priority=2))
    assert {one.request: one.in_time for one in answer.requests} == {"v": 2, "s": 4}
    assert {one.request: one.handed for one in answer.requests} == {"v": 4, "s": 4}


def test_the_cap_of_a_team_above_and_its_own_both_hold() -> None:
    organization = capped(team("research", cap=9), team("vision", "research", cap=6))
    answer = plan(organization, request("r", 3, "research", by=3), request("v", 8, "vision", by=3))
    assert {one.request: one.handed for one in answer.requests} == {"r": 3, "v": 6}


def test_a_cap_that_is_broken_already_lets_nothing_in() -> None:
    answer = plan(capped(team("vision", cap=3)), request("r", 4, "vision"))
    assert arrivals(answer) == [("r", 3, 7)]


def test_a_percentage_is_of_the_fleet_of_the_day() -> None:
    organization = lab(
        [pool("iowa", 8)], teams=[team("vision", cap="50%")], deliveries=[delivery("iowa", 8, on=4)]
    )
    answer = plan(organization, request("r", 8, "vision", by=2))
    assert arrivals(answer) == [("r", 4, 0), ("r", 4, 4)]


def test_compute_counts_at_the_speed_of_the_type() -> None:
    organization = lab(
        [pool("iowa", 8, gpu_type="h100"), pool("texas", 8, gpu_type="gb200")], teams=[team("vision", cap=11)]
    )
    answer = plan(organization, request("r", 8, "vision", gpu_types=("gb200", "h100")))
    assert {one.pool: one.gpus for one in answer.handovers} == {"texas": 2, "iowa": 6}


def test_a_type_limit_counts_gpus_of_its_type_only() -> None:
    organization = lab(
        [pool("iowa", 8, gpu_type="h100"), pool("texas", 8, gpu_type="gb200")],
        teams=[team("vision", limits={"gb200": Limit(cap=2.0)})],
    )
    answer = plan(organization, request("r", 6, "vision", gpu_types=("gb200", "h100")))
    assert {one.pool: one.gpus for one in answer.handovers} == {"texas": 2, "iowa": 4}


def test_a_limit_and_a_cap_at_once() -> None:
    teams = [root(cap=9), team("vision", limits={"gb200": Limit(cap=2.0)})]
    organization = lab([pool("iowa", 8, gpu_type="h100"), pool("texas", 8, gpu_type="gb200")], teams=teams)
    answer = plan(organization, request("r", 9, "vision", gpu_types=("gb200", "h100")))
    assert {one.pool: one.gpus for one in answer.handovers} == {"iowa": 8}
    assert answer.requests[0].text.endswith(f"the cap of lab leaves no room for more by {day(30)}")


def test_all_or_nothing_waits_until_the_cap_has_room_for_all() -> None:
    organization = capped(team("vision", cap=6))
    answer = plan(organization, request("r", 6, "vision", by=3, all_or_nothing=True))
    assert answer.requests[0].handed == 6


def test_all_or_nothing_gets_nothing_where_the_cap_has_no_room_for_all() -> None:
    answer = plan(capped(team("vision", cap=5)), request("r", 6, "vision", all_or_nothing=True))
    assert arrivals(answer) == []
    assert answer.requests[0].text == "none of 6: the cap of vision leaves no room for all of it"


def test_whoever_is_not_under_the_cap_takes_what_it_keeps_out() -> None:
    organization = capped(team("vision", cap=6), team("speech"))
    answer = plan(organization, request("v", 8, "vision", priority=5), request("s", 8, "speech"))
    assert {one.request: one.handed for one in answer.requests} == {"v": 6, "s": 6}


def test_free_waiting_is_no_reason_to_wait() -> None:
    prices = ReallocationPrices(idle=0.0)
    answer = plan(capped(team("vision", cap=6), reallocation=prices), request("r", 6, "vision", by=3))
    assert answer.requests[0].handed == 6
    assert answer.status is Status.OPTIMAL


def test_a_plan_that_is_good_enough_says_by_how_much() -> None:
    organization = capped(team("vision", cap=6), team("speech"))
    answer = plan(organization, request("v", 8, "vision", priority=5), request("s", 8, "speech"), gap=0.5)
    assert all(goal.gap <= 0.5 for goal in answer.goals)


# --- A solver that errs -------------------------------------------------------------------------------

CAPPED = capped(team("vision", cap=6))
ASKED = request("r", 6, "vision", by=3)


class Erring:
    """CBC, but for what is done to its answers."""

    def __init__(self, *answers: SolverStatus | str) -> None:
        self.answers = list(answers)

    def __call__(self, problem: Any, options: Options, **kwargs: Any) -> Answer:
        fault = self.answers.pop(0) if self.answers else None
        if isinstance(fault, SolverStatus):
            return Answer(fault, Stop.TIME, None, None, 0.0)
        if fault == "dies":
            raise SolverDied("CBC was killed by signal 9")
        answer = solve(problem, options, **kwargs)
        if fault == "shifted":
            for variable in problem.variables():
                if not variable.isInteger():
                    variable.setInitialValue((variable.value() or 0) + 0.6, check=False)
        if fault == "doubled":
            for variable in problem.variables():
                variable.setInitialValue(2 * (variable.value() or 0), check=False)
        return answer


def test_a_false_infeasible_is_overcome_by_holding_goals_less_tightly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(conditioned, "solve", Erring(*[SolverStatus.INFEASIBLE] * 3))
    with caplog.at_level(logging.WARNING):
        answer = plan(CAPPED, ASKED)
    assert arrivals(answer) == [("r", 2, 0), ("r", 4, 7)]
    assert answer.status is Status.OPTIMAL
    assert len(caplog.records) == 2


def test_an_infeasible_that_stays_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioned, "solve", Erring(*[SolverStatus.INFEASIBLE] * 99))
    answer = plan(CAPPED, ASKED)
    assert answer.status is Status.FEASIBLE
    assert answer.requests[0].handed == 6  # the flow without the cap, repaired


def test_no_solution_leaves_the_repaired_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioned, "solve", Erring(*[SolverStatus.NO_SOLUTION] * 99))
    answer = plan(CAPPED, ASKED)
    assert (answer.status, answer.stop) == (Status.FEASIBLE, Stop.FAILED)
    assert answer.requests[0].handed == 6


def test_a_solver_that_dies_leaves_the_repaired_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioned, "solve", Erring(*["dies"] * 99))
    answer = plan(CAPPED, ASKED)
    assert (answer.status, answer.stop) == (Status.FEASIBLE, Stop.FAILED)
    assert answer.requests[0].handed == 6


def test_a_solution_in_fractions_is_completed_in_whole_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioned, "solve", Erring(*["shifted"] * 99))
    answer = plan(CAPPED, ASKED)
    assert (answer.status, answer.requests[0].handed) == (Status.OPTIMAL, 6)


def test_a_solution_that_is_no_flow_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioned, "solve", Erring(*["doubled"] * 99))
    assert plan(CAPPED, ASKED).requests[0].handed == 6
