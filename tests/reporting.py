"""One result of every kind that has a report, of a small lab with names that are hard to show."""

from __future__ import annotations

import datetime as dt
from functools import cache

from gpu_opt.allocation import allocate
from gpu_opt.explanation import conflicts, explain, prices
from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import NightReport, Result
from gpu_opt.reallocation import find, reallocate
from gpu_opt.scenario import Scenario, compare, make_grid, sweep, what_if
from tests.building import day, delivery, lab, pool, project, root, team

SCRIPT = "<script>alert('x')</script>"
CHINESE = "研究部门-推理团队"
LONG = "long" * 50
TEMPLATE = '100%{x} $a_1$ <b>bold</b> & "quotes"'
NAMES = (SCRIPT, CHINESE, LONG, TEMPLATE)
"""Names that a planner may give: markup, another script, 200 letters, what plotting libraries interpret."""

QUICK = Options(gap=0.0, threads=1, time_limit=60.0)


def hard_lab() -> Organization:
    """Four teams, two of them with less than they want; vega ends and hands over."""
    return lab(
        pools=[pool("iowa", 64, unit=8), pool(CHINESE, 32, unit=4, gpu_type="gb200")],
        deliveries=[delivery("iowa", 16, 9)],
        teams=[
            root(owner="ceo"),
            team(SCRIPT, guarantee=48.0, cap=64.0),
            team(CHINESE, cap=40.0),
            team(TEMPLATE, CHINESE),
        ],
        projects=[
            project(SCRIPT, 64, SCRIPT, priority=3.0, holds={"iowa": 32}),
            project(LONG, 48, CHINESE, holds={"iowa": 8}),
            project(TEMPLATE, 30, TEMPLATE, tier=2),
            project("vega", 24, TEMPLATE, holds={CHINESE: 8}, ends=day(5)),
            project("later", 24, SCRIPT, starts=day(7)),
        ],
        max_moves=8,
    )


def promised_too_much(organization: Organization) -> Organization:
    """The same without caps, in a smaller pool, with promises that add up to more than the fleet of 120."""
    promises = {SCRIPT: "60%", CHINESE: "60%"}
    teams = [
        each.model_copy(update={"cap": None, "guarantee": promises.get(each.name)})
        for each in organization.teams
    ]
    pools = [each.model_copy(update={"gpus": 40}) if each.unit == 8 else each for each in organization.pools]
    return organization.model_copy(update={"teams": tuple(teams), "pools": tuple(pools)})


@cache
def results() -> dict[str, Result]:
    """By the name of the command that shows it."""
    organization = hard_lab()
    other = organization.model_copy(update={"projects": organization.projects[1:]})
    plan = allocate(organization, options=QUICK)
    wanted = Request(name="more", team=CHINESE, gpus=24, by=day(8))
    scenario = {"name": SCRIPT, "changes": [{"change": "set_cap", "team": CHINESE, "cap": 10}]}
    nothing = {"name": "none", "changes": [{"change": "set_cap", "team": CHINESE, "cap": 40}]}
    scenarios = [Scenario.model_validate(each) for each in (scenario, nothing)]
    change = {"change": "set_cap", "team": CHINESE, "cap": "each 24..96 by 24"}
    moment = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
    moved = reallocate(organization, until=day(30), options=QUICK)
    night = NightReport(
        organization=organization.name,
        as_of=organization.as_of,
        until=day(30),
        started=moment,
        finished=moment,
        night=2,
        replaces=None,
        previous=1,
        comparison=compare(allocate(other, options=QUICK), plan),
        allocation=plan,
        reallocation=moved,
    )
    return {
        "allocate": plan,
        "reallocate": moved,
        "nightly": night,
        "find": find(organization, wanted, options=QUICK),
        "what-if": what_if(organization, scenarios, options=QUICK, base=plan),
        "sweep": sweep(
            organization, make_grid({"name": SCRIPT, "changes": [change]}), options=QUICK, base=plan
        ),
        "why": explain(organization, plan, LONG, options=QUICK),
        "prices": prices(promised_too_much(organization), options=QUICK),
        "conflicts": conflicts(promised_too_much(organization), options=QUICK),
    }
