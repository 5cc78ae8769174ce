"""The organizations under ``models/`` are what they say they are, and what they promise comes out."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest

from gpu_opt.allocation import allocate
from gpu_opt.errors import InvalidInput
from gpu_opt.files import load
from gpu_opt.organization import Organization, Project, exact
from gpu_opt.plan import Allocation, Status
from gpu_opt.validation import check
from tests.brute_force import best_allocation

MODELS = Path(__file__).parent.parent / "models"
HORIZON = dt.timedelta(days=90)
LISTED = re.compile(r"^#     ([\w.\[\]-]+)  ")


def organization(name: str) -> Organization:
    return load(MODELS / "organizations" / f"{name}.yaml")


@pytest.fixture(scope="module")
def lab() -> Organization:
    return organization("frontier_lab")


def fleet_compute(lab: Organization) -> float:
    return float(sum(pool.gpus * exact(lab.gpu_types[pool.gpu_type].speed) for pool in lab.pools))


def runs_today(project: Project, today: dt.date) -> bool:
    return project.starts is None or project.starts <= today


def test_the_frontier_lab_has_250000_gpus_of_7_types_in_24_pools_at_5_sites(lab: Organization) -> None:
    assert sum(pool.gpus for pool in lab.pools) == 250_000
    assert len(lab.pools) == 24
    assert len({pool.gpu_type for pool in lab.pools}) == len(lab.gpu_types) == 7
    assert len({pool.site for pool in lab.pools}) == 5
    assert {kind.vendor for kind in lab.gpu_types.values()} == {"nvidia", "amd"}
    assert all(pool.unit == (4 if pool.gpu_type == "gb200" else 8) for pool in lab.pools)


def test_its_deliveries_come_within_90_days(lab: Organization) -> None:
    assert sum(delivery.gpus for delivery in lab.deliveries) == 12_032
    assert all(lab.as_of < delivery.on <= lab.as_of + HORIZON for delivery in lab.deliveries)


def test_its_27_teams_form_a_tree_of_4_levels(lab: Organization) -> None:
    parents = {team.name: team.parent for team in lab.teams}
    levels: Counter[int] = Counter()
    for parent in parents.values():
        level, above = 0, parent
        while above is not None:
            level, above = level + 1, parents[above]
        levels[level] += 1
    assert levels == {0: 1, 1: 5, 2: 16, 3: 5}
    assert all(team.owner for team in lab.teams)


def test_of_its_120_projects_95_run_20_end_10_are_new_and_15_start_later(lab: Organization) -> None:
    running = [project for project in lab.projects if project.holds]
    idle_hands = [project for project in lab.projects if not project.holds]
    assert len(lab.projects) == 120
    assert len(running) == 95
    assert sum(project.ends is not None for project in running) == 20
    assert all(lab.as_of < project.ends <= lab.as_of + HORIZON for project in lab.projects if project.ends)
    assert sum(project.starts == lab.as_of for project in idle_hands) == 10
    starts = [project.starts for project in lab.projects if not runs_today(project, lab.as_of)]
    assert len(starts) == 15
    assert all(start and start <= lab.as_of + HORIZON for start in starts)


def test_it_is_oversubscribed_by_half_today_and_at_the_end_of_the_horizon(lab: Organization) -> None:
    delivered = sum(
        delivery.gpus * exact(lab.gpu_types[pool.gpu_type].speed)
        for delivery in lab.deliveries
        for pool in lab.pools
        if pool.name == delivery.pool
    )
    today = sum(project.demand for project in lab.projects if runs_today(project, lab.as_of))
    then = sum(project.demand for project in lab.projects if project.ends is None)
    assert 1.45 < today / fleet_compute(lab) < 1.55
    assert 1.45 < then / (fleet_compute(lab) + float(delivered)) < 1.55


def test_97_percent_of_its_gpus_are_held_and_nothing_in_it_is_wrong_or_unwise(lab: Organization) -> None:
    held = sum(sum(project.holds.values()) for project in lab.projects)
    assert 0.965 < held / 250_000 < 0.975
    assert check(lab) == ()


def test_it_has_every_kind_of_project_and_budget(lab: Organization) -> None:
    assert {project.tier for project in lab.projects} == {1, 2, 3}
    assert sum(project.speeds is not None for project in lab.projects) == 80
    for feature in ("one_pool", "pinned", "minimum", "sites"):
        assert sum(bool(getattr(project, feature)) for project in lab.projects) >= 5, feature
    guarantees = [team.guarantee for team in lab.teams if team.guarantee is not None]
    assert {type(guarantee) for guarantee in guarantees} == {float, str}
    assert any(team.limits for team in lab.teams)
    assert len(lab.policy.value) > 1


def test_512_more_h100_or_h200_by_mid_december_need_more_than_what_is_idle(lab: Organization) -> None:
    wanted = {pool.name for pool in lab.pools if pool.gpu_type in ("h100", "h200")}
    idle = sum(pool.gpus for pool in lab.pools if pool.name in wanted)
    released = 0
    for project in lab.projects:
        gpus = sum(gpus for pool, gpus in project.holds.items() if pool in wanted)
        idle -= gpus
        released += gpus if project.ends and project.ends <= dt.date(2026, 12, 15) else 0
    assert 0 < idle < 512 < idle + released


SOLVED = {
    "two_teams": (
        {"guarantee_level_1": 8.001, "value_tier_1": 212, "value_tier_2": 71.8, "moves": 4},
        {
            ("pretrain", "texas-gb200"): 24,
            ("evals", "iowa-h100"): 32,
            ("assistant", "iowa-h100"): 32,
            ("tutor", "texas-gb200"): 8,
        },
    ),
    "oversubscribed": (
        {
            "guarantee_level_1": 0,
            "guarantee_level_2": 12.001,
            "value_tier_1": 568,
            "value_tier_2": 16,
            "moves": 48,
        },
        {("atlas", "iowa-h100"): 48, ("benchmarks", "iowa-h100"): 16, ("chat", "iowa-h100"): 32},
    ),
    "pinned_conflict": (
        {"repair": 16, "value_tier_1": 360, "value_tier_2": 108.8, "moves": 32},
        {("serving", "iowa-h100"): 72, ("crawl", "texas-h100"): 16, ("probe", "texas-h100"): 48},
    ),
}


@pytest.mark.parametrize("name", SOLVED)
def test_what_the_comment_derives_by_hand_is_the_best_of_all_plans(name: str) -> None:
    solved = organization(name)
    goals, grants = SOLVED[name]
    values, best = best_allocation(solved, solved.as_of)
    assert {goal: float(value) for goal, value in values} == goals
    assert {(grant.project, grant.pool): grant.gpus for grant in best} == grants


OBJECTIVES = {"two_teams": 283.8, "oversubscribed": 584, "pinned_conflict": 468.8}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_solver_proves_the_objective_that_the_comment_states(name: str) -> None:
    plan = allocate(organization(name))
    assert plan.status is Status.OPTIMAL
    assert plan.objective == pytest.approx(OBJECTIVES[name])


def test_research_is_the_only_one_of_two_teams_that_falls_short() -> None:
    assert shortfalls(allocate(organization("two_teams"))) == {"research": 16}


def test_the_level_nearer_the_root_is_met_first() -> None:
    assert shortfalls(allocate(organization("oversubscribed"))) == {"assistant": 20}


def test_the_pins_stay_and_what_they_overrun_is_reported() -> None:
    plan = allocate(organization("pinned_conflict"))
    overruns = {(overrun.rule, overrun.subject): overrun for overrun in plan.overruns}
    assert overruns.keys() == {("pool_capacity", "iowa-h100"), ("team_cap", "product")}
    assert all((each.before, each.after, each.limit) == (88, 72, 64) for each in plan.overruns)


def shortfalls(plan: Allocation) -> dict[str, float]:
    return {team.team: round(team.shortfall, 6) for team in plan.teams if team.shortfall}


def test_two_teams_raises_no_warning() -> None:
    assert check(organization("two_teams")) == ()


def test_the_promise_of_the_assistant_is_called_unwise() -> None:
    assert [problem.path for problem in check(organization("oversubscribed"))] == ["teams[4].guarantee"]


def test_the_overfull_pool_and_the_overrun_cap_are_called_unwise() -> None:
    unwise = [problem.path for problem in check(organization("pinned_conflict"))]
    assert unwise == ["pools[0].gpus", "teams[2].cap"]


def test_every_mistake_that_the_comment_lists_is_reported_and_no_other() -> None:
    path = MODELS / "organizations" / "broken_budget.yaml"
    listed = [match.group(1) for line in path.read_text().splitlines() if (match := LISTED.match(line))]
    with pytest.raises(InvalidInput) as caught:
        load(path)
    assert len(listed) == 23
    assert sorted(problem.path for problem in caught.value.problems) == sorted(listed)


def test_the_readme_tells_of_every_file() -> None:
    told = (MODELS / "README.md").read_text()
    files = sorted(path.name for path in MODELS.rglob("*") if path.is_file() and path.name != "README.md")
    assert [name for name in files if f"`{name}`" not in told and f"/{name}`" not in told] == []
