"""The single changes that somebody above a project or a team, or more hardware, could make for it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Sequence

from gpu_opt.explanation.levers import CONTESTED, Lever, frames_of, make_lever, taken_first
from gpu_opt.explanation.resources import Counted
from gpu_opt.explanation.wish import Case
from gpu_opt.instance import MILLI
from gpu_opt.plan import Cause, Lacks, Reason, RemedyKind, Resource
from gpu_opt.scenario.changes import (
    AddDelivery,
    PinProject,
    SetCap,
    SetGuarantee,
    SetLimit,
    SetPolicy,
)
from gpu_opt.validation.wording import number

MOST_PINS = 5
"""Pins of which one less is tried: those in the way of a large team are many."""


def budget_levers(case: Case, reasons: Sequence[Reason]) -> Iterator[Lever]:
    """Levers that somebody above, or more hardware, could pull; the likeliest to help first."""
    budgets = dict.fromkeys((each.cause, str(each.subject), each.owner) for each in reasons)
    for cause, subject, owner in budgets:
        if cause is Cause.TEAM_CAP:
            yield from _cap(case, subject, owner)
        elif cause is Cause.TYPE_LIMIT:
            yield from _limit(case, subject, owner)
    if case.arcs and {each.cause for each in reasons} & CONTESTED:
        yield from _own_guarantee(case)
        yield from _pool(case)
        yield from _moves(case)
    for cause, subject, owner in budgets:
        if cause is Cause.GUARANTEE and not _is_of(case, subject):
            yield from _guarantee(case, subject, owner)
    pinned = dict.fromkeys(
        (name, each.owner) for each in reasons if each.cause is Cause.PINNED for name in each.projects
    )
    for name, owner in itertools.islice(pinned, MOST_PINS):
        yield _unpin(case, name, owner)


def _is_of(case: Case, team: str) -> bool:
    """Whether a team is part of the one that lacks something: what it is promised counts for that one."""
    n, parent = case.instance.teams.names.index(team), case.instance.teams.parent
    while n >= 0 and n != case.wish.team:
        n = parent[n]
    return n >= 0


def _under(case: Case, team: str) -> list[int]:
    """The projects under a team."""
    n = case.instance.teams.names.index(team)
    return [j for j in range(len(case.instance.projects.names)) if n in case.situation.chain(j)]


def _arcs_of(case: Case, projects: Iterable[int]) -> frozenset[int]:
    return frozenset(a for j in projects for a in case.instance.projects.arcs[j])


def _smallest_unit(case: Case, amount: Counted) -> float:
    """Compute of the smallest unit that the subject could have more, as budgets count it."""
    return min((case.counted(a) for a in case.arcs), default=0) / MILLI or amount.amount


def _cap(case: Case, team: str, owner: str | None) -> Iterator[Lever]:
    cap = case.resources.get((Resource.TEAM_CAP, team, None))
    if cap is None:
        return
    first = taken_first(case, _arcs_of(case, _under(case, team)))
    now, grain = cap.limit, _smallest_unit(case, cap)
    lacking = case.compute_lacking - cap.slack

    def raised(n: int) -> float:
        return round(now + n * grain, 3)

    yield make_lever(
        case,
        RemedyKind.CAP,
        owner,
        frames_of(case, first),
        lambda n: f"raise {team}.cap from {number(now)} to {number(raised(n))}",
        lambda n: SetCap(team=team, cap=raised(n)),
        grain=grain,
        guess=lacking,
        most=min(lacking + case.compute_for(first or ()), float(case.seen.budgets.fleet) - now),
    )


def _limit(case: Case, team: str, owner: str | None) -> Iterator[Lever]:
    for (rule, subject, kind), limit in case.resources.items():
        if rule is Resource.TYPE_LIMIT and subject == team and kind is not None:
            yield from _higher_limit(case, limit, kind, owner)


def _higher_limit(case: Case, limit: Counted, kind: str, owner: str | None) -> Iterator[Lever]:
    (index,) = [
        i
        for i, each in enumerate(case.instance.limits)
        if (case.instance.teams.names[each.team], each.gpu_type) == (limit.subject, kind)
    ]
    arcs = frozenset(case.instance.limits[index].arcs)
    first = taken_first(case, arcs)
    now, grain = limit.limit, limit.amount
    lacking = case.share * case.gpus_for(case.wish.projects, arcs) - limit.slack

    def raised(n: int) -> float:
        return now + n * grain

    yield make_lever(
        case,
        RemedyKind.LIMIT,
        owner,
        frames_of(case, first),
        lambda n: f"raise {limit.subject}.limits.{kind} from {number(now)} to {number(raised(n))}",
        lambda n: SetLimit(team=limit.subject, gpu_type=kind, cap=raised(n)),
        grain=grain,
        guess=lacking,
        most=lacking + case.gpus_for(first or (), arcs),
    )


def _own_guarantee(case: Case) -> Iterator[Lever]:
    """A higher promise to the subject's team: it comes before all value."""
    n = case.wish.team
    n = case.instance.projects.team[case.wish.projects[0]] if n is None else n
    team, parent = case.instance.teams.names[n], case.instance.teams.parent[n]
    first = taken_first(case, _arcs_of(case, _under(case, team)))
    if parent < 0 or case.wish.lacks is Lacks.PROMISE:
        return
    has, now = int(case.situation.total[n]) / MILLI, float(case.seen.budgets.guarantee.get(team, 0))
    units = [case.counted(a) / MILLI for a in case.arcs]
    base, grain, cap = max(now, has), min(units), case.instance.teams.cap[n]
    ceiling = math.inf if cap is None else cap / MILLI  # a guarantee above its own cap cannot be meant
    lacking = min(case.compute_lacking + max(units), ceiling - base)

    def raised(grains: int) -> float:
        return min(round(base + grains * grain, 3), ceiling)

    yield make_lever(
        case,
        RemedyKind.OWN_GUARANTEE,
        case.speech.owner_above(team),
        frames_of(case, first),
        lambda n: f"raise {team}.guarantee from {number(now)} to {number(raised(n))}",
        lambda n: SetGuarantee(team=team, guarantee=raised(n)),
        grain=grain,
        guess=lacking,
        most=min(lacking + case.compute_for(first or ()), ceiling - base),
    )


def _pool(case: Case) -> Iterator[Lever]:
    """More GPUs in the pool where fewest are enough, those that others take first included."""
    options = []
    for p in sorted({int(case.instance.arcs.pool[a]) for a in case.arcs}):
        arcs = frozenset(a for a in range(len(case.seen.x)) if int(case.instance.arcs.pool[a]) == p)
        first = taken_first(case, arcs)
        if all(_may_grow(case, j, arcs) for j in case.wish.projects):
            lacking = case.share * case.gpus_for(case.wish.projects, arcs)
            options.append((first is None, lacking + case.gpus_for(first or (), arcs), p, lacking, first))
    if not options:
        return
    _, most, p, lacking, first = min(options)
    name, unit, date = case.instance.pools.names[p], case.instance.pools.unit[p], case.instance.date
    yield make_lever(
        case,
        RemedyKind.POOL,
        None,
        frames_of(case, first),
        lambda n: f"{n * unit:,} more GPUs in {name}",
        lambda n: AddDelivery(pool=name, gpus=n * unit, on=date),
        grain=unit,
        guess=lacking,
        most=most + unit,
    )


def _may_grow(case: Case, project: int, arcs: Collection[int]) -> bool:
    """Whether the project could have more in a pool: one that must stay in one is there, or nowhere."""
    own = case.instance.projects.arcs[project]
    used = [a for a in own if case.seen.x[a]]
    if case.instance.projects.one_pool[project] and used:
        return any(a in arcs for a in used)
    return any(a in arcs for a in own)


def _moves(case: Case) -> Iterator[Lever]:
    organization = case.seen.organization
    now, held = organization.policy.max_moves, case.instance.arcs
    first = taken_first(case, range(len(case.seen.x)))
    if now is None or not held.wanted.any():
        return
    grain = min(case.instance.pools.unit[p] for p in held.pool[held.wanted > 0].tolist())
    lacking = case.gpus_lacking - (case.situation.moves_left or 0)
    yield make_lever(
        case,
        RemedyKind.MOVES,
        case.speech.owner_of(case.speech.root),
        frames_of(case, first, range(len(case.lacks))),
        lambda n: f"raise policy.max_moves from {now:,} to {now + n * grain:,}",
        lambda n: SetPolicy(max_moves=now + n * grain),
        grain=grain,
        guess=lacking,
        most=2 * lacking + case.gpus_for(first or ()),
    )


def _unpin(case: Case, name: str, owner: str | None) -> Lever:
    j = case.instance.projects.names.index(name)
    pools = {int(case.instance.arcs.pool[a]) for a in case.instance.projects.arcs[j] if case.seen.x[a]}
    opened = [a for a in range(len(case.seen.x)) if int(case.instance.arcs.pool[a]) in pools]
    first = taken_first(case, opened)
    return make_lever(
        case,
        RemedyKind.UNPIN,
        owner,
        frames_of(case, None if first is None else [*first, j], [j]),
        lambda _: f"unpin {name}",
        lambda _: PinProject(project=name, pinned=False),
    )


def _guarantee(case: Case, team: str, owner: str | None) -> Iterator[Lever]:
    """A lower promise to another team, whose projects then have to give."""
    promised = case.resources.get((Resource.TEAM_GUARANTEE, team, None))
    under = _under(case, team)
    pools = {int(case.instance.arcs.pool[a]) for a in _arcs_of(case, under) if case.seen.x[a]}
    first = taken_first(
        case, [a for a in range(len(case.seen.x)) if int(case.instance.arcs.pool[a]) in pools]
    )
    if promised is None:
        return
    now, grain = promised.limit, promised.amount

    def lowered(n: int) -> float:
        return max(0.0, round(now - n * grain, 3))

    yield make_lever(
        case,
        RemedyKind.GUARANTEE,
        owner,
        frames_of(case, first, under),
        lambda n: f"lower {team}.guarantee from {number(now)} to {number(lowered(n))}",
        lambda n: SetGuarantee(team=team, guarantee=lowered(n)),
        grain=grain,
        guess=min(now, case.compute_lacking + promised.slack),
        most=now,
    )
