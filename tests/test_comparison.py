"""Two allocations side by side: figures, who gains and who loses, teams, pools, guarantees."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_opt.organization import Organization
from gpu_opt.plan import Cause, Comparison, Difference
from gpu_opt.scenario import compare
from tests.building import allocation, lab, pool, project, root, team
from tests.solving import proved

POOLS = [pool("iowa", 16), pool("texas", 16)]


def between(
    before: Organization,
    had: dict[tuple[str, str], int],
    after: Organization,
    has: dict[tuple[str, str], int],
) -> Comparison:
    return compare(allocation(before, had), allocation(after, has))


def figures(comparison: Comparison) -> dict[str, tuple[float, float]]:
    return {figure.name: (figure.before, figure.after) for figure in comparison.figures}


def test_a_project_is_new_gone_or_changed_and_left_out_if_it_keeps_what_it_had() -> None:
    before = lab(POOLS, projects=[project(name) for name in ("kept", "moved", "gone", "grown")])
    after = lab(
        POOLS, projects=[project(name) for name in ("kept", "moved", "grown", "new", "new but empty")]
    )
    found = between(
        before,
        {("kept", "iowa"): 4, ("moved", "iowa"): 4, ("gone", "texas"): 4, ("grown", "iowa"): 1},
        after,
        {("kept", "iowa"): 4, ("moved", "texas"): 4, ("grown", "iowa"): 8, ("new", "texas"): 2},
    )
    assert [(one.project, one.difference, one.before, one.after, one.by_pool) for one in found.projects] == [
        ("gone", Difference.GONE, 4, 0, {"texas": -4}),
        ("grown", Difference.CHANGED, 1, 8, {"iowa": 7}),
        ("moved", Difference.CHANGED, 4, 4, {"iowa": -4, "texas": 4}),
        ("new", Difference.NEW, 0, 2, {"texas": 2}),
    ]
    assert (found.gained, found.lost) == (13, 8)


def test_compute_is_told_at_the_projects_own_speed() -> None:
    organization = lab([pool(gpu_type="gb200")], projects=[project("orion", 20, speeds={"gb200": 2.2})])
    (orion,) = between(organization, {("orion", "iowa"): 2}, organization, {("orion", "iowa"): 5}).projects
    assert (orion.compute_before, orion.compute_after) == (4.4, 11)


def test_a_project_that_changes_its_team_and_nothing_else_is_no_difference_of_grants() -> None:
    teams = [team("research"), team("product")]
    before, after = (
        lab(teams=teams, projects=[project("orion", team=name)]) for name in ("research", "product")
    )
    grants = {("orion", "iowa"): 8}
    found = between(before, grants, after, grants)
    assert found.projects == ()
    assert {one.team for one in found.teams} == {"research", "product"}


def test_a_team_differs_with_its_budget_even_if_it_is_granted_the_same() -> None:
    before = lab(teams=[team("research", cap=8), team("product"), team("closed")])
    after = lab(teams=[team("research", cap=12), team("product"), team("opened")])
    found = between(before, {}, after, {}).teams
    assert [(one.team, one.difference) for one in found] == [
        ("research", Difference.CHANGED),
        ("opened", Difference.NEW),
        ("closed", Difference.GONE),
    ]
    research, opened, closed = found
    assert research.before is not None
    assert research.after is not None
    assert (research.before.cap, research.after.cap) == (8, 12)
    assert opened.before is None
    assert closed.after is None


def test_a_pool_differs_if_its_size_does_or_what_is_idle() -> None:
    before = lab([*POOLS, pool("ohio", 4)], projects=[project("orion")])
    after = lab([pool("iowa", 16), pool("texas", 20), pool("norway", 4)], projects=[project("orion")])
    found = between(before, {("orion", "iowa"): 4}, after, {("orion", "iowa"): 8}).pools
    assert [(one.pool, one.difference) for one in found] == [
        ("iowa", Difference.CHANGED),
        ("texas", Difference.CHANGED),
        ("norway", Difference.NEW),
        ("ohio", Difference.GONE),
    ]


@pytest.mark.parametrize(
    ("had", "has", "verdict", "shortfalls"),
    [
        (8, 4, "broken", (0, 4)),
        (4, 8, "met", (4, 0)),
        (2, 4, "closer", (6, 4)),
        (4, 2, "further", (4, 6)),
    ],
)
def test_a_guarantee_is_met_broken_or_on_its_way(
    had: int, has: int, verdict: str, shortfalls: tuple[float, float]
) -> None:
    organization = lab(teams=[team("research", guarantee=8)], projects=[project("orion", 8, "research")])
    grants = [{("orion", "iowa"): gpus} for gpus in (had, has)]
    (found,) = between(organization, grants[0], organization, grants[1]).guarantees
    assert (found.team, found.verdict, (found.before, found.after)) == ("research", verdict, shortfalls)


def test_the_headline_has_every_figure_of_both() -> None:
    before = lab(
        teams=[root(guarantee=16)], projects=[project("orion", 8, holds={"iowa": 8}), project("lyra", 8)]
    )
    after = changed_project(before, "lyra", demand=4.0)
    found = compare(proved(before), allocation(after, {("orion", "iowa"): 6, ("lyra", "iowa"): 4}))
    assert figures(found) == {
        "objective": (16, 10),
        "asked": (16, 12),
        "granted": (16, 10),
        "gpus": (16, 10),
        "idle": (0, 6),
        "moves": (0, 2),
        "guarantees_short": (0, 1),
        "projects_met": (2, 1),
    }


def changed_project(organization: Organization, name: str, **fields: Any) -> Organization:
    projects = tuple(p.model_copy(update=fields) if p.name == name else p for p in organization.projects)
    return organization.model_copy(update={"projects": projects})


# --- Because of which constraint ----------------------------------------------------------------------


def test_who_loses_is_told_what_stands_in_its_way_now_and_who_gains_what_stood_before() -> None:
    teams = [team("research", cap=12), team("product")]
    projects = [project("orion", 16, "research", priority=2), project("lyra", 16, "product")]
    before = lab(teams=teams, projects=projects)
    after = lab(teams=[team("research"), team("product")], projects=projects)
    lyra, orion = compare(proved(before), proved(after)).projects
    assert (orion.project, orion.by_pool, lyra.by_pool) == ("orion", {"iowa": 4}, {"iowa": -4})
    assert orion.reason is not None
    assert lyra.reason is not None
    assert (orion.reason.cause, orion.reason.subject) == (Cause.TEAM_CAP, "research")
    assert (lyra.reason.cause, lyra.reason.projects) == (Cause.OUTRANKED, ("orion",))


def test_nothing_stands_in_the_way_of_what_is_new_or_has_as_much_elsewhere() -> None:
    organization = lab(POOLS, projects=[project("orion", 4)])
    moved = between(organization, {("orion", "iowa"): 4}, organization, {("orion", "texas"): 4})
    assert [one.reason for one in moved.projects] == [None]
    appeared = between(lab(POOLS), {}, organization, {("orion", "texas"): 4})
    assert [one.reason for one in appeared.projects] == [None]


def test_a_comparison_is_the_same_after_a_trip_through_json() -> None:
    before, after = lab(projects=[project("orion", 4)]), lab(projects=[project("lyra", 4)])
    found = between(before, {("orion", "iowa"): 4}, after, {("lyra", "iowa"): 4})
    assert Comparison.model_validate_json(found.model_dump_json()) == found
