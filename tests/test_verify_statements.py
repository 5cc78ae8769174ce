"""The checker on what an allocation says of itself: every figure must follow from the grants."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from gpu_opt.checker import lexicographic_value, require_verified, verify
from gpu_opt.errors import VerificationFailure
from gpu_opt.plan import Allocation, Grant, Status, Stop
from tests.building import TODAY, allocation, changed, day, lab, pool, project, refused_by, root, team

TWO_TEAMS = lab(
    pools=[pool("iowa", 16, unit=8), pool("texas", 8, unit=4, gpu_type="gb200")],
    teams=[root(cap=30), team("vision", guarantee="50%", cap=20), team("speech", owner="ada")],
    projects=[
        project("orion", 16, "vision", priority=2, speeds={"h100": 1.0}),
        project("lyra", 20, "speech", tier=2, minimum=10, holds={"texas": 4, "iowa": 8}, ends=day(9)),
        project("later", 8, "speech", starts=day(5)),
    ],
    value=[[0.5, 1.0], [0.5, 0.6]],
    move_cost=0.05,
)
"""Orion and lyra share 16 H100s and 8 GB200s (of 2.5 each); all may have 30 reference GPUs."""

SHARED = {("orion", "iowa"): 16, ("lyra", "texas"): 4}
"""Lyra gives its 8 H100s to orion, so that both fit under the cap of 30."""

GOOD = allocation(TWO_TEAMS, SHARED)


def test_a_good_plan_passes() -> None:
    assert verify(TWO_TEAMS, GOOD) == ()


def test_its_goals_are_those_that_a_pencil_finds() -> None:
    reached = lexicographic_value(TWO_TEAMS, GOOD.grants, TODAY)
    assert reached == (
        ("guarantee_level_1", Fraction(0)),
        ("value_tier_1", Fraction("25.6")),  # 2 x (8 x 1.0 + 8 x 0.6)
        ("value_tier_2", Fraction("9.6")),  # 10 x 1.0 + 0 x 0.6, less 8 moves at 0.05
        ("moves", Fraction(8)),
    )


def test_its_figures_are_those_that_a_pencil_finds() -> None:
    top, vision, speech = GOOD.teams
    assert (top.granted, top.promised, top.by_type) == (26, 0, {"h100": 16, "gb200": 4})
    assert (vision.guarantee, vision.promised, vision.shortfall) == (15, 15, 0)
    assert (speech.granted, speech.guarantee, speech.level) == (10, None, 1)
    assert [outcome.granted for outcome in GOOD.projects] == [16, 10, 0]
    assert [(move.project, move.pool, move.gpus) for move in GOOD.moves] == [("lyra", "iowa", 8)]


def test_in_a_large_lab_too_figures_are_true_to_the_last_digit_that_is_shown() -> None:
    large = lab([pool("iowa", 400_000)], projects=[project("orion", 400_000)])
    plan = allocation(large, {("orion", "iowa"): 381_676})
    (outcome,) = plan.teams
    assert verify(large, plan) == ()
    assert refused_by(large, changed(plan, teams=(changed(outcome, granted=381_676.1),))) == {"team_total"}
    assert refused_by(large, changed(plan, objective=381_676.1)) >= {"value"}


def test_a_refused_plan_is_an_error_that_lists_everything() -> None:
    require_verified(TWO_TEAMS, GOOD)
    with pytest.raises(VerificationFailure) as caught:
        require_verified(TWO_TEAMS, changed(GOOD, moves=(), objective=1.0))
    for line in ("moves: lyra, iowa:", "value: the plan:", "goals: the plan:"):
        assert line in str(caught.value)


PLACES = lab(
    [pool("iowa", 16, unit=8), pool("texas", 8, gpu_type="gb200"), pool("ohio", 8)],
    projects=[
        project("orion", 12, speeds={"h100": 1.0}, sites=("iowa", "texas")),
        project("ended", ends=TODAY),
        project("later", starts=day(1)),
    ],
)


@pytest.mark.parametrize(
    ("name", "at", "gpus", "message"),
    [
        ("nobody", "iowa", 8, "there is no such project"),
        ("orion", "nowhere", 8, "there is no pool 'nowhere'"),
        ("orion", "iowa", 12, "12 GPUs are not whole units of iowa"),
        ("orion", "iowa", 0, "0 GPUs are not whole units of iowa"),
        ("orion", "iowa", -8, "-8 GPUs are not whole units of iowa"),
        ("orion", "texas", 8, "does not run in texas"),
        ("orion", "ohio", 8, "does not run in ohio"),
        ("ended", "iowa", 8, "not active on the date"),
        ("later", "iowa", 8, "not active on the date"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(name: str, at: str, gpus: int, message: str) -> None:
    plan = allocation(PLACES, {(name, at): gpus})
    assert [(each.rule, each.message) for each in verify(PLACES, plan)] == [("grants", message)]


def test_a_grant_is_stated_once() -> None:
    organization = lab(projects=[project("orion", 8)])
    halves = (Grant(project="orion", pool="iowa", gpus=4),) * 2
    plan = changed(allocation(organization, {("orion", "iowa"): 8}), grants=halves)
    assert refused_by(organization, plan) == {"grants"}


def test_nobody_takes_over_a_pool_because_it_is_overfull() -> None:
    holders = [project(name, 16, holds={"iowa": 8}) for name in ("orion", "lyra")]
    organization = lab([pool(gpus=8)], projects=holders)
    plan = allocation(organization, {("orion", "iowa"): 16})
    assert [(each.rule, each.message) for each in verify(organization, plan)] == [
        ("grants", "16 GPUs of iowa, though it can reach 8")
    ]


@pytest.mark.parametrize(
    "fields", [{"granted": 26.001}, {"by_type": {"h100": 16}}, {"granted": float("nan")}]
)
def test_a_wrong_total_is_refused(fields: dict[str, Any]) -> None:
    plan = changed(GOOD, teams=(changed(GOOD.teams[0], **fields), *GOOD.teams[1:]))
    assert refused_by(TWO_TEAMS, plan) == {"team_total"}


@pytest.mark.parametrize("fields", [{"promised": 14.0}, {"shortfall": 1.0}])
def test_a_wrong_shortfall_is_refused(fields: dict[str, Any]) -> None:
    plan = changed(GOOD, teams=(GOOD.teams[0], changed(GOOD.teams[1], **fields), GOOD.teams[2]))
    assert refused_by(TWO_TEAMS, plan) == {"team_guarantee"}


def test_a_wrong_objective_is_refused() -> None:
    assert refused_by(TWO_TEAMS, changed(GOOD, objective=35.21, bound=35.21)) == {"value"}


def test_a_bound_that_is_not_that_of_the_tiers_is_refused() -> None:
    assert refused_by(TWO_TEAMS, changed(GOOD, bound=36.2, gap=1 / 36.2)) == {"value"}


@pytest.mark.parametrize("moves", [(), GOOD.moves * 2, (changed(GOOD.moves[0], gpus=4),)])
def test_moves_are_stated_exactly(moves: tuple[Any, ...]) -> None:
    assert refused_by(TWO_TEAMS, changed(GOOD, moves=moves)) == {"moves"}


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (0, {"value": 1.0, "bound": 1.0}),
        (3, {"value": 7.0, "bound": 7.0}),
        (3, {"sense": "maximize"}),
        (3, {"gap": 0.1}),
        (3, {"bound": 9.0, "gap": 1 / 9}),
        (3, {"bound": 7.0, "gap": 1 / 8}),
        (3, {"bound": float("nan")}),
        (3, {"name": "guarantee_level_3"}),
        (3, {"unit": "nodes"}),
        (3, {"seconds": -1.0}),
        (3, {"bound": float("inf"), "gap": float("nan")}),
    ],
)
def test_a_goal_stated_wrongly_is_refused(place: int, fields: dict[str, Any]) -> None:
    goals = list(GOOD.goals)
    goals[place] = changed(goals[place], **fields)
    assert refused_by(TWO_TEAMS, changed(GOOD, goals=tuple(goals))) == {"goals"}


def test_a_bound_worse_than_the_value_is_refused_where_more_is_better() -> None:
    *others, tier, moves = GOOD.goals
    low = changed(tier, bound=8.6, gap=1 / 9.6, stop=Stop.TIME)
    goals = (*others, low, moves)
    plan = changed(GOOD, status=Status.FEASIBLE, stop=Stop.TIME, goals=goals, bound=34.2, gap=1 / 35.2)
    assert [(each.rule, each.subject) for each in verify(TWO_TEAMS, plan)] == [("goals", "value_tier_2")]


@pytest.mark.parametrize("bound", [float("inf"), float("nan")])
def test_a_bound_is_a_number(bound: float) -> None:
    first, tier, *others = GOOD.goals
    goals = (first, changed(tier, bound=bound, gap=bound, stop=Stop.TIME), *others)
    plan = changed(GOOD, status=Status.FEASIBLE, stop=Stop.TIME, goals=goals, bound=bound, gap=bound)
    assert refused_by(TWO_TEAMS, plan) >= {"goals"}


def unproved(stop: Stop, status: Status = Status.FEASIBLE, gap: float = 0.0) -> Allocation:
    """The good plan, but whether it could do with 6 moves instead of 8 was not decided: a gap of 25 %."""
    *others, moves = GOOD.goals
    goals = (*others, changed(moves, bound=6.0, gap=0.25, stop=stop))
    return changed(GOOD, status=status, stop=stop, goals=goals, run=changed(GOOD.run, gap=gap))


@pytest.mark.parametrize("stop", [Stop.TIME, Stop.FAILED, Stop.INTERRUPTED])
def test_an_unproved_plan_passes_if_it_does_not_claim_more(stop: Stop) -> None:
    assert refused_by(TWO_TEAMS, unproved(stop)) == set()
    assert refused_by(TWO_TEAMS, unproved(stop, Status.OPTIMAL)) == {"goals"}


def test_proved_is_a_goal_whose_bound_is_reached_and_no_other() -> None:
    assert refused_by(TWO_TEAMS, unproved(Stop.PROVED)) == {"goals"}
    assert refused_by(TWO_TEAMS, unproved(Stop.PROVED, Status.OPTIMAL)) == {"goals"}
    *others, moves = GOOD.goals
    goals = (*others, changed(moves, stop=Stop.TIME))
    shy = changed(GOOD, status=Status.FEASIBLE, stop=Stop.TIME, goals=goals)
    assert [each.message for each in verify(TWO_TEAMS, shy)] == [
        "its bound is reached, but it is said to have ended by time"
    ]


@pytest.mark.parametrize(("gap", "rules"), [(0.3, set()), (0.25, set()), (0.2, {"goals"})])
def test_within_the_gap_is_a_goal_whose_gap_is_no_larger_than_asked(gap: float, rules: set[str]) -> None:
    assert refused_by(TWO_TEAMS, unproved(Stop.GAP, gap=gap)) == rules


def test_a_plan_ended_as_the_goal_that_says_least() -> None:
    plan = unproved(Stop.FAILED)
    assert refused_by(TWO_TEAMS, changed(plan, stop=Stop.TIME)) == {"goals"}
    assert refused_by(TWO_TEAMS, changed(GOOD, status=Status.FEASIBLE)) == {"goals"}


@pytest.mark.parametrize(
    "fields",
    [
        {"organization_hash": "of another organization"},
        {"gap": -0.1},
        {"gap": 1.0},
        {"threads": 0},
        {"seed": -1},
        {"time_limit": float("inf")},
        {"seconds": {}},
        {"seconds": {"total": -1.0}},
        {"seconds": {"total": float("inf")}},
        {"seconds": {"total": 1.0, "solving": float("nan")}},
        {"seconds": {"total": 1.0, "solving": 0.8, "verifying": 0.3}},
    ],
)
def test_a_run_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    assert refused_by(TWO_TEAMS, changed(GOOD, run=changed(GOOD.run, **fields))) == {"run"}


def test_a_plan_is_for_today_or_later() -> None:
    yesterday = day(-1)
    assert "outcomes" in refused_by(TWO_TEAMS, allocation(TWO_TEAMS, SHARED, yesterday))


def test_goals_come_in_their_order_and_all_of_them() -> None:
    assert refused_by(TWO_TEAMS, changed(GOOD, goals=GOOD.goals[:-1])) == {"goals"}
    first, second, third, last = GOOD.goals
    assert refused_by(TWO_TEAMS, changed(GOOD, goals=(first, third, second, last))) == {"goals"}


def test_a_gap_that_fits_nothing_is_refused() -> None:
    assert refused_by(TWO_TEAMS, changed(GOOD, gap=0.5)) == {"goals"}


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        *(
            ("projects", {field: 7.0})
            for field in ("priority", "demand", "minimum", "granted", "gpus", "held")
        ),
        *(("projects", fields) for fields in ({"active": False}, {"tier": 2}, {"team": "speech"})),
        *(("pools", {field: 9}) for field in ("gpus", "granted", "idle")),
        *(("pools", {field: "mars"}) for field in ("gpu_type", "site")),
        *(("teams", fields) for fields in ({"level": 1}, {"owner": "ada"}, {"parent": "speech"})),
        *(("teams", fields) for fields in ({"guarantee": 3.0}, {"cap": None}, {"cap": 30.001})),
        *((part, {part[:-1]: "mars"}) for part in ("projects", "teams", "pools")),
    ],
)
def test_a_figure_stated_wrongly_is_refused(part: str, fields: dict[str, Any]) -> None:
    first, *others = getattr(GOOD, part)
    plan = changed(GOOD, **{part: (changed(first, **fields), *others)})
    assert refused_by(TWO_TEAMS, plan) == {"outcomes"}


@pytest.mark.parametrize("part", ["projects", "teams", "pools"])
def test_every_outcome_is_stated_once(part: str) -> None:
    outcomes = getattr(GOOD, part)
    assert refused_by(TWO_TEAMS, changed(GOOD, **{part: outcomes[1:]})) == {"outcomes"}
    assert refused_by(TWO_TEAMS, changed(GOOD, **{part: (*outcomes, outcomes[0])})) == {"outcomes"}


def test_a_plan_is_for_the_organization_that_it_names() -> None:
    assert refused_by(TWO_TEAMS, changed(GOOD, organization="another")) == {"outcomes"}
    assert refused_by(TWO_TEAMS, changed(GOOD, as_of=day(1))) == {"outcomes"}


# --- A plan that was to stay near to another ----------------------------------------------------------

NEAR = (Grant(project="orion", pool="iowa", gpus=8), Grant(project="lyra", pool="iowa", gpus=8))
NEARBY = allocation(TWO_TEAMS, SHARED, near=NEAR)


def test_what_is_granted_otherwise_than_in_the_plan_to_stay_near_to_is_the_last_goal() -> None:
    assert verify(TWO_TEAMS, NEARBY) == ()
    reached = lexicographic_value(TWO_TEAMS, NEARBY.grants, TODAY, NEAR)
    assert reached[-1] == ("changes", Fraction(8 + 8 + 4))  # orion's second node, lyra's there and its GB200s
    assert reached[:-1] == lexicographic_value(TWO_TEAMS, NEARBY.grants, TODAY)


def test_a_plan_that_says_it_is_nearer_than_it_is_is_refused() -> None:
    *others, changes = NEARBY.goals
    nearer = changed(changes, value=16.0, bound=16.0)
    assert refused_by(TWO_TEAMS, changed(NEARBY, goals=(*others, nearer))) == {"goals"}
    assert refused_by(TWO_TEAMS, changed(NEARBY, near=None)) == {"goals"}
    assert refused_by(TWO_TEAMS, changed(NEARBY, goals=tuple(others))) == {"goals"}


@pytest.mark.parametrize(
    "wrong",
    [
        Grant(project="orion", pool="texas", gpus=4),
        Grant(project="later", pool="iowa", gpus=8),
        Grant(project="nobody", pool="iowa", gpus=8),
    ],
    ids=["where it does not run", "not active", "unknown"],
)
def test_what_can_be_granted_no_more_is_nothing_to_stay_near_to(wrong: Grant) -> None:
    assert refused_by(TWO_TEAMS, changed(NEARBY, near=(*NEAR, wrong))) == {"changes"}


def test_what_to_stay_near_to_is_stated_once_and_is_something() -> None:
    nothing = Grant(project="lyra", pool="texas", gpus=0)
    assert refused_by(TWO_TEAMS, changed(NEARBY, near=(*NEAR, nothing))) == {"changes"}
    assert "changes" in refused_by(TWO_TEAMS, changed(NEARBY, near=NEAR + NEAR))
