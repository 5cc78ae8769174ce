"""Why, in one sentence with its evidence, and the smallest change that would help: by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gpu_opt import InvalidInput, load
from gpu_opt.explanation import explain
from gpu_opt.organization import Limit, Organization
from gpu_opt.plan import Basis, Cause, Explanation, Lacks, Remedy, RemedyKind, Resource
from gpu_opt.report.explanation import CHANGES, candidates, help_sentence
from gpu_opt.scenario import Scenario, apply
from tests.building import day, lab, pool, project, root, team
from tests.solving import PROOF, proved

MODELS = Path(__file__).parents[1] / "models" / "organizations"


PATIENT = replace(PROOF, time_limit=400.0)
"""A seventh of it is for the changes; a busy machine needs some of that."""


def why(organization: Organization, subject: str) -> Explanation:
    return explain(organization, proved(organization), subject, options=PATIENT)


def remedies(organization: Organization, subject: str) -> dict[RemedyKind, Remedy]:
    found = why(organization, subject).remedies
    assert all(each.is_smallest for each in found)
    assert [each.cost for each in found] == sorted(each.cost for each in found)
    return {each.kind: each for each in found}


def test_a_cap_need_only_be_raised_by_what_is_lacking() -> None:
    teams = [root(owner="ceo"), team("vision", cap=8, owner="head")]
    organization = lab(teams=teams, projects=[project("orion", 13, "vision")])
    found = why(organization, "orion")
    assert found.sentence == "orion has 8 of the 13 that it asked for: vision is at its cap of 8."
    (best,) = found.remedies
    assert (best.text, best.owner, best.basis) == ("raise vision.cap from 8 to 13", "ceo", Basis.POLICY)
    assert (best.amount, best.grain, best.is_smallest) == (5, 1, True)
    assert (best.takes, best.cost) == ((), 0)
    assert best.change == {"change": "set_cap", "team": "vision", "cap": 13.0}


def test_a_remedy_can_be_tried_as_a_scenario() -> None:
    organization = lab(teams=[team("vision", cap=8)], projects=[project("orion", 13, "vision")])
    (best,) = why(organization, "orion").remedies
    scenario = Scenario.model_validate({"name": "try it", "changes": [best.change]})
    assert proved(apply(organization, scenario.changes)).projects[0].granted == 13


def test_a_limit_need_only_be_raised_by_what_is_lacking() -> None:
    teams = [root(owner="ceo"), team("vision", limits={"h100": Limit(cap=3)})]
    found = remedies(lab(teams=teams, projects=[project("orion", 8, "vision")]), "orion")
    assert found[RemedyKind.LIMIT].text == "raise vision.limits.h100 from 3 to 8"
    assert found[RemedyKind.LIMIT].owner == "ceo"


def test_where_it_is_outranked_a_higher_priority_takes_from_who_has_it() -> None:
    organization = lab([pool(gpus=8)], projects=[project("orion", 4), project("lyra", 8, priority=2)])
    found = remedies(organization, "orion")
    assert found[RemedyKind.PRIORITY].text == "raise orion.priority from 1 to 2.1"
    (loss,) = found[RemedyKind.PRIORITY].takes
    assert (loss.project, loss.gpus, loss.compute) == ("lyra", 4, 4)
    assert found[RemedyKind.POOL].text == "4 more GPUs in iowa"
    assert (found[RemedyKind.POOL].takes, found[RemedyKind.POOL].cost) == ((), 4)


def test_more_gpus_go_first_to_who_comes_first() -> None:
    """lyra lacks 2 as well, and comes before orion: 6 are needed for orion's 4."""
    organization = lab([pool(gpus=8)], projects=[project("orion", 4), project("lyra", 10, priority=2)])
    assert remedies(organization, "orion")[RemedyKind.POOL].text == "6 more GPUs in iowa"


def test_a_tier_takes_what_no_priority_could() -> None:
    organization = lab([pool(gpus=8)], projects=[project("orion", 4, tier=2, priority=5), project("lyra", 8)])
    found = remedies(organization, "orion")
    assert RemedyKind.PRIORITY not in found
    assert found[RemedyKind.TIER].text == "move orion from tier 2 to tier 1"


def test_more_moves_help_where_they_are_spent() -> None:
    projects = [project("orion", 8, priority=9), project("lyra", 8, holds={"iowa": 8})]
    organization = lab([pool(gpus=8)], [root(owner="ceo")], projects, max_moves=3)
    found = remedies(organization, "orion")[RemedyKind.MOVES]
    assert (found.text, found.owner) == ("raise policy.max_moves from 3 to 8", "ceo")
    assert [(each.project, each.gpus) for each in found.takes] == [("lyra", 5)]


def test_to_unpin_helps_where_a_pin_is_the_cause() -> None:
    late = project("lyra", 5, tier=2, holds={"iowa": 5}, pinned=True)
    organization = lab([pool(gpus=8)], projects=[project("orion", 8, priority=9), late])
    assert remedies(organization, "orion")[RemedyKind.UNPIN].text == "unpin lyra"


def test_a_lower_guarantee_helps_where_one_is_the_cause() -> None:
    teams = [root(owner="ceo"), team("safety", guarantee=8), team("vision")]
    projects = [project("orion", 3, "vision"), project("lyra", 8, "safety", tier=2)]
    found = remedies(lab([pool(gpus=8)], teams, projects), "orion")[RemedyKind.GUARANTEE]
    assert (found.text, found.owner) == ("lower safety.guarantee from 8 to 5", "ceo")


def test_several_pools_help_where_one_is_too_small() -> None:
    pools = [pool("iowa", 6), pool("texas", 3)]
    found = remedies(lab(pools, projects=[project("orion", 8, one_pool=True)]), "orion")
    assert found[RemedyKind.ONE_POOL].text == "let orion run in several pools"
    assert found[RemedyKind.ONE_POOL].change is None
    assert found[RemedyKind.POOL].amount == 2


def test_the_slack_of_every_constraint_that_it_touches_is_told_and_of_no_other() -> None:
    teams = [team("research", cap=12), team("vision", "research", cap=10), team("safety", cap=4)]
    projects = [
        project("orion", 8, "vision", sites=("iowa",)),
        project("lyra", 1, "safety", sites=("texas",)),
    ]
    found = why(lab([pool("iowa", 8), pool("texas", 8)], teams, projects), "orion")
    assert {(each.resource, each.subject): each.slack for each in found.touches} == {
        (Resource.POOL_CAPACITY, "iowa"): 0,
        (Resource.TEAM_CAP, "vision"): 2,
        (Resource.TEAM_CAP, "research"): 4,
    }


def test_who_has_all_needs_no_change() -> None:
    found = why(lab(projects=[project("orion", 8)]), "orion")
    assert (found.sentence, found.remedies) == ("orion gets all it asked for, 8.", ())


def test_who_is_not_active_wants_nothing() -> None:
    found = why(lab(projects=[project("orion", 8, starts=day(3))]), "orion")
    assert found.sentence == "orion wants nothing on this day: it starts only on 2026-11-26."


def test_a_team_is_explained_by_its_promise_and_its_projects() -> None:
    found = why(load(MODELS / "two_teams.yaml"), "research")
    assert found.sentence == (
        "research has 80: 16 less than the 96 that it is promised; 1 of 2 projects under it lacks something. "
        "pretrain lacks most: tutor would lose less than it gains, but all 4 moves are spent."
    )
    assert (found.kind, found.projects) == ("team", ("pretrain",))
    assert [each.cause for each in found.reasons] == [Cause.MOVES]


def test_a_team_whose_projects_have_all_is_told_so() -> None:
    organization = lab(teams=[team("vision", guarantee=4)], projects=[project("orion", 8, "vision")])
    assert why(organization, "vision").sentence == (
        "vision has 8: its guarantee of 4 is met, and no project under it lacks anything."
    )
    assert why(organization, "lab").sentence.startswith("lab has 8: it is promised nothing")


def test_a_name_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="no project or team 'orio'; did you mean 'orion'"):
        why(lab(projects=[project("orion", 8)]), "orio")


def test_a_minimum_with_a_fraction_is_lowered_by_whole_reference_gpus() -> None:
    organization = lab([pool(gpus=8)], projects=[project("orion", 8.2, minimum=8.2, speeds={"h100": 1.0})])
    assert why(organization, "orion").remedies[0].text == "lower orion.minimum from 8.2 to 7.2"


# --- Changes for ranks, promises and teams ---------------------------------------------------------------


def test_where_an_earlier_tier_is_not_enough_it_takes_a_higher_priority_there() -> None:
    projects = [project("orion", 4, tier=2), project("lyra", 8, priority=2)]
    found = remedies(lab([pool(gpus=8)], projects=projects), "orion")
    assert found[RemedyKind.RANK].text == (
        "move orion from tier 2 to tier 1 and raise its priority from 1 to 2.1"
    )
    assert found[RemedyKind.RANK].change == {
        "change": "reprioritize_project",
        "project": "orion",
        "tier": 1,
        "priority": 2.1,
    }
    assert RemedyKind.TIER not in found


def test_a_promise_to_its_team_helps_a_project_that_is_outranked() -> None:
    teams = [root(owner="ceo"), team("vision"), team("safety")]
    projects = [project("orion", 4, "vision"), project("lyra", 8, "safety", priority=2)]
    found = remedies(lab([pool(gpus=8)], teams, projects), "orion")[RemedyKind.OWN_GUARANTEE]
    assert (found.text, found.owner) == ("raise vision.guarantee from 0 to 4", "ceo")
    assert [(each.project, each.gpus) for each in found.takes] == [("lyra", 4)]


def test_a_change_among_equals_is_enough_only_where_it_is_in_every_best_plan() -> None:
    """orion and lyra are equals: that some best plan gives orion all is not enough."""
    organization = lab([pool(gpus=4)], projects=[project("orion", 4), project("lyra", 4)])
    lacking = "orion" if proved(organization).projects[0].granted < 4 else "lyra"
    assert remedies(organization, lacking)[RemedyKind.PRIORITY].text.endswith("from 1 to 1.1")


def test_a_team_that_is_short_is_told_what_would_meet_its_promise() -> None:
    teams = [root(owner="ceo"), team("vision", guarantee=6), team("safety")]
    pinned = project("lyra", 5, "safety", holds={"iowa": 5}, pinned=True)
    found = why(lab([pool(gpus=8)], teams, [project("orion", 8, "vision"), pinned]), "vision")
    assert (found.lacks, found.missing) == (Lacks.PROMISE, 3)
    assert {each.text for each in found.remedies} == {"3 more GPUs in iowa", "unpin lyra"}


def test_a_promise_that_is_missed_by_less_than_a_unit_is_met_to_within_one() -> None:
    teams = [root(owner="ceo"), team("vision", guarantee=6)]
    projects = [project("orion", 8, "vision"), project("lyra", 4, priority=9)]
    found = why(lab([pool(gpus=8, unit=4)], teams, projects), "vision")
    assert found.sentence.startswith("vision has 4: its guarantee of 6 is met to within a unit; 1 of 1")


def test_a_team_at_its_cap_is_told_what_its_projects_ask_for_beyond() -> None:
    teams = [root(owner="ceo"), team("vision", cap=8, owner="head")]
    found = why(lab(teams=teams, projects=[project("orion", 13, "vision")]), "vision")
    assert (found.lacks, found.missing) == (Lacks.DEMANDS, 5)
    (best,) = found.remedies
    assert (best.text, best.owner) == ("raise vision.cap from 8 to 13", "ceo")


def test_a_team_below_its_cap_is_told_what_would_fill_it() -> None:
    teams = [root(owner="ceo"), team("vision", cap=6), team("safety")]
    projects = [project("orion", 8, "vision"), project("lyra", 8, "safety", priority=2)]
    found = why(lab([pool(gpus=8)], teams, projects), "vision")
    assert (found.lacks, found.missing) == (Lacks.CAP, 6)
    assert "raise vision.guarantee from 0 to 6" in {each.text for each in found.remedies}


def test_in_a_large_lab_those_who_come_first_decide_again_and_the_others_keep_what_they_have() -> None:
    """Ten others of higher priority lack a unit each: 11 GPUs are needed for orion's one."""
    others = [project(f"other {n}", 2, priority=2, sites=("iowa",)) for n in range(10)]
    bystanders = [project(f"bystander {n}", 1, sites=("texas",)) for n in range(5)]
    pools = [pool("iowa", 10), pool("texas", 5)]
    organization = lab(pools, projects=[project("orion", 1, sites=("iowa",)), *others, *bystanders])
    found = why(organization, "orion")
    (more,) = [each for each in found.remedies if each.kind is RemedyKind.POOL]
    assert (more.text, more.is_smallest) == ("11 more GPUs in iowa", True)
    assert more.decided < found.active == 16


# --- Why other changes are no answer ------------------------------------------------------------------


def first_in_line(others: int) -> Organization:
    """Others of higher priority lack a unit each of what they hold one of; orion lacks one, too."""
    ahead = [project(f"other {n}", 2, priority=2, holds={"iowa": 1}) for n in range(others)]
    return lab([pool("iowa", others)], projects=[project("orion", 1), *ahead], max_moves=0)


def test_where_too_many_others_come_first_more_gpus_are_not_tried() -> None:
    found = why(first_in_line(11), "orion")
    assert RemedyKind.POOL in found.candidates.crowded
    assert RemedyKind.POOL not in {each.kind for each in found.remedies}
    assert "more than ten other projects would take first what it makes room for: more GPUs" in candidates(
        found.candidates
    )


def test_a_change_that_is_proved_not_to_be_enough_is_told_as_such() -> None:
    """Both moves and pins keep orion from lyra's GPUs: neither alone is enough."""
    organization = lab(
        [pool(gpus=8)],
        projects=[project("orion", 8, priority=9), project("lyra", 8, holds={"iowa": 8}, pinned=True)],
        max_moves=0,
    )
    found = why(organization, "orion")
    assert RemedyKind.UNPIN in found.candidates.not_enough
    assert found.candidates.undecided == found.candidates.crowded == ()
    assert {each.kind for each in found.remedies} == {RemedyKind.POOL}


def test_without_time_no_change_is_decided_and_that_is_said() -> None:
    organization = first_in_line(3)
    hurried = replace(PROOF, time_limit=1e-3)
    found = explain(organization, proved(organization), "orion", options=hurried)
    assert not found.remedies
    assert not found.candidates.not_enough
    assert RemedyKind.POOL in found.candidates.undecided
    said = help_sentence(found)
    assert said.startswith(
        "No single change was confirmed to give it all it asked for. Not decided in the time"
    )


def test_with_time_the_shortness_of_time_is_no_excuse() -> None:
    organization = lab(projects=[project("orion", 32)], value=((0.5, 1.0), (0.5, 0.0)))
    said = help_sentence(why(organization, "orion"))
    assert said == "No single change of a budget, a rank or a pool could give it all it asked for."


def test_no_kind_of_change_is_told_as_confirmed_and_as_refuted() -> None:
    for organization, name in ((first_in_line(3), "orion"), (first_in_line(11), "orion")):
        found = why(organization, name)
        other = {*found.candidates.not_enough, *found.candidates.undecided, *found.candidates.crowded}
        assert other.isdisjoint(each.kind for each in found.remedies)


def test_every_kind_of_change_has_words() -> None:
    assert set(CHANGES) == set(RemedyKind)
