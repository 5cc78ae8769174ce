"""What a demand allows, whatever it is: stated on the input alone, held against the checker and plans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from gpu_opt.checker.allocation import demand, granted_of
from gpu_opt.checker.data import allocation_data
from gpu_opt.organization import Organization, Pool, Project, exact
from gpu_opt.plan import Grant
from tests.building import SPEEDS, lab, pool, project, root
from tests.solving import grants, proved
from tests.strategies import organizations

UNITS = (1, 2, 8, 64)

own_speeds = st.fixed_dictionaries({kind: st.sampled_from((1.0, 0.7, 1.5, 3.3)) for kind in SPEEDS})


@dataclass(frozen=True, slots=True)
class Wish:
    """A lab in which one project, `orion`, holds nothing, and GPUs that it may be granted, by pool."""

    organization: Organization
    gpus: dict[str, int]

    @property
    def orion(self) -> Project:
        return self.organization.projects[0]


def some_pool(name: str) -> st.SearchStrategy[Pool]:
    unit, kind = st.sampled_from(UNITS), st.sampled_from(sorted(SPEEDS))
    return st.builds(lambda unit, kind: pool(name, 1_000 * unit, unit, kind), unit, kind)


@st.composite
def wishes(draw: DrawFn) -> Wish:
    """Up to three pools, and in each GPUs up to one unit more than what meets the demand alone."""
    pools = [draw(some_pool(name)) for name in ("iowa", "ohio", "texas")[: draw(st.integers(1, 3))]]
    asked = draw(st.integers(1, 400_000).map(lambda thousandths: thousandths / 1_000))
    orion = project("orion", asked, speeds=draw(own_speeds), one_pool=draw(st.booleans()))
    gpus = {}
    for each in pools:
        whole = math.ceil(exact(asked) / unit_compute(orion, each))
        gpus[each.name] = each.unit * draw(st.just(0) | st.just(whole + 1) | st.integers(0, whole))
    return Wish(lab(pools, [root(guarantee=1_000_000)], [orion]), gpus)


def unit_compute(project: Project, pool: Pool) -> Fraction:
    """Compute of one allocation unit, at the project's own speed."""
    own = SPEEDS[pool.gpu_type] if project.speeds is None else project.speeds[pool.gpu_type]
    return pool.unit * exact(own)


def is_allowed(organization: Organization, gpus: Mapping[str, int]) -> bool:
    """Whether the checker lets `orion` have these GPUs, as far as its demand goes."""
    data = allocation_data(organization, organization.as_of)
    granted = [Grant(project="orion", pool=at, gpus=count) for at, count in gpus.items() if count]
    return not list(demand(data, granted_of(data, granted)))


def compute(organization: Organization, project: Project, gpus: Mapping[str, int]) -> Fraction:
    """Compute of GPUs by pool, at the project's own speeds."""
    used = [each for each in organization.pools if gpus.get(each.name)]
    parts = (gpus[each.name] // each.unit * unit_compute(project, each) for each in used)
    return sum(parts, Fraction(0))


def is_less_than_a_unit_beyond(organization: Organization, project: Project, gpus: Mapping[str, int]) -> bool:
    """Whether the GPUs are less than the demand and one unit of a pool of theirs; none always are."""
    used = [unit_compute(project, each) for each in organization.pools if gpus.get(each.name)]
    return not used or compute(organization, project, gpus) < exact(project.demand) + max(used)


@given(wishes())
def test_anything_up_to_the_demand_is_allowed(wish: Wish) -> None:
    if compute(wish.organization, wish.orion, wish.gpus) <= exact(wish.orion.demand):
        assert is_allowed(wish.organization, wish.gpus)


@settings(max_examples=100)
@given(wishes())
def test_what_is_allowed_is_less_than_the_demand_and_one_unit_of_a_pool_of_it(wish: Wish) -> None:
    if is_allowed(wish.organization, wish.gpus):
        assert is_less_than_a_unit_beyond(wish.organization, wish.orion, wish.gpus)


@given(wishes(), some_pool("another pool"))
def test_another_pool_changes_nothing_of_what_is_allowed_in_the_others(wish: Wish, other: Pool) -> None:
    larger = wish.organization.model_copy(update={"pools": (*wish.organization.pools, other)})
    assert is_allowed(larger, wish.gpus) == is_allowed(wish.organization, wish.gpus)


@given(wishes(), st.data())
def test_less_than_what_is_allowed_is_allowed(wish: Wish, data: st.DataObject) -> None:
    if is_allowed(wish.organization, wish.gpus):
        fewer = {at: data.draw(st.integers(0, gpus)) for at, gpus in wish.gpus.items()}
        assert is_allowed(wish.organization, fewer)


@settings(max_examples=100)
@given(wishes())
def test_whatever_meets_the_demand_counts_no_less_than_what_is_promised(wish: Wish) -> None:
    data = allocation_data(wish.organization, wish.organization.as_of)
    counted = data.totals({"orion": wish.gpus}).compute["lab"]
    used = [gpus for gpus in wish.gpus.values() if gpus]
    meets = compute(wish.organization, wish.orion, wish.gpus) >= exact(wish.orion.demand)
    if meets and (len(used) == 1 or not wish.orion.one_pool):
        assert Fraction(counted, 1000) >= data.promised["lab"]


@settings(max_examples=settings().max_examples // 2)
@given(organizations(max_projects=4, max_pools=3, max_units=4))
def test_a_plan_grants_less_than_the_demand_and_one_unit_of_a_pool_of_it(organization: Organization) -> None:
    granted = grants(proved(organization))
    for each in organization.projects:
        if not each.holds:
            assert is_less_than_a_unit_beyond(organization, each, granted.get(each.name, {}))
