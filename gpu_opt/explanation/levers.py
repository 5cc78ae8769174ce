"""The single changes that could give a project what it lacks: one for each thing that is in its way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gpu_opt.allocation.sentences import Speech
from gpu_opt.explanation.resources import Counted
from gpu_opt.explanation.seen import Seen
from gpu_opt.instance import MILLI
from gpu_opt.organization import MAX_WEIGHT, Organization, Project
from gpu_opt.plan import Cause, Reason, RemedyKind, Resource
from gpu_opt.scenario import Change, apply
from gpu_opt.scenario.changes import (
    AddDelivery,
    PinProject,
    ReprioritizeProject,
    ResizeProject,
    SetCap,
    SetGuarantee,
    SetLimit,
    SetPolicy,
)

PRIORITY_GRAIN = 0.1

CONTESTED = {Cause.OUTRANKED, Cause.MOVES, Cause.MINIMUM_UNREACHABLE, Cause.POOLS_FULL, Cause.ONE_POOL}
"""Causes that a higher rank, or more GPUs, could do away with."""

HIGHEST = 1000
"""How many times the highest priority of all a priority may become."""


@dataclass(frozen=True, slots=True)
class Lever:
    """A kind of change, of so many grains."""

    kind: RemedyKind
    owner: str | None
    grain: float
    """In the unit of the remedy's amount."""
    guess: int
    """Grains that may be enough."""
    most: int
    """Grains beyond which more is no help."""
    text: Callable[[int], str]
    change: Callable[[int], Change | None]
    made: Callable[[int], Organization]
    """The organization with so many grains."""

    def written(self, grains: int) -> dict[str, Any] | None:
        """The change as a scenario file writes it."""
        change = self.change(grains)
        if change is None:
            return None
        return {"change": change.change, **change.model_dump(mode="json", exclude_unset=True)}


class Levers:
    """The levers of one project, whose reasons are known; budgets are in numbers."""

    def __init__(self, seen: Seen, resources: Sequence[Counted], speech: Speech, project: Project) -> None:
        self.seen, self.speech, self.project = seen, speech, project
        self.by_subject = {(each.rule, each.subject, each.gpu_type): each for each in resources}
        self.j = seen.instance.projects.names.index(project.name)
        self.arcs = list(seen.instance.projects.arcs[self.j])
        self.lacks = max(0, seen.instance.projects.demand[self.j] - int(seen.situation.own[self.j]))

    def of(self, reasons: Sequence[Reason]) -> Iterator[Lever]:
        """A lever for every reason that a change could do away with, the likeliest to help first."""
        first: dict[Cause, Callable[[Reason], Iterator[Lever]]] = {
            Cause.TEAM_CAP: self._cap,
            Cause.TYPE_LIMIT: self._limit,
            Cause.ONE_POOL: self._one_pool,
            Cause.MINIMUM_UNREACHABLE: self._minimum,
        }
        last: dict[Cause, Callable[[Reason], Iterator[Lever]]] = {
            Cause.MOVES: self._moves,
            Cause.GUARANTEE: self._guarantee,
            Cause.PINNED: self._unpin,
        }
        yield from (lever for each in reasons if each.cause in first for lever in first[each.cause](each))
        if self.arcs and {reason.cause for reason in reasons} & CONTESTED:
            yield from self._rank()
            yield self._pool()
        yield from (lever for each in reasons if each.cause in last for lever in last[each.cause](each))

    def _lever(
        self,
        kind: RemedyKind,
        owner: str | None,
        grain: float,
        guess: float,
        most: float,
        text: Callable[[int], str],
        change: Callable[[int], Change],
    ) -> Lever:
        organization = self.seen.organization
        return Lever(
            kind,
            owner,
            grain,
            max(1, math.ceil(guess / grain)),
            max(1, math.ceil(most / grain)),
            text,
            change,
            lambda grains: apply(organization, [change(grains)]),
        )

    def _cap(self, reason: Reason) -> Iterator[Lever]:
        cap = self.by_subject.get((Resource.TEAM_CAP, str(reason.subject), None))
        if cap is None:
            return
        fleet = float(self.seen.budgets.fleet)
        name, grain, now = cap.subject, self._counted_unit() or cap.amount, cap.limit
        yield self._lever(
            RemedyKind.CAP,
            reason.owner,
            grain,
            self._counted_lack() - cap.slack,
            max(grain, fleet - now),
            lambda n: f"raise {name}.cap from {now:,g} to {round(now + n * grain, 3):,g}",
            lambda n: SetCap(team=name, cap=round(now + n * grain, 3)),
        )

    def _limit(self, reason: Reason) -> Iterator[Lever]:
        for (rule, subject, kind), limit in self.by_subject.items():
            if rule is Resource.TYPE_LIMIT and subject == reason.subject and kind is not None:
                yield self._higher_limit(limit, kind, reason.owner)

    def _higher_limit(self, limit: Counted, kind: str, owner: str | None) -> Lever:
        name, grain, now = limit.subject, limit.amount, limit.limit
        pools = [pool.name for pool in self.seen.organization.pools if pool.gpu_type == kind]
        fleet = sum(self.seen.budgets.gpus[pool] for pool in pools)
        return self._lever(
            RemedyKind.LIMIT,
            owner,
            grain,
            self._gpus_lacking() - limit.slack,
            max(grain, fleet - now),
            lambda n: f"raise {name}.limits.{kind} from {now:,g} to {now + n * grain:,g}",
            lambda n: SetLimit(team=name, gpu_type=kind, cap=now + n * grain),
        )

    def _one_pool(self, _reason: Reason) -> Iterator[Lever]:
        organization, project = self.seen.organization, self.project
        changed = project.model_copy(update={"one_pool": False})
        projects = tuple(changed if each.name == project.name else each for each in organization.projects)
        made = organization.model_copy(update={"projects": projects})
        text = f"let {project.name} run in several pools"
        yield Lever(RemedyKind.ONE_POOL, None, 1, 1, 1, lambda _: text, lambda _: None, lambda _: made)

    def _minimum(self, _reason: Reason) -> Iterator[Lever]:
        name, now = self.project.name, self.project.minimum
        if now:
            yield self._lever(
                RemedyKind.MINIMUM,
                None,
                1,
                now,
                now,
                lambda n: f"lower {name}.minimum from {now:,g} to {max(0.0, now - n):,g}",
                lambda n: ResizeProject(project=name, minimum=max(0.0, now - n)),
            )

    def _moves(self, reason: Reason) -> Iterator[Lever]:
        now = self.seen.organization.policy.max_moves
        if now is None:
            return
        held = self.seen.instance.arcs
        units = [self.seen.instance.pools.unit[p] for p in held.pool[held.wanted > 0].tolist()]
        grain = min(units)
        most = sum(sum(project.holds.values()) for project in self.seen.organization.projects)
        yield self._lever(
            RemedyKind.MOVES,
            reason.owner,
            grain,
            self._gpus_lacking(),
            max(grain, most - now),
            lambda n: f"raise policy.max_moves from {now:,} to {now + n * grain:,}",
            lambda n: SetPolicy(max_moves=now + n * grain),
        )

    def _unpin(self, reason: Reason) -> Iterator[Lever]:
        for name in reason.projects:
            yield self._unpinned(name, reason.owner)

    def _unpinned(self, name: str, owner: str | None) -> Lever:
        return self._lever(
            RemedyKind.UNPIN,
            owner,
            1,
            1,
            1,
            lambda _: f"unpin {name}",
            lambda _: PinProject(project=name, pinned=False),
        )

    def _guarantee(self, reason: Reason) -> Iterator[Lever]:
        promised = self.by_subject.get((Resource.TEAM_GUARANTEE, str(reason.subject), None))
        if promised is None:
            return
        name, grain, now = promised.subject, promised.amount, promised.limit
        yield self._lever(
            RemedyKind.GUARANTEE,
            reason.owner,
            grain,
            self._counted_lack(),
            now,
            lambda n: f"lower {name}.guarantee from {now:,g} to {max(0.0, round(now - n * grain, 3)):,g}",
            lambda n: SetGuarantee(team=name, guarantee=max(0.0, round(now - n * grain, 3))),
        )

    def _rank(self) -> Iterator[Lever]:
        name, now, tier = self.project.name, self.project.priority, self.project.tier
        owner = self.speech.owner_of(self.project.team)
        peers = [each.priority for each in self.seen.organization.projects if each.tier == tier]
        ceiling = min(float(MAX_WEIGHT), max(peers) * HIGHEST)
        yield self._lever(
            RemedyKind.PRIORITY,
            owner,
            PRIORITY_GRAIN,
            max(peers) * 2 - now,
            ceiling - now,
            lambda n: f"raise {name}.priority from {now:,g} to {_up(now, n):,g}",
            lambda n: ReprioritizeProject(project=name, priority=_up(now, n)),
        )
        if tier > 1:
            yield self._lever(
                RemedyKind.TIER,
                owner,
                1,
                1,
                tier - 1,
                lambda n: f"move {name} from tier {tier} to tier {tier - n}",
                lambda n: ReprioritizeProject(project=name, tier=tier - n),
            )

    def _pool(self) -> Lever:
        """More GPUs in the pool that is fastest for it; where it is, if it may use one only."""
        instance, x = self.seen.instance, self.seen.x
        used = [a for a in self.arcs if x[a]] if self.project.one_pool else []

        def speed(arc: int) -> float:
            return int(instance.arcs.own[arc]) / instance.pools.unit[int(instance.arcs.pool[arc])]

        p = int(instance.arcs.pool[max(used or self.arcs, key=speed)])
        name, unit, date = instance.pools.names[p], instance.pools.unit[p], instance.date
        pairs = zip(instance.projects.demand, self.seen.situation.own.tolist(), strict=True)
        lacking = sum(max(0, demand - own) for demand, own in pairs)
        return self._lever(
            RemedyKind.POOL,
            None,
            unit,
            self._gpus_lacking(),
            lacking / min(speed(a) for a in self.arcs) + unit,
            lambda n: f"{n * unit:,} more GPUs in {name}",
            lambda n: AddDelivery(pool=name, gpus=n * unit, on=date),
        )

    def _gpus_lacking(self) -> float:
        """GPUs that would be enough where it is fastest."""
        arcs, pools = self.seen.instance.arcs, self.seen.instance.pools
        rates = [int(arcs.own[a]) / pools.unit[int(arcs.pool[a])] for a in self.arcs]
        return self.lacks / max(rates) if rates else 0.0

    def _counted_lack(self) -> float:
        """Compute, as budgets count it, that would be enough where that is least."""
        arcs, pools = self.seen.instance.arcs, self.seen.instance.pools
        rates = [pools.unit_compute[int(arcs.pool[a])] / int(arcs.own[a]) for a in self.arcs]
        return self.lacks / MILLI * min(rates) if rates else 0.0

    def _counted_unit(self) -> float:
        """Compute of its smallest unit, as budgets count it; 0: it can run nowhere."""
        arcs, pools = self.seen.instance.arcs, self.seen.instance.pools
        return min((pools.unit_compute[int(arcs.pool[a])] for a in self.arcs), default=0) / MILLI


def _up(priority: float, grains: int) -> float:
    return round(priority + grains * PRIORITY_GRAIN, 6)
