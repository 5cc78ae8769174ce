"""What makes no difference to a plan, and what makes it so many times as large."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.organization import Delivery, Limit, Organization, Pool, Project, Team
from tests.building import changed, day
from tests.properties.comparing import absolute, assert_same, law, organizations, without_guarantees
from tests.solving import goals, proved
from tests.strategies import SITES, SPEEDS

# --- What makes no difference -------------------------------------------------------------------------


@law
@given(organizations())
def test_names_make_no_difference(organization: Organization) -> None:
    assert_same(proved(renamed(organization)), proved(organization))


def renamed(organization: Organization) -> Organization:
    """Every name replaced by another, in an order of its own."""

    def new(kind: str, names: Iterable[str]) -> dict[str, str]:
        return {name: f"{kind} {100 - n}" for n, name in enumerate(names)}

    kinds = new("type", organization.gpu_types)
    sites = new("site", dict.fromkeys(pool.site for pool in organization.pools))
    pools = new("pool", (pool.name for pool in organization.pools))
    teams = new("team", (team.name for team in organization.teams))
    return changed(
        organization,
        gpu_types={kinds[name]: kind for name, kind in organization.gpu_types.items()},
        pools=tuple(
            changed(pool, name=pools[pool.name], gpu_type=kinds[pool.gpu_type], site=sites[pool.site])
            for pool in organization.pools
        ),
        deliveries=tuple(changed(each, pool=pools[each.pool]) for each in organization.deliveries),
        teams=tuple(
            changed(
                team,
                name=teams[team.name],
                parent=None if team.parent is None else teams[team.parent],
                limits={kinds[kind]: limit for kind, limit in team.limits.items()},
            )
            for team in organization.teams
        ),
        projects=tuple(
            changed(
                project,
                name=f"project {n}",
                team=teams[project.team],
                speeds=None if project.speeds is None else {kinds[k]: s for k, s in project.speeds.items()},
                sites=None if project.sites is None else tuple(sites[site] for site in project.sites),
                pools=None if project.pools is None else tuple(pools[name] for name in project.pools),
                holds={pools[name]: gpus for name, gpus in project.holds.items()},
            )
            for n, project in enumerate(organization.projects)
        ),
    )


@law
@given(organizations(), st.data())
def test_the_order_of_projects_teams_and_deliveries_makes_no_difference(
    organization: Organization, data: st.DataObject
) -> None:
    shuffled = changed(
        organization,
        projects=tuple(data.draw(st.permutations(organization.projects))),
        teams=tuple(data.draw(st.permutations(organization.teams))),
        deliveries=tuple(data.draw(st.permutations(organization.deliveries))),
    )
    assert_same(proved(shuffled), proved(organization))


@law
@given(organizations(), st.data(), st.sampled_from(((-9, -1), (-9, 0), (1, 9))))
def test_a_project_that_has_ended_or_not_begun_makes_no_difference(
    organization: Organization, data: st.DataObject, life: tuple[int, int]
) -> None:
    other = Project(
        name="not now",
        team=data.draw(st.sampled_from(organization.teams)).name,
        demand=9,
        priority=99,
        starts=day(life[0]),
        ends=day(life[1]),
    )
    after = changed(organization, projects=(*organization.projects, other))
    assert_same(proved(after), proved(organization))


@law
@given(organizations(), st.data())
def test_a_project_of_a_later_tier_takes_nothing_from_the_tiers_before_it(
    organization: Organization, data: st.DataObject
) -> None:
    """Moves are counted last and over all tiers; and what it gets counts for its team's guarantee."""
    late = Project(
        name="late", team=data.draw(st.sampled_from(organization.teams)).name, demand=9, tier=3, priority=99
    )
    before = without_guarantees(organization)
    after = changed(before, projects=(*before.projects, late))
    old, new = goals(proved(before)), goals(proved(after))
    old.pop("moves", None)
    assert {name: new[name] for name in old} == pytest.approx(old)


@law
@given(organizations(), st.sampled_from(sorted(SPEEDS)), st.sampled_from(SITES), st.integers(1, 9))
def test_a_pool_that_nobody_can_use_changes_nothing(
    organization: Organization, gpu_type: str, site: str, gpus: int
) -> None:
    here = tuple(pool.name for pool in organization.pools)
    before = changed(
        absolute(organization),
        projects=tuple(changed(project, pools=here) for project in organization.projects),
    )
    useless = Pool(name="of no use", gpu_type=gpu_type, site=site, gpus=gpus)
    plan, after = proved(before), proved(changed(before, pools=(*before.pools, useless)))
    assert_same(after, plan)
    assert {one.pool: one.idle for one in after.pools}["of no use"] == gpus


@law
@given(organizations(), st.data(), st.sampled_from(("100%", "60%", "33.3%", "50%", "12.5%")))
def test_a_cap_in_percent_is_that_share_of_the_fleet(
    organization: Organization, data: st.DataObject, share: str
) -> None:
    capped = data.draw(st.sampled_from(organization.teams)).name
    fleet = sum(Fraction(str(SPEEDS[pool.gpu_type])) * pool.gpus for pool in organization.pools)
    types = {pool.name: pool.gpu_type for pool in organization.pools}
    for each in organization.deliveries:
        if each.on <= organization.as_of:
            fleet += Fraction(str(SPEEDS[types[each.pool]])) * each.gpus
    number = int(1000 * fleet * Fraction(share.removesuffix("%")) / 100) / 1000

    def with_cap(cap: str | float) -> Organization:
        teams = (
            changed(team, guarantee=None, cap=cap if team.name == capped else None)
            for team in organization.teams
        )
        return changed(organization, teams=tuple(teams))

    assert_same(proved(with_cap(share)), proved(with_cap(number)))


@law
@given(organizations(), st.data(), st.integers(1, 3), st.integers(1, 3))
def test_a_delivery_in_two_parts_is_one_delivery(
    organization: Organization, data: st.DataObject, first: int, second: int
) -> None:
    pool = data.draw(st.sampled_from(organization.pools))

    def delivered(*units: int) -> Organization:
        parts = (Delivery(pool=pool.name, gpus=pool.unit * each, on=day(2)) for each in units)
        return changed(organization, deliveries=(*parts, *organization.deliveries))

    whole, parts = delivered(first + second), delivered(first, second)
    assert_same(proved(parts, day(2)), proved(whole, day(2)))


# --- Scales -------------------------------------------------------------------------------------------


@law
@given(organizations(), st.sampled_from((0.5, 3.0)))
def test_values_scale_with_priorities_and_the_cost_of_moves(organization: Organization, by: float) -> None:
    scaled = changed(
        organization,
        projects=tuple(changed(each, priority=each.priority * by) for each in organization.projects),
        policy=changed(organization.policy, move_cost=organization.policy.move_cost * by),
    )
    old, new = goals(proved(organization)), goals(proved(scaled))
    assert new.keys() == old.keys()
    for name, value in old.items():
        factor = by if name.startswith("value") else 1
        assert abs(new[name] - value * factor) <= 1e-5 * (1 + abs(value)), name


@law
@given(organizations())
def test_in_a_world_three_times_as_large_everything_is_three_times_as_large(
    organization: Organization,
) -> None:
    small = without_guarantees(absolute(organization))
    old, new = goals(proved(small)), goals(proved(tripled(small)))
    assert new.keys() == old.keys()
    for name, value in old.items():
        assert abs(new[name] - 3 * value) <= 1e-5 * (1 + abs(value)), name


def tripled(organization: Organization) -> Organization:
    def budgets(team: Team) -> Team:
        return changed(
            team,
            cap=None if team.cap is None else float(3 * Fraction(str(team.cap))),
            limits={kind: Limit(cap=3 * float(limit.cap)) for kind, limit in team.limits.items()},
        )

    def wishes(project: Project) -> Project:
        return changed(
            project,
            demand=float(3 * Fraction(str(project.demand))),
            minimum=float(3 * Fraction(str(project.minimum))),
            holds={pool: 3 * gpus for pool, gpus in project.holds.items()},
        )

    moves = organization.policy.max_moves
    return changed(
        organization,
        pools=tuple(changed(p, gpus=3 * p.gpus, unit=3 * p.unit) for p in organization.pools),
        deliveries=tuple(changed(each, gpus=3 * each.gpus) for each in organization.deliveries),
        teams=tuple(budgets(team) for team in organization.teams),
        projects=tuple(wishes(project) for project in organization.projects),
        policy=changed(organization.policy, max_moves=None if moves is None else 3 * moves),
    )
