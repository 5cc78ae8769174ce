"""How CBC is led to a good plan: goal by goal, from a plan that is already there.

CBC alone finds no plan on large programs, though its bound is good early. So the two are parted: CBC
solves the whole program for the *bound*, on a core of its own, while the *plan* is improved by
solving small parts of the program exactly, everything else fixed (large neighbourhood search; Shaw
1998). What CBC finds on the whole program is a candidate like any other. The plan only ever improves.
"""

from __future__ import annotations

from gpu_opt.allocation.formulation import formulate
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.settling import settle
from gpu_opt.allocation.stage import Proof, Stage
from gpu_opt.clock import Clock
from gpu_opt.instance import Instance, Ints

TIME_SHARES = {"repair": 1, "guarantee": 2, "value": 6, "moves": 1, "changes": 9}
"""How the time that is left is shared between the goals still to come."""


def search(instance: Instance, goals: tuple[GoalSpec, ...], clock: Clock) -> tuple[Ints, tuple[Proof, ...]]:
    """Return the best plan found within the clock's time, with a proof for every goal."""
    incumbent = first_incumbent(instance, goals)
    whole, relaxation = formulate(instance), formulate(instance)
    proofs: list[Proof] = []
    for position, goal in enumerate(goals):
        if goal.kind == "changes":  # the last one
            proofs = settle(incumbent, proofs, whole, relaxation, clock)
            break
        shares = [TIME_SHARES[each.kind] for each in goals[position:]]
        until = clock.seconds + max(0.0, clock.left) * shares[0] / sum(shares)
        proofs.append(Stage(incumbent, position, whole, relaxation, clock, until).run())
    return incumbent.x, tuple(proofs)
