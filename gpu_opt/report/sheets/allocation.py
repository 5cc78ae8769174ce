"""The allocation as sheets: teams, projects, grants, pools, moves, and what stays broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gpu_opt.plan import Allocation, Cause, Grant, Move, Overrun, ProjectOutcome, TeamOutcome
from gpu_opt.report.sheet import Column, Kind, Sheet, sheet
from gpu_opt.report.text import amount, count

TEAMS = "Divisions and teams, in reference GPUs"
PROJECTS = "Projects, in reference GPUs at their own speed"
RULES = {"pool_capacity": "capacity of the pool", "team_cap": "cap", "type_limit": "limit on a GPU type"}


def allocation_sheets(plan: Allocation) -> list[Sheet]:
    """All that an allocation says."""
    return [
        teams(plan),
        team_types(plan),
        projects(plan),
        causes(plan),
        grants(plan),
        pools(plan),
        moves(plan),
        overruns(plan),
    ]


def teams(plan: Allocation) -> Sheet:
    """Guarantee, cap, granted and shortfall of every team, each after its parent."""
    columns = (
        Column("team", "team"),
        Column("parent", "parent"),
        Column("level", "level", Kind.COUNT),
        Column("owner", "owner"),
        Column("guarantee", "guarantee", Kind.AMOUNT),
        Column("promised", "promised", Kind.AMOUNT),
        Column("cap", "cap", Kind.AMOUNT),
        Column("granted", "granted", Kind.AMOUNT),
        Column("shortfall", "shortfall", Kind.AMOUNT),
        Column("note", "note", Kind.SENTENCE),
    )
    notes = team_notes(plan)
    rows = (
        (
            one.team,
            one.parent,
            one.level,
            one.owner,
            one.guarantee,
            one.promised,
            one.cap,
            one.granted,
            one.shortfall,
            notes[one.team],
        )
        for one in in_tree_order(plan.teams)
    )
    return sheet("teams", TEAMS, columns, rows)


def team_types(plan: Allocation) -> Sheet:
    """GPUs granted to every team, by GPU type."""
    columns = (Column("team", "team"), Column("gpu_type", "type"), Column("gpus", "GPUs", Kind.COUNT))
    rows = ((one.team, kind, gpus) for one in in_tree_order(plan.teams) for kind, gpus in one.by_type.items())
    return sheet("team_types", "Teams, in GPUs by type", columns, rows)


def in_tree_order(outcomes: tuple[TeamOutcome, ...]) -> list[TeamOutcome]:
    """Every team after its parent, and before its parent's next child."""
    children: dict[str | None, list[TeamOutcome]] = defaultdict(list)
    for one in outcomes:
        children[one.parent].append(one)
    ordered: list[TeamOutcome] = []
    waiting = list(reversed(children[None]))
    while waiting:
        ordered.append(waiting.pop())
        waiting += reversed(children[ordered[-1].team])
    return ordered


def team_notes(plan: Allocation) -> dict[str, str]:
    """In a few words how every team stands to its budget."""
    full = {one.reason.subject for one in plan.projects if one.reason.cause is Cause.TEAM_CAP}
    over = {one.subject for one in plan.overruns if one.rule == "team_cap"}
    return {one.team: _team_note(one, one.team in full, one.team in over) for one in plan.teams}


def _team_note(one: TeamOutcome, full: bool, over: bool) -> str:
    notes = []
    if one.shortfall > 0:
        notes.append("short")
    elif one.granted < one.promised:
        notes.append("met to within a unit")
    if over:
        notes.append("over its cap")
    elif one.cap is not None and (full or one.granted >= one.cap):
        notes.append("at its cap")
    if one.guarantee is not None and one.promised < one.guarantee:
        notes.append(f"its projects need, or can reach, at most {amount(one.promised)}")
    return ", ".join(notes)


def projects(plan: Allocation) -> Sheet:
    """Asked, granted, where and why of every project, in the order of the file."""
    columns = (
        Column("project", "project"),
        Column("team", "team"),
        Column("tier", "tier", Kind.COUNT),
        Column("priority", "priority", Kind.AMOUNT),
        Column("active", "active"),
        Column("demand", "asked", Kind.AMOUNT),
        Column("minimum", "minimum", Kind.AMOUNT),
        Column("granted", "granted", Kind.AMOUNT),
        Column("lacking", "lacking", Kind.AMOUNT),
        Column("gpus", "GPUs", Kind.COUNT),
        Column("held", "GPUs held", Kind.COUNT),
        Column("where", "where", Kind.SENTENCE),
        Column("cause", "cause"),
        Column("basis", "fact or policy"),
        Column("subject", "about"),
        Column("owner", "who may decide"),
        Column("reason", "why", Kind.SENTENCE),
    )
    places = where(plan.grants)
    rows = (
        (
            one.project,
            one.team,
            one.tier,
            one.priority,
            "yes" if one.active else "no",
            one.demand,
            one.minimum,
            one.granted,
            lacking(one),
            one.gpus,
            one.held,
            places.get(one.project, ""),
            one.reason.cause.value,
            one.reason.basis.value,
            one.reason.subject,
            one.reason.owner,
            one.reason.text,
        )
        for one in plan.projects
    )
    return sheet("projects", PROJECTS, columns, rows)


def causes(plan: Allocation) -> Sheet:
    """What projects lack in all, by the first cause of each; the largest first."""
    columns = (
        Column("cause", "cause"),
        Column("basis", "fact or policy"),
        Column("lacking", "lacking", Kind.AMOUNT),
        Column("projects", "projects", Kind.COUNT),
    )
    sums: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in plan.projects:
        if lacking(one):
            sums[one.reason.cause.value, one.reason.basis.value].append(lacking(one))
    rows = ((cause, basis, sum(each), len(each)) for (cause, basis), each in sums.items())
    ordered = sorted(rows, key=lambda row: -row[2])
    return sheet("causes", "What is in the way, in reference GPUs lacking", columns, ordered)


def lacking(one: ProjectOutcome) -> float:
    """Compute that a project asks for on the date and is not granted."""
    return max(0.0, one.demand - one.granted) if one.active else 0.0


def where(granted: tuple[Grant, ...]) -> dict[str, str]:
    """Where each project has its GPUs, the largest grant first."""
    grants_of: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in granted:
        grants_of[one.project].append((-one.gpus, one.pool))
    return {
        project: ", ".join(f"{pool} {count(-gpus)}" for gpus, pool in sorted(held))
        for project, held in grants_of.items()
    }


def grants(plan: Allocation) -> Sheet:
    """GPUs granted, by project and pool."""
    return _in_pools("grants", "Grants, in GPUs", "project", plan, plan.grants)


def pools(plan: Allocation) -> Sheet:
    """GPUs, granted and idle of every pool."""
    columns = (
        Column("pool", "pool"),
        Column("gpu_type", "type"),
        Column("site", "site"),
        Column("gpus", "GPUs", Kind.COUNT),
        Column("granted", "granted", Kind.COUNT),
        Column("idle", "idle", Kind.COUNT),
    )
    rows = ((one.pool, one.gpu_type, one.site, one.gpus, one.granted, one.idle) for one in plan.pools)
    return sheet("pools", "Pools, in GPUs", columns, rows)


def moves(plan: Allocation) -> Sheet:
    """GPUs taken from projects that still want them."""
    title = "What moves: GPUs taken from projects that still want them"
    return _in_pools("moves", title, "from", plan, plan.moves)


def _in_pools(name: str, title: str, heading: str, plan: Allocation, held: Sequence[Grant | Move]) -> Sheet:
    columns = (
        Column("project", heading),
        Column("team", "team"),
        Column("pool", "pool"),
        Column("gpus", "GPUs", Kind.COUNT),
    )
    teams_of = {one.project: one.team for one in plan.projects}
    rows = ((one.project, teams_of[one.project], one.pool, one.gpus) for one in held)
    return sheet(name, title, columns, rows)


def overruns(plan: Allocation) -> Sheet:
    """Caps, limits and capacities that today's holdings break and the plan cannot yet bring back under."""
    columns = (
        Column("rule", "what"),
        Column("subject", "of"),
        Column("gpu_type", "type"),
        Column("limit", "allowed", Kind.AMOUNT),
        Column("before", "held today", Kind.AMOUNT),
        Column("after", "in the plan", Kind.AMOUNT),
        Column("unit", "in"),
    )
    rows = (
        (RULES[one.rule], one.subject, one.gpu_type, one.limit, one.before, one.after, overrun_unit(one))
        for one in plan.overruns
    )
    return sheet("overruns", "Broken today, and not yet mended", columns, rows)


def overrun_unit(one: Overrun) -> str:
    """What an overrun is counted in."""
    return "reference GPUs" if one.rule == "team_cap" else "GPUs"
