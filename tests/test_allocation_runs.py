"""The allocation as a run: limits, cancellation, the record, what models/ promises."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gpu_opt.allocation import allocate
from gpu_opt.checker import verify
from gpu_opt.errors import InvalidInput
from gpu_opt.files import load
from gpu_opt.options import Cancel, Options, Progress
from gpu_opt.organization import content_hash
from gpu_opt.plan import Allocation, Status, Stop
from gpu_opt.solver import versions
from tests.building import lab, pool, project, team
from tests.solving import (
    BEST,
    PROOF,
    TODAY_AND_WHAT_IS_FREE,
    exchange,
    goals,
    gpus,
    moves,
    proved,
    reason,
    shortfalls,
)

ORGANIZATIONS = Path(__file__).parent.parent / "models" / "organizations"


# --- Limits -------------------------------------------------------------------------------------------


def test_with_time_the_exchange_is_found() -> None:
    plan = proved(exchange())
    assert gpus(plan) == BEST
    assert moves(plan).keys() <= {("lyra", "iowa"), ("lyra", "texas")}
    assert goals(plan) == {"value_tier_1": 8, "value_tier_2": 8, "moves": 4}


@pytest.mark.parametrize("time_limit", [0.0, -1.0])
def test_without_time_the_plan_is_todays_and_hands_out_what_is_free(time_limit: float) -> None:
    plan = allocate(exchange(), options=dataclasses.replace(PROOF, time_limit=time_limit))
    assert gpus(plan) == TODAY_AND_WHAT_IS_FREE
    assert (plan.status, plan.stop) == (Status.FEASIBLE, Stop.TIME)
    assert verify(exchange(), plan) == ()
    assert plan.gap > 0


def test_without_time_what_cannot_be_better_is_still_proved() -> None:
    organization = lab([pool(gpus=8)], projects=[project("orion", 4, holds={"iowa": 4}), project("lyra", 4)])
    plan = allocate(organization, options=dataclasses.replace(PROOF, time_limit=0.0))
    assert (plan.status, gpus(plan)) == (Status.OPTIMAL, {"orion": 4, "lyra": 4})


def test_a_cancel_before_it_begins_gives_the_same() -> None:
    options = dataclasses.replace(PROOF, cancel=Cancel())
    options.cancel.set()
    plan = allocate(exchange(), options=options)
    assert gpus(plan) == TODAY_AND_WHAT_IS_FREE
    assert (plan.status, plan.stop) == (Status.FEASIBLE, Stop.INTERRUPTED)


def test_a_cancel_on_the_way_gives_the_best_plan_so_far() -> None:
    organization = load(ORGANIZATIONS / "frontier_lab.yaml")
    cancel = Cancel()
    reached = threading.Event()

    def report(progress: Progress) -> None:
        if progress.phase == "value_tier_1" and progress.seconds > 1:
            reached.set()
            cancel.set()

    plan = allocate(organization, options=Options(time_limit=120, progress=report, cancel=cancel, gap=0))
    assert reached.is_set()
    assert (plan.status, plan.stop) == (Status.FEASIBLE, Stop.INTERRUPTED)
    assert verify(organization, plan) == ()


def test_a_gap_that_is_good_enough_ends_the_solve() -> None:
    organization = lab(
        [pool("iowa", 40, unit=8), pool("texas", 24, unit=4, gpu_type="gb200")],
        projects=[project(f"p{n}", 10 + 3 * n, priority=1 + n / 10, minimum=9) for n in range(6)],
    )
    plan = allocate(organization, options=dataclasses.replace(PROOF, gap=0.5))
    best = proved(organization)
    assert plan.gap <= 0.5
    assert plan.objective <= best.objective <= plan.bound + 1e-6
    assert plan.stop in {Stop.GAP, Stop.PROVED}


def test_progress_tells_the_phases_and_how_good_the_plan_is() -> None:
    seen: list[Progress] = []
    plan = allocate(exchange(), options=dataclasses.replace(PROOF, progress=seen.append))
    phases = list(dict.fromkeys(progress.phase for progress in seen))
    assert phases == ["checking", "building", "solving", *(goal.name for goal in plan.goals), "verifying"]
    last = {progress.phase: progress for progress in seen}
    assert (last["value_tier_1"].best, last["value_tier_1"].bound) == (8, 8)


class UnwelcomeError(Exception):
    """What a callback may raise."""


def slow_search(report: Callable[[Progress], None]) -> Allocation:
    """A solve that takes its time, with CBC on the whole program beside the search for better plans."""
    options = Options(time_limit=3, threads=2, gap=0, progress=report)
    return allocate(load(ORGANIZATIONS / "frontier_lab.yaml"), options=options)


def children() -> set[str]:
    """The processes that this one has started and that have not ended."""
    return {
        child
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text().split()
    }


def test_what_progress_raises_comes_back_and_leaves_nothing_running() -> None:
    before = threading.active_count(), children()

    def report(progress: Progress) -> None:
        assert threading.current_thread() is threading.main_thread()
        if progress.phase == "value_tier_1" and progress.seconds > 0.5:
            raise UnwelcomeError

    with pytest.raises(UnwelcomeError):
        slow_search(report)
    assert (threading.active_count(), children()) == before


# --- Input, and what is written down ------------------------------------------------------------------


def test_what_cannot_be_meant_is_refused_with_every_problem() -> None:
    organization = lab(
        projects=[project("orion", 8, team="vison"), project("lyra", 2, minimum=3)], teams=[team("vision")]
    )
    with pytest.raises(InvalidInput) as caught:
        allocate(organization, options=PROOF)
    paths = {problem.path for problem in caught.value.problems}
    assert {"projects[0].team", "projects[1].minimum"} <= paths


def test_a_plan_survives_json() -> None:
    plan = proved(load(ORGANIZATIONS / "pinned_conflict.yaml"))
    assert plan.overruns
    assert Allocation.model_validate_json(plan.model_dump_json()) == plan


def test_the_record_has_what_it_takes_to_run_again() -> None:
    plan = allocate(exchange(), options=Options(time_limit=17, gap=0.01, threads=1, seed=5))
    run = plan.run
    assert (run.time_limit, run.gap, run.threads, run.seed) == (17, 0.01, 1, 5)
    assert run.model_dump(include=set(versions())) == versions()
    assert run.organization_hash == content_hash(exchange())
    assert run.seconds.keys() == {"checking", "building", "solving", "verifying", "total"}
    assert run.seconds["total"] >= run.seconds["solving"] > 0
    assert gpus(allocate(exchange(), options=Options(time_limit=17, gap=0.01, threads=1, seed=5))) == gpus(
        plan
    )


# --- The organizations under models/ ------------------------------------------------------------------


def test_two_teams_comes_out_as_derived_by_hand() -> None:
    plan = proved(load(ORGANIZATIONS / "two_teams.yaml"))
    assert gpus(plan) == {"pretrain": 24, "evals": 32, "assistant": 32, "tutor": 8}
    assert moves(plan) == {("tutor", "texas-gb200"): 4}
    assert goals(plan) == {"guarantee_level_1": 8.001, "value_tier_1": 212, "value_tier_2": 71.8, "moves": 4}
    assert [(each.team, each.promised, each.granted) for each in plan.teams] == [
        ("lab", 0, 128),
        ("research", 96, 80),
        ("product", 32, 48),
    ]
    assert plan.objective == pytest.approx(283.8)


def test_oversubscribed_meets_the_level_nearer_the_root() -> None:
    plan = proved(load(ORGANIZATIONS / "oversubscribed.yaml"))
    assert gpus(plan) == {"atlas": 48, "benchmarks": 16, "chat": 32}
    assert moves(plan) == {("atlas", "iowa-h100"): 32, ("shop", "iowa-h100"): 16}
    assert goals(plan)["guarantee_level_2"] == 12.001
    assert shortfalls(plan).keys() == {"assistant"}
    assert plan.objective == pytest.approx(584)


def test_pinned_conflict_repairs_what_is_not_pinned() -> None:
    plan = proved(load(ORGANIZATIONS / "pinned_conflict.yaml"))
    assert gpus(plan) == {"serving": 72, "crawl": 16, "probe": 48}
    assert moves(plan) == {("batch", "texas-h100"): 16, ("crawl", "iowa-h100"): 16}
    assert goals(plan) == {"repair": 16, "value_tier_1": 360, "value_tier_2": 108.8, "moves": 32}
    assert plan.objective == pytest.approx(468.8)
    assert reason(plan, "batch").subject == "product"


def test_a_day_before_the_holdings_are_described_is_refused() -> None:
    organization = lab([pool("iowa", 8)])
    yesterday = organization.as_of - dt.timedelta(days=1)
    with pytest.raises(InvalidInput, match=f"{yesterday} is before {organization.as_of}") as refused:
        allocate(organization, date=yesterday)
    assert [problem.path for problem in refused.value.problems] == ["date"]
