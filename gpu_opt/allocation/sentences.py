"""The sentence of every reason, with whom it names and who could decide otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpu_opt.allocation.barriers import Barrier, Situation
from gpu_opt.budgets import owner_above, owner_of
from gpu_opt.instance import MILLI, Instance
from gpu_opt.organization import Organization
from gpu_opt.plan import POLICIES, Basis, Cause, Reason
from gpu_opt.validation.wording import number


class Speech:
    """Words for the reasons of one organization."""

    def __init__(self, organization: Organization, instance: Instance) -> None:
        self._instance = instance
        self._teams = {team.name: team for team in organization.teams}

    @property
    def root(self) -> str:
        """The team above all others; where there is a project, there is one."""
        return next(name for name, team in self._teams.items() if team.parent is None)

    def owner_above(self, team: str) -> str | None:
        """Who decides the team's guarantee, cap and limits: the owner above it; for the root, its own."""
        return owner_above(self._teams, team)

    def owner_of(self, team: str) -> str | None:
        """Who decides what the team's projects get: its owner, or the nearest one above."""
        return owner_of(self._teams, team)

    def met_within_a_unit(self, situation: Situation, j: int) -> Reason:
        """It lacks less than a unit."""
        lacking = (self._instance.projects.demand[j] - int(situation.own[j])) / MILLI
        told = f"lacks {number(lacking)} of what it asked for; one more unit would be more than that"
        return Reason(cause=Cause.MET, text=told)

    def no_value(self, situation: Situation, j: int) -> Reason:
        """More would be worth nothing."""
        demand = self._instance.projects.demand[j]
        told = f"the policy values no more than its first {int(situation.own[j]) / demand:.0%}"
        return self._reason(Cause.NO_VALUE, told, owner=self.owner_of(self.root))

    def unproved(self, told: str) -> Reason:
        """Nothing keeps it from having more but the time of the solve."""
        return Reason(cause=Cause.UNPROVED, text=told)

    def minimum(self, j: int) -> Reason:
        """A unit would fit, its minimum does not."""
        least = self._instance.projects.minimum[j] / MILLI
        told = f"what is left for it is below its minimum of {number(least)}"
        return Reason(cause=Cause.MINIMUM_UNREACHABLE, text=told)

    def budget(
        self, situation: Situation, barrier: Barrier, blocked: Mapping[int, tuple[Barrier, ...]]
    ) -> Reason:
        """A cap or a limit that leaves less than the next step, and what it leaves."""
        instance = self._instance
        if barrier.family == "team_cap":
            name = instance.teams.names[barrier.place]
            cap = instance.teams.cap[barrier.place] or 0
            room, of = (
                (cap - int(situation.total[barrier.place])) / MILLI,
                f"its cap of {number(cap / MILLI)}",
            )
            cause = Cause.TEAM_CAP
        else:
            limit = instance.limits[barrier.place]
            name = instance.teams.names[limit.team]
            room, of = situation.limit_room[barrier.place], f"its limit of {limit.gpus:,} {limit.gpu_type}"
            cause = Cause.TYPE_LIMIT
        told = f"{name} is at {of}"
        if room > 0:
            told = (
                f"{name} has only {number(room)} left under {of}{self._for_its_minimum(situation, blocked)}"
            )
        if cause is Cause.TEAM_CAP and not all(barrier in found for found in blocked.values()):
            pools = {int(instance.arcs.pool[a]) for a, found in blocked.items() if barrier in found}
            told += f", which is in the way in {listed([instance.pools.names[p] for p in sorted(pools)])}"
        return self._reason(cause, told, subject=name, owner=self.owner_above(name))

    def _for_its_minimum(self, situation: Situation, blocked: Mapping[int, tuple[Barrier, ...]]) -> str:
        """What the project's next step is, where that is all of its minimum and more than a unit."""
        instance, arc = self._instance, next(iter(blocked))
        j = int(instance.arcs.project[arc])
        least = instance.projects.minimum[j]
        if situation.own[j] or least <= int(instance.arcs.own[arc]):
            return ""
        return f", too little for its minimum of {number(least / MILLI)}"

    def one_pool(self, situation: Situation, j: int, blocked: Mapping[int, tuple[Barrier, ...]]) -> Reason:
        """It is in as many pools as it may be."""
        instance = self._instance
        used = [a for a in instance.projects.arcs[j] if situation.x[a]]
        name = instance.pools.names[int(instance.arcs.pool[used[0]])]
        elsewhere = [a for a, found in blocked.items() if {each.family for each in found} == {"one_pool"}]
        if elsewhere:
            room = instance.pools.names[int(instance.arcs.pool[elsewhere[0]])]
            told = (
                f"must stay in {listed([instance.pools.names[int(instance.arcs.pool[a])] for a in used])}: "
            )
            told += f"{room} has room, but it may not spread to it"
        else:
            told = f"must stay in one pool, and {name} is full"
        return Reason(cause=Cause.ONE_POOL, text=told, subject=name)

    def pools_full(self, full: Sequence[int], *, all_of_them: bool) -> Reason:
        """There is no room in the pools of these arcs."""
        names = sorted({self._instance.pools.names[int(self._instance.arcs.pool[a])] for a in full})
        told = (
            "its pools are full"
            if all_of_them
            else f"{listed(names)} {'is' if len(names) == 1 else 'are'} full"
        )
        return Reason(cause=Cause.POOLS_FULL, text=told, subject=names[0] if len(names) == 1 else None)

    def moves(self, situation: Situation, rivals: Sequence[int], *, spent: bool) -> Reason:
        """Projects that would come after it may not be moved, or only at too high a cost."""
        names = self._names(rivals)
        lose = f"{listed(names)} would lose less than it gains"
        if not spent:
            told = f"{lose}, but not by the cost of a move"
        elif situation.moves_left:
            told = f"{lose}, but only {situation.moves_left:,} moves are left"
        else:
            told = f"{lose}, but all {self._instance.max_moves:,} moves are spent"
        return self._reason(Cause.MOVES, told, owner=self.owner_of(self.root), projects=names)

    def guarantee(self, rivals: Sequence[int], promised: int) -> Reason:
        """Projects whose GPUs keep guarantees, that of the team `promised` first of all."""
        name, names = self._instance.teams.names[promised], self._names(rivals)
        told = f"what it lacks keeps the guarantee of {name}: it is with {listed(names)}"
        return self._reason(Cause.GUARANTEE, told, subject=name, owner=self.owner_above(name), projects=names)

    def pinned(self, rivals: Sequence[int]) -> Reason:
        """Projects that would come after it are pinned."""
        names = self._names(rivals)
        team = self._instance.teams.names[self._instance.projects.team[rivals[0]]]
        told = (
            f"{listed(names)} would lose less than it gains, but {'is' if len(names) == 1 else 'are'} pinned"
        )
        return self._reason(Cause.PINNED, told, owner=self.owner_of(team), projects=names)

    def outranked(self, situation: Situation, j: int, rivals: Sequence[int], *, higher_tier: bool) -> Reason:
        """Projects come before it; whether one of all those that do is of a tier that is decided first."""
        instance, names = self._instance, self._names(rivals)
        shared = next(n for n in situation.chain(j) if n in situation.chain(rivals[0]))
        by = "tier or priority" if higher_tier else "priority"
        come = "comes" if len(names) == 1 else "come"
        told = f"what it lacks is with {listed(names)}, which {come} before it by {by}"
        owner = self.owner_of(instance.teams.names[shared])
        return self._reason(Cause.OUTRANKED, told, owner=owner, projects=names)

    def _names(self, projects: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._instance.projects.names[j] for j in projects)

    def _reason(
        self,
        cause: Cause,
        told: str,
        *,
        subject: str | None = None,
        owner: str | None = None,
        projects: tuple[str, ...] = (),
    ) -> Reason:
        basis = Basis.POLICY if cause in POLICIES else Basis.FACT
        return Reason(cause=cause, text=told, subject=subject, basis=basis, owner=owner, projects=projects)


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
