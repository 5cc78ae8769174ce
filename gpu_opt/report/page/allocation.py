"""The allocation's sections: budgets, projects, pools, moves, and how good the plan is."""

from __future__ import annotations

from gpu_opt.plan import Allocation, ProjectOutcome, Reallocation
from gpu_opt.report.page.frame import Section, plot, section, tiles, warning
from gpu_opt.report.page.html import Child, element, folded, listed, table
from gpu_opt.report.plots import budgets, outcomes
from gpu_opt.report.sheet import Column, Kind, Sheet, sheet
from gpu_opt.report.sheets import allocation as sheets
from gpu_opt.report.sheets.common import goals, seconds
from gpu_opt.report.text import amount, count, counted, percentage, status

TEAM_COLUMNS = ("team", "parent", "owner", "guarantee", "cap", "granted", "shortfall", "note")
PROJECT_COLUMNS = ("project", "team", "tier", "demand", "granted", "lacking", "where", "reason", "owner")
MOST_OPEN = 150
"""Projects up to which their table is shown without being asked for."""

FEW_MOVES = 40
"""Projects that lose GPUs up to which their table is shown without being asked for."""

READ_BUDGETS = (
    "Each box is a team, as large as the compute that it is granted; to its right are its own teams. "
    "Hatched: at its cap. Crossed: short of its guarantee. Names that do not fit are in the bars below."
)


def known(plan: Allocation | Reallocation) -> list[Child]:
    """What is known about a plan, in two lines."""
    figures = f"gap {percentage(plan.gap)}, {seconds(plan):.1f} s, {plan.run.cbc}, gpu_opt {plan.run.gpu_opt}"
    return [element("p", element("strong", status(plan.status, plan.stop)), f" ({figures})")]


def headline(plan: Allocation) -> list[Child]:
    """The figures that come first, and what must not be overlooked."""
    active = [one for one in plan.projects if one.active]
    short = [one for one in plan.teams if one.shortfall > 0]
    asked, granted = (
        (sum(each) for each in zip(*((one.demand, one.granted) for one in active), strict=True))
        if active
        else (0, 0)
    )
    idle, gpus = sum(one.idle for one in plan.pools), sum(one.gpus for one in plan.pools)
    figures = [
        ("reference GPUs granted, of those asked for", f"{amount(granted)} of {amount(asked)}"),
        (
            "projects that lack nothing",
            f"{count(sum(not sheets.lacking(one) for one in active))} of {count(len(active))}",
        ),
        ("teams short of their guarantee", count(len(short))),
        ("GPUs idle", f"{count(idle)} of {count(gpus)}"),
        ("GPUs taken from holders", count(sum(one.gpus for one in plan.moves))),
    ]
    told: list[Child] = [tiles(figures)]
    if plan.overruns:
        told.append(warning(table(sheets.overruns(plan))))
    if short:
        lines = (
            f"{one.team}: {amount(one.granted)} of {amount(one.promised)} promised, "
            f"{amount(one.shortfall)} short"
            for one in short
        )
        told.append(warning(element("p", "Guarantees that are not met:"), listed(lines)))
    return told


def allocation_sections(plan: Allocation) -> list[Section]:
    """All sections of an allocation."""
    return [_budgets(plan), _projects(plan), _pools(plan), _moves(plan)]


def _budgets(plan: Allocation) -> Section:
    body: list[Child] = []
    tree = budgets.tree(plan)
    if tree is not None:
        body += [plot("budget tree", tree, READ_BUDGETS)]
    for place, (title, bars) in enumerate(budgets.budget_bars(plan), start=1):
        summary = f"{title}: granted (bar) against guarantee (line) and cap (triangle), in reference GPUs."
        body += [element("h3", title), plot(f"budgets {place}", bars, summary)]
    body += [
        folded("The budgets as a table", table(sheets.teams(plan).only(*TEAM_COLUMNS))),
        folded("What teams have of every GPU type", table(_by_type(plan))),
    ]
    return section("Budgets", *body)


def _by_type(plan: Allocation) -> Sheet:
    """GPUs of every team, one column for each type."""
    kinds = sorted({kind for one in plan.teams for kind in one.by_type})
    columns = [Column("team", "team"), *(Column(kind, kind, Kind.COUNT) for kind in kinds)]
    rows = (
        (one.team, *(one.by_type.get(kind) for kind in kinds)) for one in sheets.in_tree_order(plan.teams)
    )
    return sheet("by_type", "Teams, in GPUs by type", columns, rows)


def _projects(plan: Allocation) -> Section:
    short = outcomes.shortest(plan)
    active = sum(one.active for one in plan.projects)
    body: list[Child] = [element("p", f"{counted(len(short), 'project')} of {count(active)} lack something.")]
    if short:
        shown = short[: outcomes.MOST_BARS]
        which = (
            "those that lack something" if len(shown) == len(short) else f"the {len(shown)} that lack most"
        )
        body += [
            element("h3", "What is in the way"),
            plot(
                "causes",
                outcomes.cause_bars(short),
                "What projects lack in all, by the first cause of each.",
                table(sheets.causes(plan)),
            ),
            element("h3", "Who lacks what"),
            plot(
                "projects",
                outcomes.project_bars(shown),
                f"Asked and granted of {which}, and the first cause.",
            ),
        ]
    grid = table(_by_lack(plan).only(*PROJECT_COLUMNS), caption=f"Projects on {plan.date}, in reference GPUs")
    told = f"All {count(active)}, those that lack most first, with where they are and why they have no more"
    body.append(folded(told, grid, is_open=active <= MOST_OPEN))
    return section("Projects", *body)


def _by_lack(plan: Allocation) -> Sheet:
    """The projects that are active, those that lack most first."""
    rows = sheets.projects(plan).rows
    paired = zip(plan.projects, rows, strict=True)
    ordered = sorted(((one, row) for one, row in paired if one.active), key=lambda pair: _lack(pair[0]))
    return sheets.projects(plan)._replace(rows=tuple(row for _, row in ordered))


def _lack(one: ProjectOutcome) -> tuple[float, float]:
    return -sheets.lacking(one), -one.demand


def _pools(plan: Allocation) -> Section:
    pools = sorted(plan.pools, key=lambda one: -one.gpus)
    if not pools:
        return section("Pools", element("p", "There are no pools."))
    shown = pools[: outcomes.MOST_BARS]
    which = "every pool" if len(shown) == len(pools) else f"the {len(shown)} largest pools"
    bars = plot(
        "pools", outcomes.pool_bars(shown), f"GPUs granted and idle of {which}.", table(sheets.pools(plan))
    )
    return section("Pools", bars)


def _moves(plan: Allocation) -> Section:
    if not plan.moves:
        return section("Moves", element("p", "Nothing moves: nobody gives up GPUs that it still wants."))
    total, losers = sum(one.gpus for one in plan.moves), len({one.project for one in plan.moves})
    told = f"{count(total)} GPUs are taken from {counted(losers, 'project')} that still want them."
    grid = table(sheets.moves(plan))
    return section(
        "Moves", element("p", told), folded("From whom, and where", grid, is_open=losers <= FEW_MOVES)
    )


def proof(*plans: Allocation | Reallocation) -> Section:
    """The goals of the plans, and what was proved of each."""
    words = {True: "Allocation", False: "Reallocation"}
    tables = (table(goals(plan), caption=words[isinstance(plan, Allocation)]) for plan in plans)
    meaning = "Each goal is met as well as it can be among the plans that are best on those before it."
    return section("How good the plan is", element("p", meaning), *tables)
