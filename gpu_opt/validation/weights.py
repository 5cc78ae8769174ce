"""Rules on what is weighed against each other: priorities, values and the cost of a move."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gpu_opt.errors import Problem
from gpu_opt.organization import exact
from gpu_opt.validation.facts import Facts
from gpu_opt.validation.wording import error, number

FARTHEST = 100_000
"""How many times as much one thing may be worth as another to which it is added. A sum is proved to within
1/100,000 of a unit of the most valuable, so that beyond this `optimal` would not be true of the least."""

LOST = f"more than {number(FARTHEST)} times as much, and the lesser counts for nothing"


def values_too_far_apart(facts: Facts) -> Iterator[Problem]:
    """Error: parts of a demand, or projects of one tier, of which one is next to nothing by another."""
    worths = _worths(facts)
    if not worths:
        return
    apart = max(worths) / min(worths)
    if apart > FARTHEST:
        reason = f"the largest value is {number(apart)} times the smallest, {LOST}"
        yield error("policy.value", f"{reason}; bring them nearer to each other")
        return
    projects = facts.organization.projects
    for low, high in _extremes(facts):
        times = apart * exact(projects[high].priority) / exact(projects[low].priority)
        if times > FARTHEST:
            other = f"{projects[high].name!r} of the same tier"
            reason = f"a reference GPU can be worth {number(times)} times as much to {other}, {LOST}"
            yield error(
                f"projects[{low}].priority", f"{reason}; bring the priorities nearer, or use different tiers"
            )


def move_cost_too_high(facts: Facts) -> Iterator[Problem]:
    """Error: a move so dear that what some project gets is worth next to nothing by it."""
    worths, move_cost = _worths(facts), exact(facts.organization.policy.move_cost)
    lowest = [facts.organization.projects[low] for low, _ in _extremes(facts)]
    if not worths or not lowest:
        return
    least = min(lowest, key=lambda project: project.priority)
    times = move_cost / (exact(least.priority) * min(worths))
    if times > FARTHEST:
        worth = f"what a reference GPU can be worth to {least.name!r}"
        reason = f"a move costs {number(times)} times {worth}, {LOST}"
        yield error("policy.move_cost", f"{reason}; lower it, or write max_moves: 0 so that nothing is moved")


def _worths(facts: Facts) -> list[Fraction]:
    return [exact(worth) for _, worth in facts.organization.policy.value if worth]


def _extremes(facts: Facts) -> list[tuple[int, int]]:
    """Places of the lowest and the highest priority of every tier; projects that have ended are left out."""
    organization = facts.organization
    tiers: dict[int, list[int]] = {}
    for i, project in enumerate(organization.projects):
        if project.ends is None or organization.as_of < project.ends:
            tiers.setdefault(project.tier, []).append(i)
    ranked = [sorted(places, key=lambda i: organization.projects[i].priority) for places in tiers.values()]
    return [(places[0], places[-1]) for places in ranked]
