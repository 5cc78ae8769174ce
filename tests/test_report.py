"""The tables: what a planner reads in them, at any width and with any names."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Sequence

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import (
    Allocation,
    CapRaise,
    Cause,
    Comparison,
    Decided,
    Difference,
    Figure,
    Finding,
    Goal,
    GoalDifference,
    NightReport,
    Overrun,
    ProjectDifference,
    Reallocation,
    Reason,
    Side,
    Status,
    Stop,
    TeamDifference,
)
from gpu_opt.report import text
from gpu_opt.report.allocation import allocation as allocation_tables
from gpu_opt.report.finding import finding
from gpu_opt.report.night import night
from gpu_opt.report.plan import goals
from gpu_opt.report.reallocation import reallocation as reallocation_tables
from gpu_opt.report.what_if import what_if
from gpu_opt.scenario import Scenario
from gpu_opt.scenario import what_if as solve_what_if
from tests.building import (
    TODAY,
    allocation,
    day,
    delivery,
    handover,
    lab,
    pool,
    project,
    reallocation,
    request,
    root,
    team,
)

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)


def shown(what: RenderableType, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def row(printed: str, name: str) -> list[str]:
    """The words of the first line that begins with the name."""
    return next(line.split() for line in printed.splitlines() if line.strip().startswith(name))


def because(plan: Allocation, name: str, cause: Cause, subject: str | None = None) -> Allocation:
    """The plan with another reason for what one project has."""
    reason = Reason(cause=cause, text=f"because of {cause}", subject=subject)
    projects = tuple(
        one.model_copy(update={"reason": reason}) if one.project == name else one for one in plan.projects
    )
    return plan.model_copy(update={"projects": projects})


def small_lab() -> Organization:
    return lab(
        pools=[pool("iowa", 4096, unit=8), pool("texas", 1024, unit=4, gpu_type="gb200")],
        teams=[
            root(cap=8000.0),
            team("safety", guarantee=500.0),
            team("research", guarantee=3000.0, cap=4000.0),
            team("reasoning", "research", cap=2000.0),
        ],
        projects=[
            project("orion", 4096, "reasoning", holds={"iowa": 2000}),
            project("vega", 2000, "research", priority=9.0, holds={"iowa": 1000}),
            project("guardrails", 1000, "safety", tier=2),
            project("lyra", 10, "safety", starts=day(20)),
        ],
    )


def small_plan() -> Allocation:
    return allocation(small_lab(), {("orion", "iowa"): 2000, ("vega", "iowa"): 992, ("vega", "texas"): 400})


def test_amounts_have_separators_and_at_most_one_decimal() -> None:
    assert text.amount(1234567.89) == "1,234,567.9"
    assert text.amount(4096.0) == "4,096"
    assert text.amount(-12.25) == "-12.2"


def test_an_amount_that_is_not_zero_does_not_look_like_it() -> None:
    assert text.amount(0.001) == "< 0.1"
    assert text.amount(-0.001) == "> -0.1"
    assert text.amount(0.0) == text.amount(-0.0) == "0"


def test_a_gap_that_is_not_zero_does_not_look_like_it() -> None:
    assert [text.percentage(gap) for gap in (0.0, 1e-9, 0.0035, 1.0)] == ["0%", "< 0.01%", "0.35%", "100.00%"]


def test_what_is_not_a_number_is_unknown() -> None:
    assert text.amount(math.inf) == text.percentage(math.nan) == "unknown"


def test_goals_are_called_what_they_are() -> None:
    assert text.goal("guarantee_level_2") == "guarantees, short by more than a unit, level 2"
    assert text.goal("unmet_tier_10") == "unmet requests, tier 10"
    assert text.goal("earlier_goals") == "earlier goals"


@pytest.mark.parametrize("stop", Stop)
def test_only_a_proved_plan_is_called_optimal(stop: Stop) -> None:
    proved = small_plan()
    feasible = proved.model_copy(update={"status": Status.FEASIBLE, "stop": stop})
    assert "optimal: proved" in shown(allocation_tables(proved))
    assert "optimal: proved" not in shown(allocation_tables(feasible))


def test_the_headline_says_whose_plan_for_which_day_and_how_good() -> None:
    plan = small_plan().model_copy(update={"objective": 1234567.0, "bound": 1250000.0, "gap": 0.0125})
    first, _, figures = shown(allocation_tables(plan)).splitlines()[:3]
    assert first == "lab: allocation for 2026-11-23"
    assert "objective 1,234,567, proven bound 1,250,000, gap 1.25%" in figures


def test_nothing_proved_is_said_so() -> None:
    unknown = Goal(
        name="cost",
        sense="minimize",
        unit="",
        value=3,
        bound=-math.inf,
        gap=math.inf,
        stop=Stop.TIME,
        seconds=1,
    )
    plan = small_plan().model_copy(update={"goals": (unknown,), "bound": math.inf, "gap": math.inf})
    assert "none  unknown  time limit" in shown(goals(plan))
    assert "proven bound none proved" in shown(allocation_tables(plan))


def test_teams_stand_below_their_parents() -> None:
    printed = shown(allocation_tables(small_plan()))
    tree = printed[printed.index("Divisions and teams") : printed.index("Pools")].splitlines()
    names = [re.match(r" *\w+", line) for line in tree[3:]]
    assert [name[0] for name in names if name] == ["lab", "  safety", "  research", "    reasoning"]


def test_a_team_that_falls_short_is_marked() -> None:
    printed = shown(allocation_tables(small_plan()))
    assert row(printed, "safety") == ["safety", "500", "0", "500", "short"]


def test_a_guarantee_missed_by_less_than_a_unit_is_met() -> None:
    organization = lab(
        pools=[pool("iowa", 64, unit=8)],
        teams=[team("safety", guarantee=20.0)],
        projects=[project("probes", 32, "safety")],
    )
    printed = shown(allocation_tables(allocation(organization, {("probes", "iowa"): 16})))
    assert row(printed, "safety") == ["safety", "20", "16", "met", "to", "within", "a", "unit"]


def test_a_team_at_its_cap_is_marked() -> None:
    printed = shown(allocation_tables(small_plan()))
    assert row(printed, "reasoning") == ["reasoning", "2,000", "2,000", "at", "its", "cap"]


def test_a_team_whose_projects_hit_its_cap_is_marked() -> None:
    plan = because(small_plan(), "vega", Cause.TEAM_CAP, "research")
    assert row(shown(allocation_tables(plan)), "research")[-3:] == ["at", "its", "cap"]


def test_a_guarantee_beyond_what_is_needed_is_explained() -> None:
    organization = lab(teams=[team("safety", guarantee=100.0)], projects=[project("probes", 8, "safety")])
    printed = shown(allocation_tables(allocation(organization, {("probes", "iowa"): 8})))
    assert "its projects need, or can reach, at most 8" in " ".join(printed.split())


def test_a_broken_cap_is_a_warning_before_everything_else() -> None:
    organization = lab(
        pools=[pool("iowa", 64)],
        teams=[team("safety", cap=8.0)],
        projects=[project("probes", 16, "safety", holds={"iowa": 16}, pinned=True)],
    )
    printed = shown(allocation_tables(allocation(organization, {("probes", "iowa"): 16})))
    assert printed.index("WARNING") < printed.index("Goals")
    assert "! cap of safety: 8 reference GPUs allowed, 16 held today, 16 in the plan" in printed
    assert row(printed, "safety")[-3:] == ["over", "its", "cap"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            Overrun(rule="pool_capacity", subject="iowa", before=88, after=72, limit=64),
            "capacity of pool iowa: 64 GPUs",
        ),
        (
            Overrun(rule="team_cap", subject="safety", before=9, after=9, limit=8.5),
            "cap of safety: 8.5 reference GPUs",
        ),
        (
            Overrun(rule="type_limit", subject="safety", gpu_type="h100", before=9, after=9, limit=8),
            "limit of safety on h100: 8 GPUs",
        ),
    ],
)
def test_everything_that_stays_broken_is_named(broken: Overrun, words: str) -> None:
    plan = small_plan().model_copy(update={"overruns": (broken,)})
    assert f"! {words} allowed" in shown(allocation_tables(plan))


def test_pools_add_up() -> None:
    printed = shown(allocation_tables(small_plan()))
    assert row(printed, "texas") == ["texas", "gb200", "texas", "1,024", "400", "624"]
    assert row(printed, "all pools") == ["all", "pools", "5,120", "3,392", "1,728"]


def test_projects_say_where_they_are_and_why() -> None:
    printed = shown(allocation_tables(because(small_plan(), "vega", Cause.POOLS_FULL)))
    assert row(printed, "vega") == ["vega", "1", "2,000", "1,992", "iowa", "992,", "texas", "400"]
    assert "because of pools_full" in printed
    assert "1 project not active on 2026-11-23" in printed


def test_projects_are_sorted_by_team_then_tier_then_priority() -> None:
    organization = lab(
        projects=[
            project("late", tier=2, priority=9.0),
            project("low", priority=1.0),
            project("high", priority=5.0),
        ]
    )
    printed = shown(allocation_tables(allocation(organization, {})))
    assert printed.index("  high") < printed.index("  low") < printed.index("  late")


def hundred_and_twenty() -> Allocation:
    organization = lab(
        pools=[pool("iowa", 4096)], projects=[project(f"project-{n:03}", 8) for n in range(120)]
    )
    plan = allocation(organization, {(f"project-{n:03}", "iowa"): 8 for n in range(3, 120)})
    for n in range(3):
        plan = because(plan, f"project-{n:03}", Cause.POOLS_FULL)
    return plan


def test_of_many_projects_those_that_are_short_are_shown() -> None:
    printed = shown(allocation_tables(hundred_and_twenty()))
    assert "project-002" in printed
    assert "project-003" not in printed
    assert "and 117 more that got all they asked for (--all shows them)" in printed


def test_every_project_is_shown_on_request() -> None:
    printed = shown(allocation_tables(hundred_and_twenty(), every_project=True))
    assert printed.count("project-") == 120
    assert "more that got" not in printed


def test_what_moves_is_added_up() -> None:
    printed = shown(allocation_tables(small_plan()))
    assert "What moves: 8 GPUs, taken from 1 project" in printed


def test_an_empty_organization_has_tables_too() -> None:
    printed = shown(allocation_tables(allocation(lab(pools=[]), {})))
    assert row(printed, "all pools") == ["all", "pools", "0", "0", "0"]


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    organization = lab(
        pools=[pool("爱荷华州数据中心的图形处理器集群", 100_000)],
        teams=[team("大语言模型预训练与推理研究部门")],
        projects=[project("多模态大模型预训练第四阶段实验", 90_000, "大语言模型预训练与推理研究部门")],
    )
    plan = allocation(
        organization, {("多模态大模型预训练第四阶段实验", "爱荷华州数据中心的图形处理器集群"): 90_000}
    )
    printed = shown(allocation_tables(plan), width)
    assert max(cell_len(line) for line in printed.splitlines()) <= width
    assert "90,000" in printed


def test_a_name_is_neither_markup_nor_a_command_to_the_terminal() -> None:
    organization = lab(projects=[project("[red]x[/red]\x1b[2J", 8)])
    printed = shown(allocation_tables(allocation(organization, {})))
    assert "[red]x[/red]�[2J" in printed


def moving_lab() -> tuple[Organization, Reallocation]:
    organization = lab(
        pools=[pool("iowa", 1024), pool("texas", 512)],
        deliveries=[delivery("texas", 2048, on=9)],
        projects=[project("orion", 1000, holds={"iowa": 1000}, ends=day(3))],
    )
    asked = request("vega", 3000, by=10, starts=day(5))
    plan = reallocation(
        organization,
        [asked],
        [
            handover(organization, asked, "delivery", 1500, "texas", free=9),
            handover(organization, asked, "orion", 1000, free=3, on=5),
            handover(organization, asked, "idle", 24, on=5),
        ],
    )
    return organization, plan


def test_handovers_are_grouped_by_week_and_in_order() -> None:
    printed = shown(reallocation_tables(moving_lab()[1]))
    weeks = [printed.index("week of 2026-11-23"), printed.index("week of 2026-11-30")]
    assert weeks[0] < printed.index("Sat 2026-11-28") < weeks[1] < printed.index("Wed 2026-12-02")
    assert "Handovers of 2,524 GPUs; 3,584 come free" in printed


def test_donors_are_named_and_say_how_long_they_wait() -> None:
    printed = shown(reallocation_tables(moving_lab()[1]))
    assert "orion (lab), free since 2026-11-26" in printed
    assert "delivery" in printed
    assert "idle, free since" not in printed


def test_requests_say_what_they_get() -> None:
    printed = shown(reallocation_tables(moving_lab()[1]))
    assert "Requests: 0 of 1 request met in time" in printed
    assert row(printed, "vega") == ["vega", "2026-12-03", "3,000", "2,524", "not", "complete"]


def test_a_request_that_whole_units_serve_in_time_counts_as_met() -> None:
    organization, asked = lab([pool("iowa", 32, unit=8)]), request("r", 10)
    plan = reallocation(organization, [asked], [handover(organization, asked, "idle", 16)])
    assert "Requests: 1 of 1 request met in time" in shown(reallocation_tables(plan))


def test_nothing_to_hand_over_is_said_so() -> None:
    printed = shown(reallocation_tables(reallocation(lab(), [], [])))
    assert "nobody hands over anything" in printed
    assert "nobody asks for anything" in printed


def answer(**fields: object) -> Finding:
    _, plan = moving_lab()
    whole = {
        "reallocation": plan,
        "allowed": True,
        "complete": False,
        "in_time": False,
        "raises": (),
        "sentence": "2,524 of 3,000 by 2026-12-03.",
    } | fields
    return Finding.model_validate(whole)


def test_a_finding_begins_with_its_sentence_and_adds_up_its_donors() -> None:
    printed = shown(finding(answer()))
    assert printed.startswith("2,524 of 3,000 by 2026-12-03.")
    assert "1,500  2,524 of 3,000" in printed


def test_a_finding_names_the_caps_in_the_way_and_who_may_raise_them() -> None:
    caps = (
        CapRaise(team="reasoning", cap=2000, needed=3000, on=day(5), owner="chief-scientist"),
        CapRaise(team="research", gpu_type="h100", cap=500, needed=1524, on=day(6)),
    )
    printed = shown(finding(answer(allowed=False, raises=caps, if_raised=moving_lab()[1])))
    assert "reference GPUs  2,000   3,000  Sat 2026-11-28  chief-scientist" in printed
    assert "GPUs of h100      500   1,524  Sun 2026-11-29  nobody is named" in printed
    assert "If those caps were raised" in printed


def test_a_finding_without_donors_says_so() -> None:
    printed = shown(finding(answer(reallocation=reallocation(lab(), [request("vega")], []))))
    assert "nobody: no GPUs that it accepts come free" in printed


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


def since(projects: Sequence[ProjectDifference] = (), teams: Sequence[TeamDifference] = ()) -> NightReport:
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
        pools=(),
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
