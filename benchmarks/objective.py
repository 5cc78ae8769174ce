"""The penalty form: the one objective that every peer is given and every plan is measured by.

gpu_opt's goals are lexicographic; the peers take one linear objective. So all are compared on

    maximize  Σ_t weight_t · value_tier_t  −  penalty · Σ shortfalls  −  10 penalty · repair

whose terms are the goals of ``models/allocation.md``. The last tier weighs 1, each tier before it a hundred
times the one after it. The penalty of a missing reference GPU is twice the most that a reference GPU can be
worth to anybody, rounded up. It is still one sum: a plan that accepts a small shortfall for the sake of a
large project's minimum may be better in it, and worse in the lexicographic order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gpu_opt.checker import lexicographic_value
from gpu_opt.checker.allocation import CONSTRAINTS, granted_of
from gpu_opt.checker.data import allocation_data
from gpu_opt.checker.statements import misplaced, uncountable
from gpu_opt.organization import Organization, exact
from gpu_opt.plan import Grant

TIER_STEP = 100
"""How often a tier weighs what the next one weighs."""

REPAIR = 10
"""Penalties for a reference GPU over a capacity, cap or limit."""

Weights = Mapping[str, Fraction]
"""What one unit of a goal adds to the objective, by the goal's name; negative for what is minimized."""


def goal_weights(organization: Organization) -> Weights:
    """The weight of every goal that the organization has on its first day (`as_of`)."""
    names = [name for name, _ in lexicographic_value(organization, (), organization.as_of)]
    tiers = [name for name in names if name.startswith("value_tier_")]
    tier_weight = {name: Fraction(TIER_STEP) ** (len(tiers) - 1 - t) for t, name in enumerate(tiers)}
    penalty = Fraction(math.ceil(2 * _most_valuable(organization, tier_weight)))
    others = {"repair": -REPAIR * penalty, "moves": Fraction(0)}
    return {name: tier_weight.get(name, others.get(name, -penalty)) for name in names}


def _most_valuable(organization: Organization, tier_weight: Weights) -> Fraction:
    """The most that a reference GPU, as budgets count it, can add to the weighted value of a project."""
    best = max(exact(value) for _, value in organization.policy.value)
    most = Fraction(0)
    for project in organization.projects:
        speeds = project.speeds or {}
        ratios = [exact(own) / exact(organization.gpu_types[kind].speed) for kind, own in speeds.items()]
        weight = tier_weight.get(f"value_tier_{project.tier}", Fraction(0))
        most = max(most, weight * exact(project.priority) * best * max(ratios, default=Fraction(1)))
    return most


def weighted(weights: Weights, goals: Mapping[str, Fraction] | Mapping[str, float]) -> float:
    """The penalty form's value of goals."""
    return float(sum((weight * Fraction(goals[name]) for name, weight in weights.items()), Fraction(0)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker says of grants, whoever made them."""

    objective: float
    """In the penalty form."""
    value: float
    """Of all tiers, unweighted."""
    shortfall: float
    """Reference GPUs below the targets, over all levels."""
    moves: float
    """GPUs."""
    violations: tuple[str, ...]
    """Empty: the grants are a plan."""


def judge(organization: Organization, grants: Sequence[Grant]) -> Verdict:
    """Evaluate grants with gpu_opt's independent checker, in exact arithmetic."""
    goals = dict(lexicographic_value(organization, grants, organization.as_of))
    return Verdict(
        objective=weighted(goal_weights(organization), goals),
        value=_total(goals, "value_tier_"),
        shortfall=_total(goals, "guarantee_level_"),
        moves=_total(goals, "moves"),
        violations=tuple(_violations(organization, grants)),
    )


def _total(goals: Mapping[str, Fraction], prefix: str) -> float:
    return float(sum((value for name, value in goals.items() if name.startswith(prefix)), Fraction(0)))


def _violations(organization: Organization, grants: Sequence[Grant]) -> list[str]:
    data = allocation_data(organization, organization.as_of)
    found = [
        f"grants: {grant.project}: {told}"
        for grant in grants
        if (told := misplaced(data, grant) or uncountable(data, grant))
    ]
    if len({(grant.project, grant.pool) for grant in grants}) < len(grants):
        found.append("grants: a project is granted the same pool twice")
    granted = granted_of(data, grants)
    for rule in CONSTRAINTS:
        found += [f"{broken.rule}: {broken.subject}: {broken.message}" for broken in rule(data, granted)]
    return found
