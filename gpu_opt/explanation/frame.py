"""The best plan within a frame: some projects decide again, in whole units; all others keep what they have.

Two programs that differ by one unit are told apart by their proved optima only. On a large organization those
take minutes; in a frame of the projects nearest to what differs, fractions of a second.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gpu_opt.allocation.appraisal import appraise, is_feasible, is_reached
from gpu_opt.allocation.barriers import Situation
from gpu_opt.allocation.formulation import Formulation, aim, formulate, hold
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.rivals import Contest, gains
from gpu_opt.allocation.start import read_grants, set_start
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.explanation.resources import Counted
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Options
from gpu_opt.plan import Resource
from gpu_opt.solver import Effort, solve

LARGEST = 8
"""Projects in a frame; half of them lack something, half have what they lack."""


@dataclass(frozen=True, slots=True)
class Framed:
    """The best plan within a frame."""

    x: Ints
    values: dict[str, float]
    """By goal."""
    is_proved: bool


def choose_frame(situation: Situation, contest: Contest, resource: Counted) -> frozenset[str]:
    """The projects that one more unit of a resource concerns first; all, where they are few.

    First those that lack something and that the resource counts, by tier and by what a unit is worth to
    them; then those whose units they could have, the last by tier and worth first.
    """
    instance = situation.instance
    names = instance.projects.names
    if len(names) <= LARGEST:
        return frozenset(names)
    own, demand = situation.own, instance.projects.demand
    arcs = [
        a
        for a, j in enumerate(instance.arcs.project.tolist())
        if own[j] < demand[j] and _counts(situation, resource, a)
    ]
    lacking: dict[int, tuple[int, float]] = {}
    for a, gained in zip(arcs, gains(situation, arcs, [1] * len(arcs)).tolist(), strict=True):
        j = int(instance.arcs.project[a])
        rank = (instance.projects.tier[j], -gained)
        lacking[j] = min(rank, lacking.get(j, rank))
    chosen = sorted(lacking, key=lambda j: (lacking[j], j))[: LARGEST // 2]
    pools = {
        int(instance.arcs.pool[a])
        for j in chosen
        for a in instance.projects.arcs[j]
        if _counts(situation, resource, a)
    }
    rivals = sorted(
        (rival for p in sorted(pools) for rival in contest.in_pool(p)), key=lambda one: (-one.tier, one.worth)
    )
    for rival in rivals:
        if len(chosen) == LARGEST:
            break
        if rival.project not in chosen:
            chosen.append(rival.project)
    return frozenset(names[j] for j in chosen)


def _counts(situation: Situation, resource: Counted, arc: int) -> bool:
    instance = situation.instance
    index = int(resource.row.rpartition("_")[2]) if resource.rule is not Resource.MOVE_BUDGET else 0
    match resource.rule:
        case Resource.POOL_CAPACITY:
            return int(instance.arcs.pool[arc]) == index
        case Resource.TYPE_LIMIT:
            return arc in instance.limits[index].arcs
        case Resource.MOVE_BUDGET:
            return True
        case _:
            return index in situation.chain(int(instance.arcs.project[arc]))


def best_in_frame(
    instance: Instance,
    x: Ints,
    frame: Collection[str],
    options: Options,
    seconds: float,
    *,
    leave_out: Collection[str] = (),
    effort: Effort = Effort.FULL,
) -> Framed:
    """Optimize every goal over the projects in the frame, starting from the plan `x`.

    The plan must keep every constraint. Goals of the kinds `leave_out` are not looked at. With
    :attr:`Effort.HASTY` it is found sooner, and proved later. Raises SolverFailure if CBC cannot be run.
    """
    chosen = [j for j, name in enumerate(instance.projects.names) if name in frame]
    part, kept = part_of(instance, x, chosen)
    goals = [goal for goal in list_goals(part) if goal.kind not in leave_out]
    formulation = formulate(part)
    proved, found = True, x.copy()
    for position, goal in enumerate(goals):
        share = seconds / min(2, len(goals) - position)
        found[kept], is_best, spent = _improve(
            part, formulation, goals, position, found[kept], options, share, effort
        )
        proved, seconds = proved and is_best, seconds - spent
        hold(formulation, part, goal, appraise(part, tuple(goals[: position + 1]), found[kept])[-1])
    told = [goal for goal in list_goals(instance) if goal.kind not in leave_out]
    values = appraise(instance, tuple(told), found)
    return Framed(found, dict(zip([goal.name for goal in told], values, strict=True)), proved)


def part_of(instance: Instance, x: Ints, chosen: Sequence[int]) -> tuple[Instance, Ints]:
    """The part of the chosen projects, without the arcs on which they could not have anything anyway."""
    others = ~np.isin(instance.arcs.project, chosen)
    left = np.array(instance.pools.units, dtype=np.int64)
    np.subtract.at(left, instance.arcs.pool[others], x[others])
    within_reach = (left[instance.arcs.pool] > 0) | (x > 0) | (instance.arcs.wanted > 0)
    return restrict(instance, x, chosen, within_reach)


def _improve(
    instance: Instance,
    formulation: Formulation,
    goals: Sequence[GoalSpec],
    position: int,
    x: Ints,
    options: Options,
    seconds: float,
    effort: Effort,
) -> tuple[Ints, bool, float]:
    """The best plan on one goal, whether that is proved, and the seconds that it took."""
    goal = goals[position]
    before = appraise(instance, tuple(goals), x)
    if goal.sense == "minimize" and before[position] == 0:
        return x, True, 0.0
    aim(formulation, goal, instance)
    set_start(instance, formulation.variables, x)
    one_thread = replace(options, threads=1)
    answer = solve(formulation.problem, one_thread, seconds=seconds, start=True, effort=effort)
    found = read_grants(formulation.variables) if answer.has_solution else x
    if not is_feasible(instance, found):
        return x, False, answer.seconds
    after = appraise(instance, tuple(goals), found)
    sign = 1.0 if goal.sense == "maximize" else -1.0
    if sign * (after[position] - before[position]) < 0:
        found, after = x, before
    reached = answer.bound is not None and is_reached(goal, answer.bound, after[position])
    return found, answer.status is SolverStatus.OPTIMAL or reached, answer.seconds
