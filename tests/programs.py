"""Programs for CBC: quick ones, one that takes hours, one without an answer; and what came out."""

from __future__ import annotations

import random

import pulp

from gpu_opt.options import Options

ONE = Options(threads=1)
LONG = 120.0
"""Seconds that nothing here takes."""


def knapsacks(items: int, rows: int, seed: int = 1) -> pulp.LpProblem:
    """Fill several knapsacks at once, each to a half: 20 items take no time, 150 take hours."""
    draw = random.Random(seed)
    problem = pulp.LpProblem("knapsacks", pulp.LpMaximize)
    chosen = [problem.add_variable(f"x_{i}", 0, 1, "Integer") for i in range(items)]
    worth = [0] * items
    for row in range(rows):
        weights = [draw.randint(10, 100) for _ in chosen]
        worth = [before + weight for before, weight in zip(worth, weights, strict=True)]
        filled = pulp.LpAffineExpression.from_list(list(zip(chosen, weights, strict=True)))
        problem.addConstraint(filled <= sum(weights) // 2, f"knapsack_{row}")
    problem.setObjective(pulp.LpAffineExpression.from_list(list(zip(chosen, worth, strict=True))))
    return problem


def hard() -> pulp.LpProblem:
    return knapsacks(150, 25)


def half_pair() -> pulp.LpProblem:
    """Two binaries that add up to a half: feasible for numbers, not for whole ones."""
    problem = pulp.LpProblem("half_pair")
    pair = [problem.add_variable(f"x_{i}", 0, 1, "Integer") for i in range(2)]
    problem.addConstraint(2 * pair[0] + 2 * pair[1] == 1)
    problem.setObjective(pair[0] + pair[1])
    return problem


def values(problem: pulp.LpProblem) -> dict[str, float | None]:
    return {variable.name: variable.varValue for variable in problem.variables()}


def reached(problem: pulp.LpProblem) -> float:
    """The objective at the values of the variables."""
    assert problem.objective is not None
    return float(problem.objective.value() or 0)
