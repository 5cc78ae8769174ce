"""What a project or a team lacks in a plan, and whether another plan grants it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gpu_opt.allocation.appraisal import own_compute, team_compute
from gpu_opt.allocation.barriers import Situation
from gpu_opt.allocation.rivals import Contest
from gpu_opt.allocation.sentences import Speech
from gpu_opt.explanation.resources import Counted
from gpu_opt.explanation.seen import Seen
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.plan import Lacks, Resource


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be granted: what a project lacks of its demand, or so much compute to a team."""

    subject: str
    lacks: Lacks
    projects: tuple[int, ...]
    """The projects that lack something, by their index; those of the team."""
    team: int | None = None
    """The team that is to have more; None: the project's demand."""
    least: int = 0
    """Milli-compute that the team is to reach."""
    more: int = 0
    """Milli-compute that the team lacks; it may be up to a unit more than what would do."""

    def is_granted(self, instance: Instance, x: Ints) -> bool:
        """Whether a plan grants it, to within a unit of what the project then has."""
        if self.team is not None:
            return bool(team_compute(instance, x)[self.team] >= self.least)
        own, lacks = own_compute(instance, x), instance.projects.demand
        for j in self.projects:
            units = [int(instance.arcs.own[a]) for a in instance.projects.arcs[j] if x[a]]
            if not units or lacks[j] - own[j] >= max(units):
                return False
        return True

    def counted(self, instance: Instance) -> Ints:
        """Milli-compute of one unit that counts towards it, by arc."""
        arcs, pools = instance.arcs, instance.pools
        if self.team is None:
            mine: Ints = np.where(np.isin(arcs.project, self.projects), arcs.own, 0)
            return mine
        chains = Situation(instance, np.zeros_like(arcs.own), proved=False).chains
        under = [j for j, team in enumerate(instance.projects.team) if self.team in chains[team]]
        counted = np.array(pools.unit_compute, dtype=np.int64)[arcs.pool]
        theirs: Ints = np.where(np.isin(arcs.project, under), counted, 0)
        return theirs


class Case:
    """A wish, and the plan that does not grant it."""

    def __init__(self, seen: Seen, resources: Sequence[Counted], wish: Wish) -> None:
        self.seen, self.wish = seen, wish
        self.instance, self.situation = seen.instance, seen.situation
        self.contest = Contest(seen.situation)
        self.speech = Speech(seen.organization, seen.instance)
        self.resources: Mapping[tuple[Resource, str, str | None], Counted] = {
            (each.rule, each.subject, each.gpu_type): each for each in resources
        }
        own = own_compute(seen.instance, seen.x)
        demand = seen.instance.projects.demand
        self.lacks = [max(0, want - int(has)) for want, has in zip(demand, own, strict=True)]
        """Milli-compute that every project lacks, at its own speeds."""

    @cached_property
    def arcs(self) -> list[int]:
        """The arcs of the projects that lack something."""
        return [a for j in self.wish.projects for a in self.instance.projects.arcs[j]]

    def unit(self, arc: int) -> int:
        """GPUs of one unit on the arc."""
        return self.instance.pools.unit[int(self.instance.arcs.pool[arc])]

    def counted(self, arc: int) -> int:
        """Milli-compute of one unit on the arc, as budgets count it."""
        return self.instance.pools.unit_compute[int(self.instance.arcs.pool[arc])]

    def own(self, arc: int) -> int:
        """Milli-compute of one unit on the arc, at the project's own speed."""
        return int(self.instance.arcs.own[arc])

    def gpus_for(self, projects: Iterable[int], among: Collection[int] | None = None) -> float:
        """GPUs that give the projects what they lack, where (on arcs `among`) that takes fewest."""
        return sum(self._least(j, self.unit, among) for j in projects)

    def compute_for(self, projects: Iterable[int]) -> float:
        """Compute, as budgets count it, that gives them what they lack, where that is least."""
        return sum(self._least(j, self.counted, None) for j in projects) / MILLI

    def _least(self, project: int, amount: Callable[[int], int], among: Collection[int] | None) -> float:
        arcs = [a for a in self.instance.projects.arcs[project] if among is None or a in among]
        return min((self.lacks[project] * amount(a) / self.own(a) for a in arcs), default=0.0)

    @property
    def compute_lacking(self) -> float:
        """Compute, as budgets count it, that would be enough."""
        if self.wish.team is not None:
            return (self.wish.least - int(self.situation.total[self.wish.team])) / MILLI
        return self.compute_for(self.wish.projects)

    @property
    def share(self) -> float:
        """What is wished for, as a share of what the projects lack."""
        whole = self.compute_for(self.wish.projects)
        return min(1.0, self.compute_lacking / whole) if whole > 0 else 1.0

    @property
    def gpus_lacking(self) -> float:
        """GPUs that would be enough where they are fastest."""
        return self.share * self.gpus_for(self.wish.projects)
