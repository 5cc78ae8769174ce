"""Why a project or a team has what it has: one sentence, then the evidence."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Sequence

from gpu_opt.allocation.reasons import reasons_of
from gpu_opt.clock import Clock
from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.explanation.budget_levers import budget_levers
from gpu_opt.explanation.levers import Lever
from gpu_opt.explanation.own_terms import own_levers
from gpu_opt.explanation.remedies import find_remedies
from gpu_opt.explanation.resources import Counted, list_resources
from gpu_opt.explanation.seen import Seen, look, see
from gpu_opt.explanation.stated import in_numbers
from gpu_opt.explanation.touches import touches
from gpu_opt.explanation.wish import Case, Wish
from gpu_opt.instance import MILLI
from gpu_opt.options import Options
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import (
    Allocation,
    Candidates,
    Cause,
    Explanation,
    Lacks,
    ProjectOutcome,
    Reason,
    Status,
    TeamOutcome,
)
from gpu_opt.validation.wording import number

NONE = Candidates(not_enough=(), undecided=(), crowded=())
"""Where nothing is lacking."""

SHARE_OF_REMEDIES = 0.135
"""Of the time limit, for the changes that would help."""


def explain(
    organization: Organization, plan: Allocation, subject: str, *, options: Options | None = None
) -> Explanation:
    """Why a project or a team has what it has in a plan, and the cheapest change that would give it more.

    The reasons are facts about the plan. What is lacking is a project's demand; a team's promise, or where
    that is met its projects' demands. The smallest change of every kind that could grant it is looked for
    by solving again, for a seventh of ``options.time_limit``. Budgets in per cent stay at what they are worth
    on the plan's date. A name that both a project and a team have means the project.

    Raises
    ------
    InvalidInput
        There is no such project or team, or the plan is not one of the organization.
    SolverFailure
        CBC could not be started.
    """
    options = options or Options()
    clock = Clock(options)
    clock.enter("looking at the plan")
    projects = {each.project: each for each in plan.projects}
    teams = {each.team: each for each in plan.teams}
    if subject not in projects and subject not in teams:
        raise InvalidInput((Problem("subject", _unknown(subject, [*projects, *teams])),))
    see(organization, plan)
    seen = look(in_numbers(organization, plan.date), plan.date, plan)
    resources = list_resources(seen.organization, seen.budgets, seen.situation)
    if subject in projects:
        found = _project(seen, resources, plan, projects[subject], options, clock)
    else:
        found = _team(seen, resources, plan, teams[subject], options, clock)
    return found.model_copy(update={"run": clock.run(content_hash(organization))})


def _unknown(subject: str, names: list[str]) -> str:
    near = difflib.get_close_matches(subject, names, n=1)
    return f"no project or team {subject!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _project(
    seen: Seen,
    resources: tuple[Counted, ...],
    plan: Allocation,
    outcome: ProjectOutcome,
    options: Options,
    clock: Clock,
) -> Explanation:
    proved = plan.status is Status.OPTIMAL
    reasons = tuple(reasons_of(seen.organization, seen.instance, seen.x, proved=proved)(outcome.project))
    found = Explanation(
        organization=plan.organization,
        date=plan.date,
        subject=outcome.project,
        kind="project",
        sentence=_sentence(outcome, reasons),
        granted=outcome.granted,
        wanted=outcome.demand,
        reasons=reasons,
        touches=touches(seen, resources, outcome.team, outcome.project),
        lacks=None,
        missing=0.0,
        remedies=(),
        candidates=NONE,
        needs_no_change=False,
        active=seen.instance.size[0],
        projects=(outcome.project,),
        run=plan.run,
    )
    if not outcome.active or reasons[0].cause is Cause.MET:
        return found
    clock.enter("solving again")
    (project,) = [each for each in seen.organization.projects if each.name == outcome.project]
    wish = Wish(outcome.project, Lacks.DEMAND, (seen.instance.projects.names.index(outcome.project),))
    case = Case(seen, resources, wish)
    levers = (*own_levers(case, project, reasons), *budget_levers(case, reasons))
    return _with_remedies(found, levers, case, plan, options)


def _with_remedies(
    found: Explanation, levers: Sequence[Lever], case: Case, plan: Allocation, options: Options
) -> Explanation:
    limited = dataclasses.replace(options, time_limit=options.time_limit * SHARE_OF_REMEDIES)
    known = find_remedies(levers, case.seen, plan, case.wish, limited)
    fields = {
        "remedies": known.remedies,
        "candidates": known.candidates,
        "needs_no_change": known.needs_no_change,
    }
    missing = case.compute_lacking if case.wish.team is None else case.wish.more / MILLI
    lacking = {"lacks": case.wish.lacks, "missing": missing}
    return found.model_copy(update=lacking | fields)


def _sentence(outcome: ProjectOutcome, reasons: tuple[Reason, ...]) -> str:
    if not outcome.active:
        return f"{outcome.project} wants nothing on this day: it {reasons[0].text}."
    if reasons[0].text == "gets all it asked for":
        return f"{outcome.project} gets all it asked for, {number(outcome.demand)}."
    has = f"{outcome.project} has {number(outcome.granted)} of the {number(outcome.demand)} that it asked for"
    return f"{has}: {reasons[0].text}."


def _team(
    seen: Seen,
    resources: tuple[Counted, ...],
    plan: Allocation,
    outcome: TeamOutcome,
    options: Options,
    clock: Clock,
) -> Explanation:
    clock.enter("reasons")
    explain_project = reasons_of(
        seen.organization, seen.instance, seen.x, proved=plan.status is Status.OPTIMAL
    )
    under = [
        each for each in plan.projects if each.active and outcome.team in set(seen.budgets.chain(each.team))
    ]
    lacking = sorted(
        (each for each in under if each.reason.cause is not Cause.MET),
        key=lambda each: each.granted - each.demand,
    )
    reasons = [tuple(explain_project(each.project)) for each in lacking]
    found = Explanation(
        organization=plan.organization,
        date=plan.date,
        subject=outcome.team,
        kind="team",
        sentence=_team_sentence(outcome, len(under), lacking),
        granted=outcome.granted,
        wanted=outcome.promised,
        reasons=tuple({(each[0].cause, each[0].subject): each[0] for each in reversed(reasons)}.values())[
            ::-1
        ],
        touches=touches(seen, resources, outcome.team, None),
        lacks=None,
        missing=0.0,
        remedies=(),
        candidates=NONE,
        needs_no_change=False,
        active=seen.instance.size[0],
        projects=tuple(each.project for each in lacking),
        run=plan.run,
    )
    if not lacking:
        return found
    clock.enter("solving again")
    case = Case(seen, resources, _wish_of_team(seen, outcome, lacking))
    every = tuple(dict.fromkeys(each for first in reasons for each in first))
    return _with_remedies(found, tuple(budget_levers(case, every)), case, plan, options)


def _wish_of_team(seen: Seen, outcome: TeamOutcome, lacking: Sequence[ProjectOutcome]) -> Wish:
    """What it is short of its promise; where that is met, what its projects lack and its cap allows.

    All but a unit of it: units are whole.
    """
    instance, names = seen.instance, seen.instance.projects.names
    indices = tuple(names.index(each.project) for each in lacking)
    n = instance.teams.names.index(outcome.team)
    if outcome.shortfall:
        promised = math.ceil(instance.teams.target[n] * MILLI)
        return Wish(outcome.team, Lacks.PROMISE, indices, n, promised, round(outcome.shortfall * MILLI))
    wanted = sum(_least_compute(seen, j) for j in indices)
    has, cap = int(seen.situation.total[n]), instance.teams.cap[n]
    arcs = [a for j in indices for a in instance.projects.arcs[j]]
    unit = max((instance.pools.unit_compute[int(instance.arcs.pool[a])] for a in arcs), default=0)
    lacks = Lacks.DEMANDS if cap is None or not unit <= cap - has < wanted else Lacks.CAP
    more = wanted if cap is None or lacks is Lacks.DEMANDS else cap - has
    return Wish(outcome.team, lacks, indices, n, has + max(1, more - unit + 1), more)


def _least_compute(seen: Seen, project: int) -> int:
    """Milli-compute, as budgets count it, that gives a project all it lacks, where that is least."""
    arcs, pools = seen.instance.arcs, seen.instance.pools
    lack = seen.instance.projects.demand[project] - int(seen.situation.own[project])
    own = seen.instance.projects.arcs[project]
    return min((lack * pools.unit_compute[int(arcs.pool[a])] // int(arcs.own[a]) for a in own), default=0)


def _team_sentence(outcome: TeamOutcome, projects: int, lacking: list[ProjectOutcome]) -> str:
    has = f"{outcome.team} has {number(outcome.granted)}"
    if outcome.guarantee is None:
        promise = "it is promised nothing"
    elif outcome.shortfall > 0:
        promise = f"{number(outcome.shortfall)} less than the {number(outcome.promised)} that it is promised"
    else:
        within = " to within a unit" if outcome.granted < outcome.promised else ""
        promise = f"its guarantee of {number(outcome.promised)} is met{within}"
    if not lacking:
        return f"{has}: {promise}, and no project under it lacks anything."
    first = lacking[0]
    many = (
        f"{len(lacking)} of {projects} projects under it {'lack' if len(lacking) > 1 else 'lacks'} something"
    )
    return f"{has}: {promise}; {many}. {first.project} lacks most: {first.reason.text}."
