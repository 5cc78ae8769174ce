"""How CBC is led to a good plan: goal by goal, from a plan that is already there.

CBC alone finds no plan on large programs, though its bound is good early. So the two are parted: CBC
solves the whole program for the *bound*, on a core of its own, while the *plan* is improved by
solving small parts of the program exactly, everything else fixed (large neighbourhood search; Shaw
1998). What CBC finds on the whole program is a candidate like any other. The plan only ever improves.
"""

from __future__ import annotations

import time

from gpu_opt.allocation.formulation import formulate
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.incumbent import first_incumbent
from gpu_opt.allocation.stage import Proof, Stage
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Options

TIME_SHARES = {"repair": 1, "guarantee": 2, "value": 6, "moves": 1}
"""How the time that is left is shared between the goals still to come."""


def search(
    instance: Instance, goals: tuple[GoalSpec, ...], options: Options, begun: float
) -> tuple[Ints, tuple[Proof, ...]]:
    """Return the best plan found within the time limit, with a proof for every goal.

    `begun` is when the whole solve began (``time.monotonic``); the limit counts from there.
    """
    deadline = begun + options.time_limit
    incumbent = first_incumbent(instance, goals)
    whole, relaxation = formulate(instance), formulate(instance)
    proofs = []
    for position in range(len(goals)):
        shares = [TIME_SHARES[each.kind] for each in goals[position:]]
        now = time.monotonic()
        until = now + max(0.0, deadline - now) * shares[0] / sum(shares)
        stage = Stage(incumbent, position, whole, relaxation, options, begun, until)
        proofs.append(stage.run())
    return incumbent.x, tuple(proofs)
