"""How CBC is led to a good plan: goal by goal, from a plan that is already there.

CBC alone finds no plan on large programs. So it is given what it is good at: the relaxation, and programs
of a few dozen projects. :mod:`gpu_opt.allocation.strategy` has the steps, ``models/strategy.md`` the
mathematics. The plan only ever improves, and every bound is one of the whole program.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from gpu_opt.allocation.appraisal import trivial_bound
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.incumbent import Incumbent, first_incumbent
from gpu_opt.allocation.proof import Proof, moved_bound
from gpu_opt.allocation.relaxing import ask_relaxation
from gpu_opt.allocation.settling import settle
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.strategy.crew import Crew
from gpu_opt.allocation.strategy.prices import Aim
from gpu_opt.allocation.strategy.pricing import Market, open_market
from gpu_opt.allocation.strategy.sifting import Guide
from gpu_opt.allocation.strategy.table import tabulate
from gpu_opt.clock import Clock
from gpu_opt.instance import Instance, Ints
from gpu_opt.plan import Stop

TIME_SHARES = {"repair": 1.0, "guarantee": 4.0, "value": 9.0, "moves": 0.5}
"""How what is left of the limit is shared between the goals still to come."""

TINY = 300
"""Arcs up to which CBC has proved everything before a relaxation is built."""

OPENING = 0.8
"""Share of the time for the goals that the first relaxation, its dive and its rounding may take."""

ROUNDS = 3
"""How often goals that ended for want of time are taken up again, where later ones left some of theirs."""

WORTHWHILE = 0.1
"""Share of the limit that must be left for that."""

SETTLING = 0.25
"""Share of the limit that is kept for coming near to a plan to stay near to."""


def search(
    instance: Instance, goals: tuple[GoalSpec, ...], clock: Clock, start: Ints | None = None
) -> tuple[Ints, tuple[Proof, ...]]:
    """Return the best plan found within the limit, no worse than `start`, with a proof for every goal."""
    incumbent = first_incumbent(instance, goals, start)
    market = open_market(tabulate(instance))
    is_near = bool(goals) and goals[-1].kind == "changes"
    count = len(goals) - is_near
    end = clock.limit * (1 - SETTLING * is_near)
    guide = _open(incumbent, market, clock, end)
    proofs: list[Proof] = []
    for _ in range(ROUNDS):
        open_from = next((k for k, proof in enumerate(proofs) if proof.stop is Stop.TIME), len(proofs))
        if open_from == count or (proofs and end - clock.meter < WORTHWHILE * clock.limit):
            break
        before: list[Proof | None] = [*proofs[open_from:]] or [None] * (count - open_from)
        del proofs[open_from:]
        for position, known in zip(range(open_from, count), before, strict=True):
            shares = _shares(goals[position:count])
            until = clock.meter + max(0.0, end - clock.meter) * shares[0] / sum(shares)
            stage = Stage(incumbent, position, market, clock, until, guide)
            proofs.append(stage.run() if known is None else _go_on(stage, known))
        proofs = [standing(incumbent, position, proof) for position, proof in enumerate(proofs)]
    if is_near:
        proofs = settle(incumbent, proofs, market, clock)
    return incumbent.x, tuple(proofs)


def _shares(goals: Sequence[GoalSpec]) -> list[float]:
    """Shares of time: every tier half as much as the one before it, on whose value its bound hangs."""
    rank = itertools.count()
    return [TIME_SHARES[each.kind] / (2.0 ** next(rank) if each.kind == "value" else 1.0) for each in goals]


def _go_on(stage: Stage, known: Proof) -> Proof:
    """Run a stage again, from what was proved of its goal before."""
    stage.tighten(standing(stage.incumbent, stage.position, known).bound)
    proof = stage.run()
    by_prices = proof.by_prices or known.by_prices
    return replace(proof, seconds=known.seconds + proof.seconds, by_prices=by_prices)


def standing(incumbent: Incumbent, position: int, proof: Proof) -> Proof:
    """The proof of the goal, or what is left of it.

    A bound holds for plans that are as good as the incumbent was on the goals before. A plan that gave up
    some of an earlier goal, for one that is earlier still, may be better on this one than it says; only
    what follows from prices is known wherever the goals before are.
    """
    if proof.rests_on == incumbent.setbacks_before(position):
        return proof
    bound = moved_bound(incumbent, position, proof)
    return replace(proof, bound=bound, stop=Stop.INTERRUPTED if proof.stop is Stop.INTERRUPTED else Stop.TIME)


def _open(incumbent: Incumbent, market: Market, clock: Clock, end: float) -> Guide | None:
    """Aim for the first tier at once, as if all goals before it could be reached in full.

    They mostly can, and then the plan that the relaxation rounds to is good for all of them.
    """
    goals = incumbent.goals
    position = next((i for i, goal in enumerate(goals) if goal.kind == "value"), None)
    if position is None or len(incumbent.x) <= TINY or clock.is_over:
        return None
    stage = Stage(incumbent, position, market, clock, clock.meter + OPENING * (end - clock.meter))
    stage.report()
    hoped = tuple(trivial_bound(incumbent.instance, goal) for goal in goals[:position])
    aim = Aim(goals[position], goals[:position], hoped)
    with Crew(clock.options) as crew:
        return ask_relaxation(stage, crew, aim)
