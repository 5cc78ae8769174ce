"""Whether every best plan within a frame grants a wish: a race of those that do and those that do not.

To optimize every goal to proof takes CBC long, and is not needed. It is enough that one plan of the one kind
is better than all of the other kind. What it reaches is a row that the other kind has to reach too: mostly
that has no solution, which CBC says at once.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from gpu_opt.allocation.appraisal import appraise, is_better, is_feasible, nearness, trivial_bound
from gpu_opt.allocation.constraints import expression
from gpu_opt.allocation.formulation import Formulation, aim, formulate
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.start import read_grants
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.explanation.frame import part_of
from gpu_opt.explanation.wish import Wish
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.options import Options
from gpu_opt.solver import Answer, Effort, solve

if TYPE_CHECKING:
    from gpu_opt.allocation.constraints import Row

HASTY_GAP = 1e-3
"""How near to the best a plan is that may take the lead; another one that is better may then take it back."""

LATER = frozenset({"moves", "changes"})
"""Kinds of goals that choose among best plans; what is decided holds for all of these."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for all best plans, by what is broken, what is promised, and value."""

    x: Ints
    """One that grants the wish and beats all that do not; or that does not, and none that does is better."""
    is_granted: bool
    """Whether every best plan grants the wish, whichever is chosen."""


class Standing(Enum):
    """How plans of one kind stand beside the plan of the other kind that leads."""

    BETTER = auto()
    """One takes the lead."""
    WORSE = auto()
    """None is as good, or as good as it would have to be to take the lead."""
    EQUAL = auto()
    """None is better on the goals so far."""
    OPEN = auto()
    """Nothing is proved in the time."""


@dataclass(frozen=True, slots=True)
class Race:
    """The plans of both kinds: of some projects, beside what all others keep."""

    instance: Instance
    x: Ints
    part: Instance
    kept: Ints
    """The arcs of the part."""
    goals: tuple[GoalSpec, ...]
    wish: Wish
    options: Options
    ends: float
    """On the monotonic clock."""

    def whole(self, units: Ints) -> Ints:
        """The plan of everybody, with the part's units."""
        x = self.x.copy()
        x[self.kept] = units
        return x

    def grants(self, units: Ints) -> bool:
        """Whether a plan of the part grants the wish."""
        return self.wish.is_granted(self.instance, self.whole(units))

    def solve(self, formulation: Formulation, *, hasty: bool) -> Answer:
        """Let CBC optimize, to within :data:`HASTY_GAP` at first, in a part of the time that is left."""
        one_thread, left = replace(self.options, threads=1), self.ends - time.monotonic()
        if hasty:
            return solve(
                formulation.problem, one_thread, seconds=left / 4, gap=HASTY_GAP, effort=Effort.HASTY
            )
        return solve(formulation.problem, one_thread, seconds=left / 2)


def decide(
    instance: Instance, x: Ints, frame: Collection[str], wish: Wish, options: Options, seconds: float
) -> Verdict | None:
    """Whether every best plan grants the wish, the projects outside the frame keeping what they have in `x`.

    None: not proved in the time. The plan must keep every constraint. Raises SolverFailure if CBC cannot be
    run.
    """
    chosen = [j for j, name in enumerate(instance.projects.names) if name in frame]
    part, kept = part_of(instance, x, chosen)
    goals = tuple(goal for goal in list_goals(part) if goal.kind not in LATER)
    race = Race(instance, x, part, kept, goals, wish, options, time.monotonic() + seconds)
    leader: Ints = x[kept]
    while time.monotonic() < race.ends and not options.cancel.is_set():
        standing, found = _challenge(race, leader)
        if standing is Standing.WORSE:
            return Verdict(race.whole(leader), race.grants(leader))
        if standing is Standing.OPEN:
            return None
        leader = found
    return None


def _challenge(race: Race, leader: Ints) -> tuple[Standing, Ints]:
    """How the plans of the other kind stand beside the one that leads, and which of them takes the lead.

    One that does not grant the wish takes it also where it is only as good.
    """
    part, goals, is_granted = race.part, race.goals, race.grants(leader)
    values, found = appraise(part, goals, leader), leader
    formulation = formulate(part)
    if not _keep_to(race, formulation, grants=not is_granted):
        return Standing.WORSE, leader
    for goal, value in zip(goals, values, strict=True):
        _reach(formulation, part, goal, value)
        if goal is not goals[-1] and _beyond(goal, trivial_bound(part, goal), value) <= nearness(goal, value):
            continue  # nothing is better on it
        standing, found = _compare(race, formulation, goal, leader)
        if standing is not Standing.EQUAL:
            return standing, found
    if not is_granted:
        return Standing.WORSE, leader
    is_equal = not is_better(goals, values, appraise(part, goals, found)) and not race.grants(found)
    return (Standing.BETTER if is_equal else Standing.OPEN), found


def _compare(race: Race, formulation: Formulation, goal: GoalSpec, leader: Ints) -> tuple[Standing, Ints]:
    """How the formulation's plans stand on a goal and on those before, and the best one that was found."""
    part, goals, found = race.part, race.goals, leader
    values = appraise(part, goals, leader)
    value = values[goals.index(goal)]
    aim(formulation, goal, part)
    for hasty in (True, False):
        answer = race.solve(formulation, hasty=hasty)
        if answer.status is SolverStatus.INFEASIBLE:
            return Standing.WORSE, found
        if answer.has_solution and is_feasible(part, read_grants(formulation.variables)):
            found = read_grants(formulation.variables)
            if is_better(goals, appraise(part, goals, found), values):
                return Standing.BETTER, found
        if answer.bound is not None and _beyond(goal, answer.bound, value) <= nearness(goal, value):
            return Standing.EQUAL, found
    return Standing.OPEN, found


def _beyond(goal: GoalSpec, bound: float, value: float) -> float:
    """By how much a bound is better than a value."""
    return bound - value if goal.sense == "maximize" else value - bound


def _reach(formulation: Formulation, part: Instance, goal: GoalSpec, value: float) -> None:
    """Let plans only in that are as good on the goal as the one that leads.

    The row is wider by what proves a value, so what it excludes is worse for certain.
    """
    near, terms = nearness(goal, value), goal.terms(part, formulation.variables)
    if goal.sense == "minimize" and value == 0:
        for variable, _ in terms:
            variable.upBound = 0.0
        return
    row = expression(terms)
    row = row >= value - near if goal.sense == "maximize" else row <= value + near
    formulation.problem.addConstraint(row, f"leader_{goal.name}")


def _keep_to(race: Race, formulation: Formulation, *, grants: bool) -> bool:
    """Let only plans in that grant the wish, or only those that do not; False: all are of the other kind."""
    counted = race.wish.counted(race.instance)
    own, problem = counted[race.kept], formulation.problem
    arcs = own.nonzero()[0].tolist()
    if not arcs:
        return False
    if race.wish.team is None:
        (project,) = race.wish.projects
        demand = race.instance.projects.demand[project]
        write = _granted if grants else _not_granted
        for name, row in write(formulation, {a: int(own[a]) for a in arcs}, demand):
            problem.addConstraint(row, name)
        return True
    least = race.wish.least - int(counted @ race.x) + int(own @ race.x[race.kept])
    total = expression([(formulation.variables.x[a], int(own[a]) / MILLI) for a in arcs])
    problem.addConstraint(total >= least / MILLI if grants else total <= (least - 1) / MILLI, "wish")
    return True


def _granted(formulation: Formulation, own: Mapping[int, int], demand: int) -> Iterator[Row]:
    """It lacks less than a unit that it has: Σ_p s_jp u_p x_jp + s_jq u_q > d_j for a q with x_jq ≥ 1."""
    x = formulation.variables.x
    picks = {a: formulation.problem.add_variable(f"pick_{a}", cat="Binary") for a in own}
    yield "wish_one", expression([(pick, 1) for pick in picks.values()]) == 1
    for a, pick in picks.items():
        yield f"wish_{a}", expression([(x[a], 1), (pick, -1)]) >= 0
    terms = [(variable, own[a] / MILLI) for of in (x, picks) for a, variable in ((a, of[a]) for a in own)]
    yield "wish", expression(terms) >= (demand + 1) / MILLI


def _not_granted(formulation: Formulation, own: Mapping[int, int], demand: int) -> Iterator[Row]:
    """It lacks a unit of every pool that it has: Σ_p s_jp u_p x_jp + s_jq u_q used_q ≤ d_j."""
    x = formulation.variables.x
    terms = [(x[a], unit / MILLI) for a, unit in own.items()]
    most = max(0, demand - min(own.values()))
    yield "wish", expression(terms) <= most / MILLI
    for a, unit in own.items():
        if unit > min(own.values()):
            used = formulation.problem.add_variable(f"used_{a}", cat="Binary")
            yield f"wish_used_{a}", expression([(x[a], 1), (used, -float(x[a].upBound))]) <= 0
            yield f"wish_{a}", expression([*terms, (used, unit / MILLI)]) <= demand / MILLI
