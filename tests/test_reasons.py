"""Why a project has what it has: cause by cause, in a case in which it is the right one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpu_opt.allocation import allocate
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Cause
from tests.building import day, lab, pool, project, team
from tests.solving import PROOF, gpus, proved, reason


def test_it_gets_all_it_asked_for() -> None:
    plan = proved(lab(projects=[project("orion", 8)]))
    assert reason(plan, "orion").cause is Cause.MET


def test_one_more_unit_would_be_more_than_it_asked_for() -> None:
    pools = [pool("iowa", 4, unit=4), pool("ohio", 12, unit=6)]
    held = project("orion", 12, holds={"iowa": 4, "ohio": 6})
    plan = proved(lab(pools, projects=[held], max_moves=0))
    assert gpus(plan) == {"orion": 10}
    why = reason(plan, "orion")
    assert why.cause is Cause.MET
    assert why.text == "lacks 2 of what it asked for; one more unit would be more than that"


@pytest.mark.parametrize(
    ("on", "text"), [(2, "starts only on 2026-11-26"), (5, "ended on 2026-11-28"), (6, "ended on 2026-11-28")]
)
def test_it_is_not_active(on: int, text: str) -> None:
    plan = proved(lab(projects=[project("orion", 8, starts=day(3), ends=day(5))]), day(on))
    assert (reason(plan, "orion").cause, reason(plan, "orion").text) == (Cause.NOT_ACTIVE, text)


def test_no_pool_has_its_type_at_its_site() -> None:
    pools = [pool("iowa"), pool("texas", gpu_type="gb200")]
    plan = proved(lab(pools, projects=[project("orion", 8, speeds={"gb200": 2.0}, sites=("iowa",))]))
    assert reason(plan, "orion").cause is Cause.NO_POOL


def test_where_it_runs_there_is_nothing() -> None:
    plan = proved(lab([pool("iowa", 0)], projects=[project("orion", 8)]))
    assert reason(plan, "orion").cause is Cause.NO_POOL


def test_its_minimum_is_more_than_there_could_ever_be() -> None:
    plan = proved(lab([pool(gpus=8)], projects=[project("orion", 9, minimum=9)]))
    assert reason(plan, "orion").cause is Cause.MINIMUM_UNREACHABLE


def test_what_is_left_for_it_is_below_its_minimum() -> None:
    whale, minnow = project("orion", 8, minimum=6), project("lyra", 4, priority=3)
    plan = proved(lab([pool(gpus=8)], projects=[whale, minnow]))
    assert reason(plan, "orion").cause is Cause.MINIMUM_UNREACHABLE
    assert reason(plan, "orion").text == "what is left for it is below its minimum of 6"


def test_a_team_above_it_is_at_its_cap() -> None:
    organization = lab(
        teams=[team("research", cap=8), team("vision", "research", cap=12)],
        projects=[project("orion", 16, "vision")],
    )
    why = reason(proved(organization), "orion")
    assert (why.cause, why.subject) == (Cause.TEAM_CAP, "research")
    assert why.text == "research is at its cap of 8"


def test_a_team_above_it_is_at_its_limit_on_the_type() -> None:
    organization = lab(
        [pool("iowa", 4), pool("texas", 8, gpu_type="gb200")],
        teams=[team("vision", limits={"gb200": Limit(cap=3)})],
        projects=[project("orion", 40, "vision")],
    )
    why = reason(proved(organization), "orion")
    assert (why.cause, why.subject) == (Cause.TYPE_LIMIT, "vision")
    assert why.text == "vision is at its limit of 3 gb200"


def test_its_pools_are_full_of_projects_that_come_first() -> None:
    plan = proved(lab([pool(gpus=8)], projects=[project("orion", 8), project("lyra", 8, priority=2)]))
    why = reason(plan, "orion")
    assert (why.cause, why.projects) == (Cause.OUTRANKED, ("lyra",))
    assert why.text == "what it lacks is with lyra, which comes before it by priority"


def test_its_pools_are_full_of_its_equals() -> None:
    plan = proved(lab([pool(gpus=8)], projects=[project("orion", 8), project("lyra", 8)]))
    (short,) = {"orion", "lyra"} - gpus(plan).keys()
    assert (reason(plan, short).cause, reason(plan, short).text) == (Cause.POOLS_FULL, "its pools are full")


def test_it_must_stay_in_the_pool_in_which_it_is() -> None:
    organization = lab(
        [pool("iowa", 6), pool("texas", 3)],
        projects=[
            project("orion", 8, one_pool=True, holds={"iowa": 4}),
            project("lyra", 2, priority=9, sites=("iowa",)),
        ],
    )
    plan = proved(organization)
    assert gpus(plan) == {"orion": 4, "lyra": 2}
    why = reason(plan, "orion")
    assert (why.cause, why.subject) == (Cause.ONE_POOL, "iowa")


def test_it_may_not_spread_to_where_one_more_unit_would_fit() -> None:
    pools = [pool("iowa", 8, unit=4), pool("ohio", 12, unit=6), pool("texas", 2, unit=2)]
    spread = project("orion", 12, one_pool=True, holds={"iowa": 4, "ohio": 6})
    plan = proved(lab(pools, projects=[spread], max_moves=0))
    assert gpus(plan) == {"orion": 10}
    assert reason(plan, "orion").cause is Cause.ONE_POOL


def test_the_moves_are_spent() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8, priority=9), project("lyra", 8, holds={"iowa": 8})],
        max_moves=3,
    )
    plan = proved(organization)
    assert gpus(plan) == {"orion": 3, "lyra": 5}
    assert reason(plan, "orion").cause is Cause.MOVES
    assert reason(plan, "lyra").cause is Cause.OUTRANKED


def test_what_comes_after_it_is_pinned() -> None:
    organization = lab(
        [pool(gpus=8)],
        projects=[
            project("orion", 8, priority=9),
            project("lyra", 2, tier=2, holds={"iowa": 5}, pinned=True),
        ],
    )
    plan = proved(organization)
    assert gpus(plan) == {"orion": 3, "lyra": 5}
    assert reason(plan, "orion").cause is Cause.PINNED


def crowded_by_a_later_tier() -> Organization:
    return lab(
        [pool(gpus=8)],
        projects=[project("orion", 8, priority=9), project("lyra", 8, tier=2, holds={"iowa": 8})],
    )


def test_without_time_nothing_was_decided() -> None:
    plan = allocate(crowded_by_a_later_tier(), options=replace(PROOF, time_limit=0.0))
    assert gpus(plan) == {"lyra": 8}
    assert reason(plan, "orion").cause is Cause.UNPROVED
    assert reason(plan, "lyra").cause is Cause.MET


def test_with_time_it_was() -> None:
    plan = proved(crowded_by_a_later_tier())
    assert reason(plan, "orion").cause is Cause.MET
    assert reason(plan, "lyra").cause is Cause.OUTRANKED
