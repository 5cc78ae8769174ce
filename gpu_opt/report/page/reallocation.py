"""The reallocation's sections: the flow of handovers, their calendar, the requests; and the answer to one."""

from __future__ import annotations

from gpu_opt.plan import Finding, Reallocation
from gpu_opt.report.page.frame import Section, plot, section
from gpu_opt.report.page.html import Child, element, folded, table
from gpu_opt.report.plots import handovers, outcomes
from gpu_opt.report.sheets import reallocation as sheets
from gpu_opt.report.text import count, counted

HANDOVER_COLUMNS = ("on", "from", "donor_team", "free_on", "pool", "gpus", "request", "team")
DONOR_COLUMNS = ("on", "from", "donor_team", "free_on", "pool", "gpus")
REQUEST_COLUMNS = ("request", "team", "by", "asked", "handed", "in_time", "missing", "complete_on", "note")


def reallocation_sections(plan: Reallocation) -> list[Section]:
    """All sections of a reallocation."""
    return [_flow(plan), _calendar(plan), _requests(plan)]


def _flow(plan: Reallocation, name: str = "flow") -> Section:
    title = "Handovers: who hands what to whom"
    if not plan.handovers:
        return section(title, element("p", "Nobody hands over anything within the horizon."))
    total, offered = sum(one.gpus for one in plan.handovers), sum(one.gpus for one in plan.supplies)
    told = (
        f"{count(total)} GPUs change hands from {plan.as_of} to {plan.until}; {count(offered)} come free: "
        "of projects that end, delivered, idle."
    )
    summary = (
        "From left to right: the team whose project ends (or a delivery, or idle GPUs), the pool, the team "
        "that gets the GPUs. The wider a band, the more GPUs."
    )
    grid = table(sheets.handovers(plan).only(*HANDOVER_COLUMNS))
    return section(title, element("p", told), plot(name, handovers.flow(plan.handovers), summary, grid))


def _calendar(plan: Reallocation) -> Section:
    title = "Calendar: what comes when"
    if not plan.handovers:
        return section(title, element("p", "Nothing comes within the horizon."))
    weekly = "GPUs handed over in every week, by where they come from."
    teams = "GPUs that every team gets in every week."
    return section(
        title,
        element("h3", "By week"),
        plot("weeks", handovers.weekly_bars(plan), weekly, table(sheets.weeks(plan))),
        element("h3", "By week and team"),
        plot("calendar", handovers.calendar(plan), teams, table(sheets.team_weeks(plan))),
        element("p", "The dates of single handovers are in the table of the section before."),
        folded("What comes free, and when", table(sheets.supplies(plan))),
    )


def _requests(plan: Reallocation) -> Section:
    if not plan.requests:
        return section("Requests", element("p", "Nobody asks for anything within the horizon."))
    met = sheets.met_in_time(plan)
    told = (
        f"{count(met)} of {counted(len(plan.requests), 'request')} met in time. A project that runs and is "
        "short wants GPUs today, so most come late: there is nothing to give before something ends."
    )
    asked = outcomes.waiting(plan)
    shown = asked[: outcomes.MOST_BARS]
    which = (
        "every request" if len(shown) == len(asked) else f"the {len(shown)} requests that miss most or wait"
    )
    summary = f"What {which} gets in time, late, and not within the horizon, in GPUs."
    grid = table(sheets.requests(plan).only(*REQUEST_COLUMNS))
    return section(
        "Requests", element("p", told), plot("requests", outcomes.request_bars(shown), summary, grid)
    )


def finding_sections(found: Finding) -> list[Section]:
    """The answer to a request: when the GPUs come, from whom, and which caps are in the way."""
    (asked,) = found.reallocation.asked
    plans = [("as caps are", found.reallocation)]
    if found.if_raised is not None:
        plans.append(("if the caps were raised", found.if_raised))
    if not any(plan.handovers for _, plan in plans):
        nobody = "Nobody: no GPUs that it accepts come free within the horizon."
        when: list[Child] = [element("p", nobody)]
    else:
        shown = handovers.arrivals(asked.gpus, asked.by, plans)
        summary = (
            f"GPUs handed over so far, day by day, against the {count(asked.gpus)} needed by {asked.by}."
        )
        when = [plot("arrivals", shown, summary)]
    sections = [section("When they come", *when, *(_donors(name, plan) for name, plan in plans))]
    if found.raises:
        sections.append(section("Caps in the way", table(sheets.raises(found.raises))))
    sections += [_flow(plan, f"flow {name}") for name, plan in plans[:1] if plan.handovers]
    return sections


def _donors(name: str, plan: Reallocation) -> Child:
    caption = f"Who hands over, and when, {name}"
    return table(sheets.handovers(plan).only(*DONOR_COLUMNS), caption=caption)
