"""What is said of a reallocation, how little time it may have, and what it cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gpu_opt.errors import InvalidInput, NoPlanInTime, SolverDied, SolverFailure
from gpu_opt.options import Cancel
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Status, Stop
from gpu_opt.reallocation import guessing
from gpu_opt.reallocation.flow import candidate_flow
from tests.building import day, delivery, lab, request
from tests.handing_over import DIVISIONS, TYPES, ending, full, plan, values

# --- What is said of it -------------------------------------------------------------------------------


def text(organization: Organization, *asked: Request) -> str:
    return plan(organization, *asked).requests[0].text


def test_sentences_name_the_donors() -> None:
    organization = full(ending("orion", "vision", 4, on=7), gpus=2, deliveries=[delivery("iowa", 4, on=3)])
    assert text(organization, request("r", 10, "vision")) == (
        f"complete on {day(7)}, 3 days before it is needed: "
        "2 idle in iowa, 4 from the delivery to iowa, 4 from orion"
    )


@pytest.mark.parametrize(
    ("by", "margin"), [(5, "the day it is needed"), (4, "1 day late"), (3, "2 days late")]
)
def test_sentences_say_when(by: int, margin: str) -> None:
    assert text(full(ending("orion", "vision")), request("r", 4, "vision", by=by)) == (
        f"complete on {day(5)}, {margin}: 4 from orion"
    )


def test_sentences_say_what_is_missing() -> None:
    organization = full(ending("orion", "vision", 4, on=12), gpus=2)
    assert text(organization, request("r", 10, "vision")) == (
        f"2 of 10 by {day(10)}, 6 by {day(12)}: 2 idle in iowa, 4 from orion; "
        f"no more GPUs that it accepts come free by {day(30)}"
    )


def test_sentences_say_who_was_first() -> None:
    assert text(full(gpus=4), request("r", 4), request("s", 4, priority=2)) == (
        f"none of 4: all other GPUs that it accepts and that come free by {day(30)} go to other requests"
    )


def test_sentences_say_that_a_part_is_of_no_use() -> None:
    assert text(full(gpus=4), request("r", 6, all_or_nothing=True)) == (
        f"none of 6: only 4 that it accepts are left by {day(30)}, and fewer than all are of no use to it"
    )


def test_sentences_say_that_no_pool_is_accepted() -> None:
    organization = lab(TYPES)
    assert text(organization, request("r", 4, gpu_types=("h100",), sites=("ohio",))) == (
        "none of 4: no pool has GPUs that it accepts"
    )


def test_without_pools_nobody_is_handed_anything() -> None:
    assert text(lab([]), request("r", 4)) == "none of 4: no pool has GPUs that it accepts"


def test_sentences_name_some_donors_of_many() -> None:
    organization = full(*(ending(f"p{i}", "vision", 1, on=i) for i in range(1, 9)))
    assert text(organization, request("r", 8, "vision")).endswith(
        "1 from p1, 1 from p2, 1 from p3, 1 from p4, 4 from 4 others"
    )


# --- Limits of time -----------------------------------------------------------------------------------

SCARCE = full(ending("own", "vision"), gpus=2)


def test_without_time_nothing_is_handed_over_and_nothing_is_proved() -> None:
    answer = plan(SCARCE, request("r", 4, "vision"), time_limit=0.0)
    assert (answer.handovers, answer.status, answer.stop) == ((), Status.FEASIBLE, Stop.TIME)
    assert [(goal.value, goal.bound) for goal in answer.goals] == [(4, 0), (0, 0), (0, 0), (0, 0)]
    assert answer.requests[0].text == "none of 4: no better plan was found in the time"


def test_a_solver_that_dies_leaves_a_plan_that_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def dies(*_args: Any, **_kwargs: Any) -> None:
        raise SolverDied("CBC was killed by signal 9")

    monkeypatch.setattr("gpu_opt.reallocation.flow.solve", dies)
    answer = plan(SCARCE, request("r", 4, "vision"))
    assert (answer.handovers, answer.status, answer.stop) == ((), Status.FEASIBLE, Stop.FAILED)
    assert [(goal.value, goal.bound) for goal in answer.goals] == [(4, 0), (0, 0), (0, 0), (0, 0)]
    assert answer.requests[0].text == "none of 4: the solver failed before a better plan was found"
    assert "killed by signal 9" in caplog.text


def test_a_disk_that_fills_up_later_costs_no_flow_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fills_up(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) > 1:
            raise SolverFailure("No space left on device")
        return candidate_flow(*args, **kwargs)

    monkeypatch.setattr("gpu_opt.reallocation.guessing.candidate_flow", fills_up)
    answer = plan(SCARCE, request("r", 2, "vision"), request("s", 4, tier=2, by=3))
    assert (answer.goals[0].value, answer.goals[0].stop, answer.stop) == (0, Stop.PROVED, Stop.FAILED)
    assert answer.handovers


def test_without_cbc_there_is_an_error_and_no_empty_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_args: Any, **_kwargs: Any) -> None:
        raise SolverFailure("CBC could not be started: no such file")

    monkeypatch.setattr("gpu_opt.reallocation.flow.solve", absent)
    with pytest.raises(SolverFailure, match="no such file"):
        plan(SCARCE, request("r", 4, "vision"))


def test_a_cancelled_solve_says_so() -> None:
    cancel = Cancel()
    cancel.set()
    assert plan(SCARCE, request("r", 4, "vision"), cancel=cancel).stop is Stop.INTERRUPTED


def test_a_goal_proved_before_the_solver_failed_stays_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def once(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) > 1:
            raise NoPlanInTime
        return candidate_flow(*args, **kwargs)

    monkeypatch.setattr("gpu_opt.reallocation.guessing.candidate_flow", once)
    answer = plan(SCARCE, request("r", 2, "vision"), request("s", 4, tier=2, by=3))
    assert [(goal.name, goal.value, goal.bound, goal.stop) for goal in answer.goals] == [
        ("unmet_tier_1", 0, 0, Stop.PROVED),
        ("unmet_tier_2", 0, 0, Stop.PROVED),
        ("late_tier_1", 0, 0, Stop.PROVED),
        ("late_tier_2", 4, 4, Stop.PROVED),
        ("cost", 4, 0, Stop.FAILED),
        ("days", 2 * 1 + 4 * 6, 0, Stop.FAILED),
    ]
    assert [one.handed for one in answer.requests] == [2, 4]


@pytest.mark.parametrize(("spread", "largest"), [(0, 2**33), (4, 0)], ids=["no weights", "goal by goal"])
def test_a_guess_that_is_wrong_costs_time_and_not_the_optimum(
    monkeypatch: pytest.MonkeyPatch, spread: int, largest: int
) -> None:
    organization = full(ending("soon", "vision", 4, on=5), ending("later", "product", 4, on=9), gpus=3)
    asked = [
        request("a", 4, "vision", by=5, starts=day(4)),
        request("b", 6, "product", by=2, tier=2, priority=3),
        request("c", 2, "speech", by=9, tier=2),
    ]
    right = plan(organization, *asked)
    monkeypatch.setattr(guessing, "SPREAD", spread)
    monkeypatch.setattr(guessing, "LARGEST_SUM", largest)
    again = plan(organization, *asked)
    assert values(again) == values(right)
    assert again.status is Status.OPTIMAL


def test_progress_names_the_phases_and_the_goals() -> None:
    phases: list[str] = []
    plan(SCARCE, request("r", 4, "vision"), progress=lambda progress: phases.append(progress.phase))
    assert list(dict.fromkeys(phases)) == [
        "checking",
        "building",
        "solving",
        "unmet_tier_1",
        "late_tier_1",
        "cost",
        "days",
        "verifying",
    ]


def test_the_record_of_the_run_has_its_seconds_by_phase() -> None:
    run = plan(SCARCE, request("r", 4, "vision"), seed=3).run
    assert {"checking", "building", "solving", "verifying", "total"} == set(run.seconds)
    assert (run.seed, run.threads) == (3, 1)


# --- Bad input ----------------------------------------------------------------------------------------


def problems(*asked: Request, until: int = 30) -> Sequence[str]:
    with pytest.raises(InvalidInput) as caught:
        plan(lab(TYPES, teams=DIVISIONS), *asked, until=until)
    return [str(problem) for problem in caught.value.problems]


def test_a_horizon_that_ends_before_today_is_refused() -> None:
    assert problems(until=-1) == [
        f"until: the horizon ends on {day(-1)}, before today, {day(0)}; give a later day"
    ]


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    wrong = request("r", 4, "reserach", gpu_types=("h10",), sites=("Iowa",), pools=("texsa",))
    assert problems(request("fine"), wrong) == [
        "requests[1].team: no team 'reserach'; did you mean 'research'?",
        "requests[1].gpu_types[0]: no GPU type 'h10'; did you mean 'h100'?",
        "requests[1].sites[0]: no site 'Iowa'; did you mean 'iowa'?",
        "requests[1].pools[0]: no pool 'texsa'; did you mean 'texas'?",
    ]


def test_dates_that_cannot_be_meant_are_refused() -> None:
    asked = (
        request("past", by=-1),
        request("backwards", by=3, starts=day(5)),
        request("beyond", by=31),
    )
    assert problems(*asked) == [
        f"requests[0].by: {day(-1)} is before today, {day(0)}; give a later day",
        f"requests[1].by: {day(3)} is before it starts, {day(5)}; correct one of them",
        f"requests[2].by: {day(31)} is after the horizon, which ends on {day(30)}; look further ahead",
    ]


def test_one_name_for_two_requests_is_refused() -> None:
    assert problems(request("r"), request("r")) == [
        "requests[1].name: there is already a request 'r'; rename one of them"
    ]


def test_a_request_that_accepts_nothing_is_refused() -> None:
    assert problems(request("r", pools=())) == [
        "requests[0].pools: an empty list accepts nothing; name some, or leave it out to accept all"
    ]
