"""The whole program of the allocation: variables, then every family of constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_opt.allocation.constraints import FAMILIES
from gpu_opt.allocation.variables import Variables, add_variables
from gpu_opt.instance import Instance

if TYPE_CHECKING:
    from pulp import LpProblem


@dataclass(frozen=True, slots=True)
class Formulation:
    """A PuLP problem without an objective, and its variables."""

    problem: LpProblem
    variables: Variables


def formulate(instance: Instance) -> Formulation:
    """Build the program of ``models/allocation.md``; the goals are set one by one while it is solved."""
    from pulp import LpProblem

    problem = LpProblem("allocation")
    variables = add_variables(problem, instance)
    for family in FAMILIES:
        for name, row in family(instance, variables):
            problem.addConstraint(row, name)
    return Formulation(problem, variables)
