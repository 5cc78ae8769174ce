"""The tables of a night and of a what-if: who gains and who loses, and what is proved of the difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from rich.cells import cell_len

from gpu_opt.options import Options
from gpu_opt.plan import (
    Comparison,
    Decided,
    Difference,
    Figure,
    GoalDifference,
    NightReport,
    PoolDifference,
    PoolOutcome,
    ProjectDifference,
    Side,
    Status,
    TeamDifference,
)
from gpu_opt.report.night import night
from gpu_opt.report.what_if import what_if
from gpu_opt.scenario import Scenario
from gpu_opt.scenario import what_if as solve_what_if
from tests.building import TODAY, day, lab, project
from tests.showing import moving_lab, row, shown, small_plan

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)


def report(**fields: object) -> NightReport:
    whole = {
        "organization": "lab",
        "as_of": TODAY,
        "until": day(90),
        "started": NOW,
        "finished": NOW,
        "night": 7,
        "replaces": None,
        "previous": None,
        "comparison": None,
        "allocation": small_plan(),
        "reallocation": moving_lab()[1],
    } | fields
    return NightReport.model_validate(whole)


def test_a_night_shows_both_plans_and_its_number() -> None:
    printed = shown(night(report()))
    assert printed.startswith("published as night 7\n")
    assert printed.index("lab: allocation") < printed.index("lab: reallocation") < printed.index("Changes:")
    assert "this is the first night" in printed


def test_a_night_that_replaces_another_says_so() -> None:
    assert "published as night 7; it replaces night 6" in shown(night(report(replaces=6)))


def test_an_interrupted_night_is_not_published() -> None:
    printed = shown(night(report(night=None, reallocation=None)))
    assert "NOT PUBLISHED" in printed
    assert "No reallocation: the night was interrupted before it" in printed


def test_a_quiet_night_says_that_nothing_changed() -> None:
    assert "none: everybody keeps what it was granted" in shown(night(since()))


def since(
    projects: Sequence[ProjectDifference] = (),
    teams: Sequence[TeamDifference] = (),
    pools: Sequence[PoolDifference] = (),
) -> NightReport:
    """A night that is compared with the one before."""
    side = Side(organization="lab", as_of=day(-1), date=day(-1), status=Status.OPTIMAL, gap=0)
    comparison = Comparison(
        before=side,
        after=side,
        figures=(),
        goals=(),
        gained=0,
        lost=0,
        projects=tuple(projects),
        teams=tuple(teams),
        pools=tuple(pools),
        guarantees=(),
    )
    return report(previous=6, comparison=comparison)


def change(name: str, before: int, after: int, kind: Difference = Difference.CHANGED) -> ProjectDifference:
    return ProjectDifference(
        project=name,
        team="lab",
        difference=kind,
        before=before,
        after=after,
        compute_before=before,
        compute_after=after,
        by_pool={"iowa": after - before},
        reason=None,
    )


def test_changes_since_last_night_are_shown() -> None:
    safety, research = small_plan().teams[1:3]
    raised = research.model_copy(update={"cap": 5000.0, "guarantee": None})
    teams = (
        TeamDifference(team="safety", difference=Difference.NEW, before=None, after=safety),
        TeamDifference(team="research", difference=Difference.CHANGED, before=research, after=raised),
        TeamDifference(team="robotics", difference=Difference.GONE, before=safety, after=None),
    )
    projects = (change("orion", 1000, 2000), change("lyra", 0, 8, Difference.NEW))
    printed = shown(night(since(projects, teams)))
    changes = printed[printed.index("Changes since night 6 (as of 2026-11-22)") :]
    assert "guarantee 3,000 -> none, cap 4,000 -> 5,000" in changes
    assert row(changes, "safety")[-1] == "new"
    assert row(changes, "robotics")[-1] == "gone"
    assert row(changes, "orion") == ["orion", "1,000", "2,000", "+1,000", "iowa", "+1,000"]
    assert row(changes, "lyra")[1] == "(new)"


def test_a_project_may_change_while_its_team_does_not() -> None:
    printed = shown(night(since([change("orion", 8, 16)])))
    assert "granted now" not in printed[printed.index("Changes") :]
    assert "iowa +8" in printed


def test_a_pool_may_change_while_nobody_has_more_of_it() -> None:
    """A delivery that stays idle."""
    before = PoolOutcome(pool="iowa", gpu_type="h100", site="iowa", gpus=64, granted=64, idle=0)
    after = before.model_copy(update={"gpus": 128, "idle": 64})
    pools = [PoolDifference(pool="iowa", difference=Difference.CHANGED, before=before, after=after)]
    printed = shown(night(since(pools=pools)))
    changes = printed[printed.index("Changes since") :]
    assert "none" not in changes
    assert row(changes, "iowa") == ["iowa", "changed", "64", "128", "0", "64"]


def test_a_team_may_change_while_its_projects_do_not() -> None:
    safety = small_plan().teams[1]
    raised = TeamDifference(
        team="safety",
        difference=Difference.CHANGED,
        before=safety,
        after=safety.model_copy(update={"cap": 900.0}),
    )
    printed = shown(night(since(teams=[raised])))
    assert "cap none -> 900" in printed
    assert "Who gains" not in printed


def test_of_many_changes_the_largest_are_shown() -> None:
    projects = tuple(change(f"project-{n:02}", 0, 8 * n) for n in range(1, 61))
    everything = since(projects)
    printed = shown(night(everything))
    assert "project-60" in printed
    assert "project-20" not in printed
    assert "and 20 smaller differences (--all shows them)" in printed
    assert "project-20" in shown(night(everything, every_project=True))


def test_a_what_if_shows_base_and_scenarios_side_by_side_at_any_width() -> None:
    scenario = Scenario.model_validate(
        {
            "name": "smaller",
            "description": "What if orion were smaller?",
            "changes": [
                {"change": "resize_project", "project": "orion", "demand": 8},
                {"change": "add_project", "name": "nova", "team": "lab", "demand": 8},
            ],
        }
    )
    organization = lab(projects=[project("orion", 16, priority=3), project("lyra", 4)])
    found = solve_what_if(organization, scenario, options=Options(threads=1))
    printed = shown(what_if(found))
    headline = row(printed, "objective")
    assert headline[1:] == ["48", "32"]
    assert "1. resize project: project orion, demand 8" in printed
    assert row(printed, "orion")[:5] == ["orion", "16", "8", "-8", "iowa"]
    assert "because of change 1" in printed
    assert "change 2, 1 (by way of iowa)" in printed
    assert "nova (new)" in printed
    assert all(cell_len(line) <= 40 for line in shown(what_if(found), width=40).splitlines())


def test_who_only_swaps_pools_comes_apart_and_after_who_gains_least() -> None:
    swapped = change("swapped", 80, 80).model_copy(update={"by_pool": {"iowa": -80, "texas": 80}})
    printed = shown(night(since([swapped, change("grown", 8, 9), change("shrunk", 9, 0)])))
    places = [printed.index(name) for name in ("shrunk", "grown", "Who has as much as before", "swapped")]
    assert places == sorted(places)
    assert row(printed, "swapped") == ["swapped", "80", "80", "0", "iowa", "-80,", "texas", "+80"]


def compared(*goals: GoalDifference, is_open: bool = True) -> NightReport:
    """A night whose objective went from 100 to 98 and whose goals differ like this."""
    of_value = Figure(name="objective", unit="weighted value", before=100, after=98, is_open=is_open)
    known = since([change("orion", 8, 9)])
    assert known.comparison is not None
    fields = {"goals": goals, "figures": (of_value,)}
    return known.model_copy(update={"comparison": known.comparison.model_copy(update=fields)})


def value(tier: int, decided: Decided, least: float, most: float) -> GoalDifference:
    return GoalDifference(
        goal=f"value_tier_{tier}",
        sense="maximize",
        unit="weighted value",
        before=100,
        after=98,
        least=least,
        most=most,
        decided=decided,
    )


def test_where_the_solves_do_not_tell_two_plans_apart_that_comes_first() -> None:
    printed = shown(night(compared(value(1, Decided.OPEN, -4, 1.5))))
    told = "The solves do not tell the two apart"
    assert printed.index(told) < printed.index("Who gains")
    assert row(printed, "value, tier 1")[-5:] == ["-2", "-4", "to", "+1.5", "open"]


def test_what_is_proved_to_differ_is_told_apart_from_what_is_open() -> None:
    printed = shown(night(compared(value(1, Decided.WORSE, -3, -2), value(2, Decided.OPEN, -4, 1.5))))
    assert "Proved: value, tier 1, is worse by 2 to 3. Within what the solves leave open: value, tier 2." in (
        " ".join(printed.split())
    )


def test_what_is_proved_after_an_open_goal_is_proved_of_plans_that_do_as_well_on_it() -> None:
    printed = shown(night(compared(value(1, Decided.OPEN, -4, 1.5), value(2, Decided.BETTER, 2, 3))))
    told = "Proved, of plans that do as well on the goals before: value, tier 2, is better by 2 to 3."
    assert told in " ".join(printed.split())


def test_where_all_is_proved_nothing_is_said_of_chance() -> None:
    same = value(1, Decided.SAME, 0, 0)
    printed = shown(night(compared(same, value(2, Decided.WORSE, -2, -2), is_open=False)))
    assert "chance" not in printed


def test_a_what_if_that_changes_nothing_says_so() -> None:
    organization = lab(projects=[project("orion", 16)])
    found = solve_what_if(organization, Scenario(name="same"), options=Options(threads=1))
    assert "nothing differs from the base" in shown(what_if(found))
