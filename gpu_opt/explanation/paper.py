"""Promises that add up to more than there is, on paper: before any unit, pool or date is looked at.

A plan may hide it: a guarantee that is missed by less than one allocation unit counts as met, so with few
units 105 % can all be "met". Who made the promises wants to know all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gpu_opt.budgets import Budgets
from gpu_opt.explanation.statements import Stated
from gpu_opt.instance import MILLI, Instance
from gpu_opt.organization import resolve
from gpu_opt.plan import Basis, Statement, StatementKind
from gpu_opt.validation.wording import number


@dataclass(frozen=True, slots=True)
class Excess:
    """Guarantees that add up to more than what is above them, though without any one of them they do not."""

    promises: tuple[Stated, ...]
    """In the order of the file."""
    ceiling: Statement
    """The cap above them all, or the fleet."""
    held: tuple[Stated, ...]
    """The ceiling in the program: the cap, or all pools."""
    sentence: str
    statements: tuple[Statement, ...]
    """Promises and ceiling, each with its smallest relaxation."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is written down."""

    budgets: Budgets
    instance: Instance
    guarantees: Mapping[int, Stated]
    """By team, as those that follow."""
    caps: Mapping[int, Stated]
    pools: tuple[Stated, ...]

    @property
    def root(self) -> int:
        """The team above all others."""
        return self.instance.teams.parent.index(-1)

    def promised(self, one: Stated) -> Fraction:
        """What is promised, no more than the team's projects could use."""
        return self.instance.teams.promise[one.index]


def excesses(budgets: Budgets, instance: Instance, statements: Sequence[Stated]) -> Iterator[Excess]:
    """Every excess, from the teams that are lowest in the tree up, the root last.

    After each, one of its promises is given up, so that what it explains is not told again further up.
    """

    def by_team(kind: StatementKind) -> dict[int, Stated]:
        return {one.index: one for one in statements if one.statement.kind is kind}

    pools = tuple(one for one in statements if one.statement.kind is StatementKind.POOL)
    guarantees, caps = by_team(StatementKind.GUARANTEE), by_team(StatementKind.CAP)
    paper = Paper(budgets, instance, guarantees, caps, pools)
    parent = instance.teams.parent
    needed: dict[int, list[Stated]] = {n: [] for n in range(len(parent))}
    for n in sorted(range(len(parent)), key=lambda team: -instance.teams.level[team]):
        below = needed[n]
        room = _ceiling(paper, n)
        while room is not None and sum(map(paper.promised, below)) > room:
            found = _smallest_that_exceeds(paper, below, room)
            yield _excess(paper, n, found, room)
            below.remove(found[-1])
        own = guarantees.get(n)
        is_own = own is not None and paper.promised(own) >= sum(map(paper.promised, below))
        if parent[n] >= 0:
            needed[parent[n]] += [own] if own is not None and is_own else below


def _ceiling(paper: Paper, team: int) -> Fraction | None:
    """What a team may have at most; None: as much as what is above it."""
    caps = [Fraction(cap, MILLI) for cap in [paper.instance.teams.cap[team]] if cap is not None]
    return min([*caps, paper.budgets.fleet] if team == paper.root else caps, default=None)


def _smallest_that_exceeds(paper: Paper, promises: Sequence[Stated], room: Fraction) -> list[Stated]:
    """Those without any one of which the rest would fit: the smallest are left out as long as they may."""
    kept = sorted(promises, key=lambda one: one.index)
    for one in sorted(promises, key=paper.promised):
        rest = [each for each in kept if each is not one]
        if sum(map(paper.promised, rest)) > room:
            kept = rest
    return kept


def _excess(paper: Paper, team: int, promises: Sequence[Stated], room: Fraction) -> Excess:
    total = sum(map(paper.promised, promises), Fraction(0))
    cap = paper.caps.get(team)
    is_cap = cap is not None and room < paper.budgets.fleet
    ceiling = cap.statement if cap is not None and is_cap else _fleet(paper, promises)
    told = [
        one.statement.model_copy(update={"relaxed": _down(paper.promised(one) - (total - room))})
        for one in promises
    ]
    needed = _enough(paper, None if team == paper.root and not is_cap else team, promises)
    raised = {"relaxed": None if needed is None else _up(needed), "is_base": needed is None}
    return Excess(
        promises=tuple(promises),
        ceiling=ceiling,
        held=(cap,) if cap is not None and is_cap else paper.pools,
        sentence=f"{' + '.join(one.text for one in told)} > {ceiling.text}",
        statements=(*told, ceiling.model_copy(update=raised)),
    )


def _fleet(paper: Paper, promises: Sequence[Stated]) -> Statement:
    """The fleet as a statement: 100 % where the promises are shares of it."""
    root = paper.instance.teams.names[paper.root]
    are_shares = all(_share(paper, one, None) for one in promises)
    amount = float(paper.budgets.fleet)
    return Statement(
        kind=StatementKind.FLEET,
        subject=root,
        gpu_type=None,
        text=f"{root} 100%" if are_shares else f"the fleet of {number(paper.budgets.fleet)}",
        basis=Basis.FACT,
        owner=None,
        amount=amount,
        relaxed=None,
    )


def _enough(paper: Paper, ceiling: int | None, promises: Sequence[Stated]) -> Fraction | None:
    """The ceiling c that they fit under: c = sum of amounts + c * sum of shares; None: there is none."""
    shares = [_share(paper, one, ceiling) for one in promises]
    rest = 1 - sum(shares)
    amounts = sum(paper.promised(one) for one, share in zip(promises, shares, strict=True) if not share)
    return amounts / rest if rest > 0 and amounts else None


def _share(paper: Paper, promise: Stated, ceiling: int | None) -> Fraction:
    """The promise as a share of a team's cap (None: of the fleet); 0: it does not grow with it."""
    team = paper.budgets.teams[promise.index]
    if not isinstance(team.guarantee, str) or paper.promised(promise) < paper.budgets.guarantee[team.name]:
        return Fraction(0)
    return resolve(team.guarantee, Fraction(1)) * _share_above(paper, promise.index, ceiling)


def _share_above(paper: Paper, team: int, ceiling: int | None) -> Fraction:
    """What a team's percentages are of (the nearest cap above, or the fleet), as a share of the ceiling."""
    above = paper.instance.teams.parent[team]
    if above < 0:
        return Fraction(ceiling is None)
    if above == ceiling:
        return Fraction(1)
    cap = paper.budgets.teams[above].cap
    if cap is None:
        return _share_above(paper, above, ceiling)
    return (
        resolve(cap, Fraction(1)) * _share_above(paper, above, ceiling)
        if isinstance(cap, str)
        else Fraction(0)
    )


def _down(amount: Fraction) -> float:
    return math.floor(amount * MILLI) / MILLI


def _up(amount: Fraction) -> float:
    return math.ceil(amount * MILLI) / MILLI
