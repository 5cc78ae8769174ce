"""Whether statements can all hold, and how far one must give way: the program of the allocation, exactly.

What no statement says always holds: what a project asks for, its minimum, its single pool, where it runs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from gpu_opt.allocation.constraints import expression
from gpu_opt.allocation.formulation import Formulation, formulate
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.clock import Clock
from gpu_opt.explanation.statements import Stated, free
from gpu_opt.instance import Instance
from gpu_opt.plan import StatementKind
from gpu_opt.solver import Answer, solve

DROPPED = 1e8
"""Right-hand side of a row that is not to hold: more than any organization has."""


PRECISION = 5e-4
"""How near bound and solution are where an amount is proved: half of 0.001, the step of all compute."""


@dataclass(frozen=True, slots=True)
class Program:
    """The program, with every statement a switch."""

    instance: Instance
    formulation: Formulation
    statements: tuple[Stated, ...]
    clock: Clock

    def is_possible(self, held: Collection[Stated]) -> bool | None:
        """Whether these statements can all hold; None: not decided in the time.

        A linear program without a solution decides at once; else CBC looks for whole units.
        """
        self._hold(held)
        self.formulation.problem.sense = 1
        self.formulation.problem.objective = expression([])
        if self._solve(relax=True).status is SolverStatus.INFEASIBLE:
            return False
        answer = self._solve(relax=False)
        if answer.status is SolverStatus.INFEASIBLE:
            return False
        return True if answer.has_solution else None

    def relaxed(self, held: Sequence[Stated], one: Stated) -> float | None:
        """The nearest amount of one of the statements with which all can hold; None: not found in time."""
        self._hold([each for each in held if each is not one])
        variables, kind = self.formulation.variables, one.statement.kind
        problem = self.formulation.problem
        problem.sense = 1
        if kind is StatementKind.GUARANTEE:
            objective = expression([(variables.short[one.index], 1.0)])
        elif kind is StatementKind.PINNED:
            own = self.instance.projects.arcs[one.index]
            objective = expression([(variables.moved[a], 1.0) for a in own if a in variables.moved])
        elif kind is StatementKind.MAX_MOVES:
            objective = expression([(moved, 1.0) for moved in variables.moved.values()])
        else:
            row = problem.get_constraint_by_name(one.rows[0][0])
            assert row is not None
            objective = expression([(v, c) for v, c in row.items() if not v.name.startswith("over_")])
        problem.objective = objective
        answer = self._solve(relax=False)
        needed = answer.objective
        if needed is None or answer.bound is None or needed - answer.bound > PRECISION:
            return None
        if kind is StatementKind.GUARANTEE:
            return round(float(self.instance.teams.target[one.index]) - needed, 3)
        return (
            one.statement.amount - round(needed)
            if kind is StatementKind.PINNED
            else round(needed * one.scale, 3)
        )

    def _hold(self, held: Collection[Stated]) -> None:
        for one in self.statements:
            holds = any(one is each for each in held)
            if one.statement.kind is StatementKind.GUARANTEE:
                target = float(self.instance.teams.target[one.index])
                self.formulation.variables.short[one.index].upBound = 0.0 if holds else target
            for name, amount in one.rows:
                row = self.formulation.problem.get_constraint_by_name(name)
                assert row is not None, name
                dropped = 0.0 if one.statement.kind is StatementKind.PINNED else DROPPED
                row.changeRHS(amount if holds else dropped)

    def _solve(self, *, relax: bool) -> Answer:
        options = replace(self.clock.options, threads=1)
        return solve(self.formulation.problem, options, seconds=self.clock.left, relax=relax)


def program_of(instance: Instance, statements: tuple[Stated, ...], clock: Clock) -> Program:
    """The program in which every statement can be held or dropped."""
    formulation = formulate(instance)
    free(instance, formulation)
    return Program(instance, formulation, statements, clock)
