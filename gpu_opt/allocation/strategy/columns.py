"""The columns of the relaxation: units up to the wanted holdings and beyond, and what compute is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.instance import MILLI, Instance

if TYPE_CHECKING:
    from pulp import LpProblem, LpVariable


@dataclass(frozen=True, slots=True)
class Columns:
    """All variables, by index; a mapping has only the indices for which the variable exists."""

    kept: dict[int, LpVariable]
    """Units up to the wanted holdings, by arc with some."""
    more: dict[int, LpVariable]
    """Units beyond, by arc."""
    value: list[list[tuple[LpVariable, float]]]
    """Compute in each piece of the envelope and its worth without the priority, by project."""
    total: list[LpVariable]
    """T_n, by team."""
    short: dict[int, LpVariable]
    over_pool: dict[int, LpVariable]
    over_team: dict[int, LpVariable]
    over_limit: dict[int, LpVariable]
    too_many: LpVariable
    """GPUs moved beyond the budget; 0 but in a dive."""

    def units(self, arc: int) -> list[LpVariable]:
        """The columns that add up to an arc's units."""
        return [columns[arc] for columns in (self.kept, self.more) if arc in columns]


def add_columns(problem: LpProblem, instance: Instance) -> Columns:
    """Create every column of the relaxation, with its bounds; names are prefix and index."""
    arcs, teams = instance.arcs, instance.teams
    upper, wanted = arcs.upper.tolist(), arcs.wanted.tolist()
    pinned = [instance.projects.pinned[j] for j in arcs.project.tolist()]
    add = problem.add_variable
    over_pool = ((p, over) for p, over in enumerate(instance.pools.over) if over)
    over_team = ((n, over / MILLI) for n, over in enumerate(teams.over) if over)
    over_limit = ((i, limit.over) for i, limit in enumerate(instance.limits) if limit.over)
    target = ((n, float(target)) for n, target in enumerate(teams.target) if target)
    return Columns(
        kept={a: add(f"k_{a}", w if pinned[a] else 0, w) for a, w in enumerate(wanted) if w},
        more={
            a: add(f"x_{a}", 0, most - w)
            for a, (most, w) in enumerate(zip(upper, wanted, strict=True))
            if most > w
        },
        value=[
            [(add(f"v_{j}_{k}", 0, length), worth) for k, (length, worth) in enumerate(pieces)]
            for j, pieces in enumerate(_envelopes(instance))
        ],
        total=[add(f"total_{n}", 0) for n in range(len(teams.names))],
        short={n: add(f"short_{n}", 0, most) for n, most in target},
        over_pool={p: add(f"over_pool_{p}", 0, most) for p, most in over_pool},
        over_team={n: add(f"over_team_{n}", 0, most) for n, most in over_team},
        over_limit={i: add(f"over_limit_{i}", 0, most) for i, most in over_limit},
        too_many=add("too_many", 0, 0),
    )


def _envelopes(instance: Instance) -> Iterator[list[tuple[float, float]]]:
    """(compute, value of a reference GPU) of every piece of the concave envelope, by project."""
    projects = instance.projects
    ends = np.cumsum([float(share) for share, _ in instance.segments])
    segments = [(end, float(worth)) for end, (_, worth) in zip(ends.tolist(), instance.segments, strict=True)]
    for j, own in enumerate(projects.arcs):
        demand, least = projects.demand[j] / MILLI, projects.minimum[j] / MILLI
        pieces: list[tuple[float, float]] = []
        begin = valued = 0.0
        for share, worth in segments if own else ():
            end = share * demand
            valued += worth * max(0.0, min(end, least) - begin)
            if end > max(begin, least):
                pieces.append((end - max(begin, least), worth))
            begin = end
        yield [(least, valued / least), *pieces] if own and least else pieces
