"""The program with side conditions: the network's flow, and rows for what it breaks.

:data:`FAMILIES` is its table of contents; each function is named like its section in
``models/reallocation.md``, and so are the rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gpu_opt.instance import Ints
from gpu_opt.reallocation.conditions import Conditions
from gpu_opt.reallocation.flow import UNLIMITED
from gpu_opt.reallocation.goals import Floats
from gpu_opt.reallocation.instance import Instance
from gpu_opt.reallocation.network import SOURCE, Kind, TimeNetwork

if TYPE_CHECKING:
    from pulp import LpAffineExpression, LpProblem, LpVariable

    Row = tuple[str, LpAffineExpression]


@dataclass(frozen=True, slots=True)
class Held:
    """An earlier goal, held at the value reached."""

    cost: Floats
    """Shape (arcs,)."""
    most: float
    """The value, and the slack that it is held with."""


@dataclass(frozen=True, slots=True)
class Program:
    """A PuLP problem without an objective, its variables, and what its rows are made of."""

    problem: LpProblem
    instance: Instance
    network: TimeNetwork
    conditions: Conditions
    flow: tuple[LpVariable, ...]
    """Units on every arc; integer where :func:`decided` says so."""
    whole: dict[int, LpVariable]
    """1: the request gets all, 0: nothing; for the requests whose partial service was seen."""
    held: tuple[Held, ...]


def build_program(
    instance: Instance, network: TimeNetwork, conditions: Conditions, held: tuple[Held, ...]
) -> Program:
    """Build variables and rows."""
    from pulp import LpProblem

    problem = LpProblem("reallocation")
    whole_arcs = decided(network, conditions)
    most = (network.network.capacity // network.unit).tolist()
    flow = tuple(
        problem.add_variable(
            f"flow_{arc}",
            0,
            None if capacity == UNLIMITED else units,
            cat="Integer" if whole_arcs[arc] else "Continuous",
        )
        for arc, (capacity, units) in enumerate(zip(network.network.capacity.tolist(), most, strict=True))
    )
    whole = {r: problem.add_variable(f"whole_{r}", 0, 1, cat="Integer") for r in sorted(conditions.whole)}
    program = Program(problem, instance, network, conditions, flow, whole, held)
    for family in FAMILIES:
        for name, row in family(program):
            problem.addConstraint(row, name)
    return program


def decided(network: TimeNetwork, conditions: Conditions) -> npt.NDArray[np.bool]:
    """Arcs, shape (arcs,), that must be integer in the program: all that keeps it from being a network.

    They are the handovers that rooms count, what stays unmet, and what requests that accept several units
    are handed. Once these are whole, the others are the flow of a network with whole supplies, which has
    whole flows that are as good.
    """
    counted = [arc for arc, group in network.groups.items() if group.rooms]
    mixed = (network.kind == Kind.REQUEST) & np.isin(network.index, sorted(conditions.units))
    integer: npt.NDArray[np.bool] = np.isin(network.kind, [Kind.UNMET, Kind.OVER]) | mixed
    integer[counted] = True
    return integer


def expression(program: Program, coefficients: Ints | Floats) -> LpAffineExpression:
    """Σ coefficient · GPUs over the arcs, shape (arcs,)."""
    from pulp import LpAffineExpression

    used = np.flatnonzero(coefficients)
    by_unit = (coefficients[used] * program.network.unit[used]).tolist()
    pairs = [(program.flow[arc], float(each)) for arc, each in zip(used.tolist(), by_unit, strict=True)]
    return LpAffineExpression.from_list(pairs)


def supply(program: Program) -> Iterator[Row]:
    """What is freed is handed over, waits or stays: at every place and day, Σ flow out − Σ flow in = 0.

    The GPUs of a class bound its arc from the source.
    """
    yield from _balances(program, "supply", range(SOURCE + 1, program.network.first_request))


def request(program: Program) -> Iterator[Row]:
    """What a request gets, or does not get, is what it asks for: Σ flow in + unmet_r − over_r = q_r."""
    first = program.network.first_request
    yield from _balances(program, "request", range(first, first + len(program.instance.requests)))


def all_or_nothing(program: Program) -> Iterator[Row]:
    """A request gets all that it asks for or nothing: unmet_r + q_r · whole_r = q_r.

    What is over comes with all: over_r ≤ (coarsest unit − step) · whole_r.
    """
    from pulp import LpAffineExpression

    instance = program.instance
    unmet, over = _by_request(program, Kind.UNMET), _by_request(program, Kind.OVER)
    for r, whole in program.whole.items():
        step = instance.step[r]
        asked, most = instance.asked[r] // step, (instance.coarsest[r] - step) // step
        yield f"all_or_nothing_{r}", LpAffineExpression.from_list([(unmet[r], 1), (whole, asked)]) == asked
        if r in over:
            row = LpAffineExpression.from_list([(over[r], 1), (whole, -most)])
            yield f"all_or_nothing_over_{r}", row <= 0


def team_cap_over_time(program: Program) -> Iterator[Row]:
    """What is handed over under a team by a day fits its room: Σ_{t' ≤ t} σ flow ≤ room, in milli-compute."""
    yield from _rooms(program, "team_cap_over_time", of_type=False)


def type_limit_over_time(program: Program) -> Iterator[Row]:
    """The GPUs of a type handed over under a team by a day fit its room: Σ_{t' ≤ t} flow ≤ room."""
    yield from _rooms(program, "type_limit_over_time", of_type=True)


def earlier_goals(program: Program) -> Iterator[Row]:
    """Every earlier goal keeps the value reached: Σ π_r unmet_r ≤ value reached."""
    for k, held in enumerate(program.held):
        yield f"earlier_goals_{k}", expression(program, held.cost) <= held.most


FAMILIES: tuple[Callable[[Program], Iterator[Row]], ...] = (
    supply,
    request,
    all_or_nothing,
    team_cap_over_time,
    type_limit_over_time,
    earlier_goals,
)
"""Every family of rows."""


def room_rows(program: Program) -> Iterator[tuple[int, int, Ints, int]]:
    """Yield (room, period, coefficients by arc, amount) of every row that a room needs.

    What is handed over only adds up and a room only grows, so of every period its last day is enough.
    """
    instance, network = program.instance, program.network
    arcs = np.array(sorted(network.groups), dtype=np.int64)
    for k in sorted(program.conditions.rooms):
        counted = [arc for arc in arcs.tolist() if k in network.groups[arc].rooms]
        takes = np.zeros_like(network.kind)
        takes[counted] = [instance.takes(instance.rooms[k], int(network.pool[arc])) for arc in counted]
        for period, (last, amount) in enumerate(instance.rooms[k].periods(instance.horizon)):
            yield k, period, np.where(network.index <= last, takes, 0), amount


def _by_request(program: Program, kind: Kind) -> dict[int, LpVariable]:
    """The arcs of a kind of which every request has at most one."""
    network = program.network
    return {int(network.index[arc]): program.flow[arc] for arc in np.flatnonzero(network.kind == kind)}


def _rooms(program: Program, name: str, *, of_type: bool) -> Iterator[Row]:
    for k, period, takes, amount in room_rows(program):
        if (program.instance.rooms[k].gpu_type is not None) == of_type and takes.any():
            yield f"{name}_{k}_{period}", expression(program, takes) <= amount


def _balances(program: Program, name: str, nodes: range) -> Iterator[Row]:
    from pulp import LpAffineExpression

    terms: list[list[tuple[LpVariable, int]]] = [[] for _ in nodes]
    arcs = program.network.network
    ends = zip(arcs.tail.tolist(), arcs.head.tolist(), program.network.unit.tolist(), strict=True)
    for arc, (tail, head, unit) in enumerate(ends):
        if tail in nodes:
            terms[tail - nodes.start].append((program.flow[arc], unit))
        if head in nodes:
            terms[head - nodes.start].append((program.flow[arc], -unit))
    for i, sides in enumerate(terms):
        if sides:
            least = math.gcd(*(unit for _, unit in sides))
            row = LpAffineExpression.from_list([(flow, float(unit // least)) for flow, unit in sides])
            yield f"{name}_{i}", row == int(arcs.supply[nodes.start + i]) // least
