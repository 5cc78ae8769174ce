"""Between grants and the values of all variables: CBC's first solution, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.appraisal import changed_gpus, moved_gpus, overruns, own_compute, team_compute
from gpu_opt.allocation.variables import Variables
from gpu_opt.instance import MILLI, Instance, Ints

if TYPE_CHECKING:
    from pulp import LpVariable


def set_start(instance: Instance, variables: Variables, x: Ints) -> None:
    """Give every variable its value for the grants `x`, the best one where there is a choice."""
    own, moved, total = own_compute(instance, x), moved_gpus(instance, x), team_compute(instance, x)
    pool, team, limit = overruns(instance, x)
    _assign(dict(enumerate(variables.x)), x)
    _assign(variables.y, own > 0)
    _assign(variables.z, x > 0)
    _assign(variables.moved, moved)
    if variables.changed:
        _assign(variables.changed, changed_gpus(instance, x))
    _assign(dict(enumerate(variables.total)), total / MILLI)
    _assign(variables.over_pool, pool)
    _assign(variables.over_team, team / MILLI)
    _assign(variables.over_limit, limit)
    for n, variable in variables.short.items():
        variable.varValue = max(0.0, float(instance.teams.target[n]) - float(total[n]) / MILLI)
    for j, segments in enumerate(variables.v):
        left = float(own[j]) / MILLI
        for variable in segments:
            variable.varValue = min(left, variable.upBound)
            left -= variable.varValue


def _assign(variables: Mapping[int, LpVariable], values: npt.NDArray[Any]) -> None:
    for index, variable in variables.items():
        variable.varValue = float(values[index])


def read_relaxation(variables: Variables) -> npt.NDArray[np.float64]:
    """Fractional units per arc, after the relaxation was solved."""
    return np.array([variable.varValue or 0.0 for variable in variables.x])


def read_grants(variables: Variables) -> Ints:
    """The grants in the variables' values; CBC's integers are integers to within its tolerance."""
    return np.array([round(variable.varValue or 0.0) for variable in variables.x], dtype=np.int64)
