"""The tables of an allocation: what a planner reads in them, at any width and with any names."""

from __future__ import annotations

import math
import re

import pytest
from rich.cells import cell_len

from gpu_opt.plan import Allocation, Cause, Goal, Overrun, Reason, Status, Stop
from gpu_opt.report import text
from gpu_opt.report.allocation import allocation as allocation_tables
from gpu_opt.report.plan import goals
from tests.building import allocation, lab, pool, project, team
from tests.showing import row, shown, small_plan


def because(plan: Allocation, name: str, cause: Cause, subject: str | None = None) -> Allocation:
    """The plan with another reason for what one project has."""
    reason = Reason(cause=cause, text=f"because of {cause}", subject=subject)
    projects = tuple(
        one.model_copy(update={"reason": reason}) if one.project == name else one for one in plan.projects
    )
    return plan.model_copy(update={"projects": projects})


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
