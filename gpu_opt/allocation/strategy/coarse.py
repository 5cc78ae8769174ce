"""Some hundred projects decide together: lumps first, at units that need not be whole; then the units.

With whole units CBC decides for two dozen projects at once. It is they that make it slow: where units may be
halves, and only pools and minimums are to be chosen, it solves the program of five hundred projects almost
to the optimum in a second or two, cuts and all, and sees what no two dozen see, such as what a large project
is worth for which half of a division must make room. What it leaves then are a few hundred halves, most at
a kink; given two whole numbers each, down or up, they are settled in as much time again (as in
:mod:`.between`).

Rounded so, a promise may be short of a unit: promises can be missed at a price meanwhile, and are mended by
a few projects around the teams that are short.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.appraisal import appraise, held_with
from gpu_opt.allocation.constraints import every_variable_once, expression
from gpu_opt.allocation.goals import GoalSpec, a_little_of_later_tiers
from gpu_opt.allocation.neighbourhoods import choose_projects
from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.rounding import ROUNDING, round_relaxation
from gpu_opt.allocation.start import read_relaxation, set_start
from gpu_opt.allocation.strategy.parts import Decision, Program, aim_at, ask, decide, hand_on, open_program
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.instance import Ints
from gpu_opt.options import Cancel
from gpu_opt.solver import Effort

if TYPE_CHECKING:
    from gpu_opt.allocation.constraints import Terms

LUMPS_SHARE = 0.6
"""Share of the time in which lumps are decided."""

UNITS_SHARE = 0.6
"""Share of what is left in which units are decided; the rest is for another try where they miss a promise."""

MENDING_SHARE = 0.15
"""Share of all the time that is kept for promises that units miss."""

LUMPS_GAP = 1e-4
"""Relative gap at which they are decided well enough: rounding costs ten times as much."""

DEAR, STEEP = 100.0, 3.0
"""A promise is worth this many times the most valuable compute; and so many times one of the level below."""

TOGETHER, MENDINGS = 18, 8
"""Projects that mend a promise together; how often that is tried."""


def decide_coarsely(decision: Decision, cancel: Cancel | None = None) -> Ints | None:
    """Good grants of a large part, in units per arc; None if there was no time, or nothing came of it.

    They may be worse than what the part has, and are that where the goal is none of its own; what it says of
    least units is not asked for.
    """
    program = open_program(decision, cancel)
    if program is None:
        return decision.x
    kept = MENDING_SHARE * program.left if math.isfinite(program.ends) else 0.0  # else nodes are counted
    before_mending = replace(program, ends=program.ends - kept)
    units = _decide_lumps(before_mending)
    found = None if units is None else _decide_units(before_mending, units)
    if found is None:
        return None
    found = _mend(program, found)
    if not any(goal.kind == "value" for goal in program.goals[program.position + 1 :]):
        return found
    limits = replace(decision.limits, seconds=program.left, effort=Effort.HASTY)
    again = open_program(replace(decision, limits=limits), cancel)
    return found if again is None else hand_on(again, found)


def _decide_lumps(program: Program) -> Floats | None:
    """Units per arc of a plan in which they need not be whole."""
    part, variables = program.decision.part, program.formulation.variables
    aim_at(program, program.position, program.decision.x)
    program.formulation.problem.objective = expression(every_variable_once(_counted(program)))
    if _misses_a_promise(program):
        _give_a_way_out(program)
    set_start(part, variables, program.decision.x)
    for variable in variables.x:
        variable.cat = "Continuous"
    if ask(program, LUMPS_SHARE * program.left, start=True, gap=LUMPS_GAP) is None:
        return None
    for variable in (*variables.y.values(), *variables.z.values()):
        variable.lowBound = variable.upBound = round(variable.varValue or 0.0)
    if ask(program, program.left, start=False) is None:  # the units that belong to these lumps: see Answer
        return None
    return np.maximum(0.0, read_relaxation(variables))


def _decide_units(program: Program, units: Floats) -> Ints | None:
    """Whole units next to these; where they miss a promise, or such as rounding one by one would find."""
    variables = program.formulation.variables
    _give_a_way_out(program)
    low, high = np.floor(units + ROUNDING).astype(np.int64), np.ceil(units - ROUNDING).astype(np.int64)
    _allow(program, low, high)
    found = ask(program, UNITS_SHARE * program.left, start=False)
    if found is not None and not _missed(program, found):
        return found
    rounded = round_relaxation(program.decision.part, units)
    for variable in (*variables.y.values(), *variables.z.values()):
        variable.lowBound, variable.upBound = 0, 1
    _allow(program, np.minimum(low, rounded), np.maximum(high, rounded))
    set_start(program.decision.part, variables, rounded if found is None else found)
    again = ask(program, UNITS_SHARE * program.left, start=True)
    return found if again is None else again


def _misses_a_promise(program: Program) -> bool:
    """Whether the part has less than was promised: then more is sought, together with the goal."""
    goals, decision = program.goals, program.decision
    has = appraise(decision.part, goals, decision.x)
    return any(goals[k].kind == "guarantee" and has[k] > 0 for k in range(program.position))


def _counted(program: Program) -> Terms:
    """The goal's terms; later tiers count a little."""
    goals = program.goals

    def terms_of(goal: GoalSpec) -> Terms:
        return goal.terms(program.decision.part, program.formulation.variables)

    goal = goals[program.position]
    return [*terms_of(goal), *a_little_of_later_tiers(goal, goals, terms_of)]


def _give_a_way_out(program: Program) -> None:
    """Let promises be missed at a price: in whole units they may not all be had."""
    part, problem, goals = program.decision.part, program.formulation.problem, program.goals
    terms = list(_counted(program))
    sign = 1.0 if goals[program.position].sense == "maximize" else -1.0
    dear = sign * DEAR * max((abs(each) for _, each in terms), default=1.0)
    most = float(sum(part.teams.target))
    levels = [each for each in goals[: program.position] if each.kind == "guarantee"]
    for rank, each in enumerate(reversed(levels)):
        shortfalls = each.terms(part, program.formulation.variables)
        for short, count in shortfalls:
            short.upBound = most
            terms.append((short, -dear * STEEP**rank * count))
        row = problem.get_constraint_by_name(f"earlier_goals_{each.name}")
        if row is not None:
            row.changeRHS(most)
    problem.objective = expression(every_variable_once(terms))


def _allow(program: Program, low: Ints, high: Ints) -> None:
    """Let CBC choose whole units in a range, arc by arc."""
    most = np.minimum(high, program.decision.part.arcs.upper)
    variables = program.formulation.variables.x
    for variable, least, units in zip(variables, low.tolist(), most.tolist(), strict=True):
        variable.cat, variable.lowBound, variable.upBound = "Integer", least, units


def _missed(program: Program, x: Ints) -> list[int]:
    """The promises that were kept better before, as positions of goals."""
    goals, decision = program.goals, program.decision
    has, had = (appraise(decision.part, goals, each) for each in (x, decision.x))
    promises = (k for k in range(program.position) if goals[k].kind == "guarantee")
    return [k for k in promises if has[k] - had[k] > held_with(had[k], goals[k].step)]


def _mend(program: Program, x: Ints) -> Ints:
    """The grants with promises kept again, by some projects around the teams that are short."""
    part, goals, limits = program.decision.part, program.goals, program.decision.limits
    for number in range(0, 2 * MENDINGS, 2):  # even numbers ask for projects around teams that are short
        missed = _missed(program, x)
        if not missed or program.left <= 0 or (program.cancel is not None and program.cancel.is_set()):
            break
        goal = goals[missed[0]]
        few, arcs = restrict(part, x, choose_projects(part, x, None, goal, TOGETHER, (limits.seed, number)))
        again = replace(limits, seconds=program.left, effort=Effort.HASTY)
        answer = decide(Decision(few, x[arcs], goal.name, again), program.cancel)
        if answer is not None:
            x = x.copy()
            x[arcs] = answer
    return x
