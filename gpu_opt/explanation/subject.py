"""Why a project or a team has what it has: one sentence, then the evidence."""

from __future__ import annotations

import dataclasses
import difflib

from gpu_opt.allocation.reasons import reasons_of
from gpu_opt.allocation.sentences import Speech
from gpu_opt.clock import Clock
from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.explanation.levers import Levers
from gpu_opt.explanation.remedies import find_remedies
from gpu_opt.explanation.resources import Counted, list_resources
from gpu_opt.explanation.seen import Seen, look, see
from gpu_opt.explanation.stated import in_numbers
from gpu_opt.options import Options
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import (
    Allocation,
    Cause,
    Explanation,
    ProjectOutcome,
    Reason,
    Resource,
    Status,
    TeamOutcome,
    Touch,
)

SHARE_OF_REMEDIES = 0.125
"""Of the time limit, for the changes that would help."""


def explain(
    organization: Organization, plan: Allocation, subject: str, *, options: Options | None = None
) -> Explanation:
    """Why a project or a team has what it has in a plan, and the cheapest change that would give it more.

    The reasons are facts about the plan. For a project that lacks something, the smallest change of every
    kind that could help is looked for by solving again, for an eighth of ``options.time_limit``. Budgets in
    per cent stay at what they are worth on the plan's date. A name that both a project and a team have
    means the project.

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
        found = _team(seen, resources, plan, teams[subject], clock)
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
        touches=_touches(seen, resources, outcome.team, outcome.project),
        remedies=(),
        projects=(outcome.project,),
        run=plan.run,
    )
    if not outcome.active or reasons[0].cause is Cause.MET:
        return found
    clock.enter("solving again")
    (project,) = [each for each in seen.organization.projects if each.name == outcome.project]
    levers = Levers(seen, resources, Speech(seen.organization, seen.instance), project).of(reasons)
    limited = dataclasses.replace(options, time_limit=options.time_limit * SHARE_OF_REMEDIES)
    remedies = find_remedies(tuple(levers), plan, outcome.project, limited)
    return found.model_copy(update={"remedies": remedies})


def _sentence(outcome: ProjectOutcome, reasons: tuple[Reason, ...]) -> str:
    if not outcome.active:
        return f"{outcome.project} wants nothing on this day: it {reasons[0].text}."
    if reasons[0].text == "gets all it asked for":
        return f"{outcome.project} gets all it asked for, {outcome.demand:,g}."
    has = f"{outcome.project} has {outcome.granted:,g} of the {outcome.demand:,g} that it asked for"
    return f"{has}: {reasons[0].text}."


def _team(
    seen: Seen, resources: tuple[Counted, ...], plan: Allocation, outcome: TeamOutcome, clock: Clock
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
    reasons = tuple(dict.fromkeys(next(explain_project(each.project)) for each in lacking))
    return Explanation(
        organization=plan.organization,
        date=plan.date,
        subject=outcome.team,
        kind="team",
        sentence=_team_sentence(outcome, len(under), lacking),
        granted=outcome.granted,
        wanted=outcome.promised,
        reasons=reasons,
        touches=_touches(seen, resources, outcome.team, None),
        remedies=(),
        projects=tuple(each.project for each in lacking),
        run=plan.run,
    )


def _team_sentence(outcome: TeamOutcome, projects: int, lacking: list[ProjectOutcome]) -> str:
    has = f"{outcome.team} has {outcome.granted:,g}"
    if outcome.guarantee is None:
        promise = "it is promised nothing"
    elif outcome.shortfall > 0:
        promise = f"{outcome.shortfall:,g} less than the {outcome.promised:,g} that it is promised"
    else:
        promise = f"its guarantee of {outcome.promised:,g} is met"
    if not lacking:
        return f"{has}: {promise}, and no project under it lacks anything."
    first = lacking[0]
    many = (
        f"{len(lacking)} of {projects} projects under it {'lack' if len(lacking) > 1 else 'lacks'} something"
    )
    return f"{has}: {promise}; {many}. {first.project} lacks most: {first.reason.text}."


def _touches(seen: Seen, resources: tuple[Counted, ...], team: str, project: str | None) -> tuple[Touch, ...]:
    """The constraints that count what the subject has or could have, the tightest first."""
    chain = set(seen.budgets.chain(team))
    instance = seen.instance
    if project is None:
        mine = [
            j for j in range(len(instance.projects.names)) if team in _names(seen, seen.situation.chain(j))
        ]
        arcs = [a for j in mine for a in instance.projects.arcs[j]]
    elif project in instance.projects.names:
        arcs = list(instance.projects.arcs[instance.projects.names.index(project)])
    else:
        arcs = []
    pools = {instance.pools.names[int(instance.arcs.pool[a])] for a in arcs}
    kinds = {instance.pools.types[int(instance.arcs.pool[a])] for a in arcs}
    found = [
        Touch(
            resource=each.rule,
            subject=each.subject,
            gpu_type=each.gpu_type,
            unit=each.amount,
            limit=each.limit,
            slack=each.slack,
        )
        for each in resources
        if _concerns(each, chain, pools, kinds)
    ]
    return tuple(sorted(found, key=lambda one: one.slack / one.unit))


def _names(seen: Seen, teams: tuple[int, ...]) -> set[str]:
    return {seen.instance.teams.names[n] for n in teams}


def _concerns(resource: Counted, chain: set[str], pools: set[str], kinds: set[str]) -> bool:
    if resource.rule is Resource.MOVE_BUDGET:
        return bool(pools)
    if resource.rule is Resource.POOL_CAPACITY:
        return resource.subject in pools
    return resource.subject in chain and (resource.gpu_type is None or resource.gpu_type in kinds)
