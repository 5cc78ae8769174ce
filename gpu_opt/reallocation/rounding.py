"""Good plans under side conditions, from the linear relaxation.

CBC alone takes long to find any: it does not see that all but a handful of rows are a network. Here the
relaxation says how many GPUs each handover that a room counts may have; rounded to whole units that fit the
rooms, these are capacities, and the rest is a pure flow again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gpu_opt.clock import Clock
from gpu_opt.instance import Ints
from gpu_opt.reallocation.conditions import broken, repaired
from gpu_opt.reallocation.goals import Floats
from gpu_opt.reallocation.instance import Handed
from gpu_opt.reallocation.network import Kind
from gpu_opt.reallocation.program import Program, room_rows
from gpu_opt.reallocation.pure import lexicographic_flow

PASSES = 4
"""Flows tried, each without the requests that the one before served in part only."""


def rounded_plan(program: Program, clock: Clock) -> tuple[Handed, ...]:
    """A plan near the solution of the relaxation that is now in the program's variables.

    Requests that are all or nothing are served where the relaxation serves half of them and the flow all.
    """
    network = program.network
    flow = np.array([variable.value() or 0.0 for variable in program.flow])
    closed = {r for r, whole in program.whole.items() if (whole.value() or 0.0) < 0.5}
    counted = sorted(arc for arc, group in network.groups.items() if group.rooms)
    capacity = network.network.capacity.copy()
    capacity[counted] = _whole(program, flow, counted) * network.unit[counted]
    handed: tuple[Handed, ...] = ()
    for _ in range(PASSES):
        shut = (network.kind == Kind.REQUEST) & np.isin(network.index, sorted(closed))
        narrowed = replace(network.network, capacity=np.where(shut, 0, capacity))
        handed = lexicographic_flow(program.instance, replace(network, network=narrowed), clock).handed
        partly = broken(program.instance, handed).whole
        if not partly or clock.is_over:
            break
        closed |= partly
    return repaired(program.instance, handed)


def _whole(program: Program, flow: Floats, counted: Sequence[int]) -> Ints:
    """Units of handovers, rounded down, then up where the rooms let them, the largest fractions first."""
    unit = program.network.unit[counted]
    rows = [(takes[counted] * unit, amount) for _, _, takes, amount in room_rows(program)]
    takes = np.array([each for each, _ in rows], dtype=np.int64).reshape(len(rows), len(counted))
    whole = np.floor(flow[counted] + 1e-6).astype(np.int64)
    part = flow[counted] - whole
    left = np.array([amount for _, amount in rows], dtype=np.int64) - takes @ whole
    for place in np.argsort(-part, kind="stable"):
        if part[place] > 1e-6 and (takes[:, place] <= left).all():
            whole[place] += 1
            left -= takes[:, place]
    return whole
