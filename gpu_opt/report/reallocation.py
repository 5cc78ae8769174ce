"""The reallocation as tables: who hands what to whom, and when."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from rich.console import Group, RenderableType

from gpu_opt.plan import Donor, Handover, Reallocation, RequestOutcome
from gpu_opt.report.plan import goals, headline
from gpu_opt.report.sheets.reallocation import met_in_time, monday
from gpu_opt.report.tables import MARK, cell, table, titled
from gpu_opt.report.text import count, counted


def reallocation(plan: Reallocation) -> RenderableType:
    """The whole reallocation."""
    title = f"{plan.organization}: reallocation from {plan.as_of} to {plan.until}"
    return Group(headline(title, plan), goals(plan), handovers(plan), requests(plan))


def handovers(plan: Reallocation) -> RenderableType:
    """GPUs that change hands, by week and day."""
    total = sum(one.gpus for one in plan.handovers)
    offered = sum(one.gpus for one in plan.supplies)
    title = (
        f"Handovers of {count(total)} GPUs; {count(offered)} come free: of projects that end, delivered, idle"
    )
    if not plan.handovers:
        return titled(title, cell("nobody hands over anything within the horizon"))
    grid = table("on", "from", "to", "pool", "GPUs", right=("GPUs",))
    ordered = sorted(plan.handovers, key=lambda one: one.on)
    for first, week in groupby(ordered, key=lambda one: monday(one.on)):
        grid.add_section()
        grid.add_row(cell(f"week of {first}", "bold"))
        for one in week:
            grid.add_row(
                f"{one.on:%a} {one.on}",
                cell(donor(one)),
                cell(f"{one.request} ({one.team})"),
                cell(one.pool),
                count(one.gpus),
            )
    return titled(title, grid)


def donor(one: Handover) -> str:
    """Who hands over, and since when the GPUs are free if they had to wait."""
    name = {
        Donor.RELEASE: f"{one.project} ({one.donor_team})",
        Donor.DELIVERY: "delivery",
        Donor.IDLE: "idle",
    }[one.donor]
    waits = one.donor is not Donor.IDLE and one.free_on < one.on
    return f"{name}, free since {one.free_on}" if waits else name


def requests(plan: Reallocation) -> RenderableType:
    """What every request gets, and by when, by team."""
    if not plan.requests:
        return titled("Requests", cell("nobody asks for anything within the horizon"))
    grid = table("request", "by", "asked", "handed", "complete on", "note", right=("asked", "handed"))
    of_team: dict[str, list[RequestOutcome]] = defaultdict(list)
    for one in plan.requests:
        of_team[one.team].append(one)
    for team, own in of_team.items():
        grid.add_row(cell(team, "bold"))
        for one in own:
            late = one.in_time < one.gpus
            done = "not complete" if one.complete_on is None else str(one.complete_on)
            grid.add_row(
                cell(f"  {one.request}"),
                str(one.by),
                count(one.gpus),
                count(one.handed),
                cell(done, MARK if late else ""),
                cell(one.text),
            )
    met = met_in_time(plan)
    return titled(f"Requests: {count(met)} of {counted(len(plan.requests), 'request')} met in time", grid)
