"""The last goal, `changes`: among equally good plans, the one nearest to the plan to stay near to.

Where goals are not solved to proof, which of many good plans the search ends with is chance, and a what-if
would show chance. So two plans count as equally good here if no value, and not the moves, differ by more than
the gap that was asked for, or than the gap that the plan to stay near to leaves open itself: what is within
that was there to be had before anything changed. With a gap of 0 and from a proved plan nothing is given up.

What is proved of later goals rests on the earlier ones, so it is proved again where those have given: by the
prices that were found for them, and by the relaxation, where there is time. The latter also bounds goals for
which there was none before.
"""

from __future__ import annotations

import logging
import time
from fractions import Fraction

from gpu_opt.allocation.appraisal import appraise, contradicts, held_with, is_feasible, is_reached
from gpu_opt.allocation.formulation import WIDENINGS, Formulation, aim, formulate, hold
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.greedy import fill
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.near import fit
from gpu_opt.allocation.proof import Proof, moved_bound
from gpu_opt.allocation.relaxing import prove_by_relaxation
from gpu_opt.allocation.stage import Stage
from gpu_opt.allocation.start import read_grants, set_start
from gpu_opt.allocation.strategy.parts import proven
from gpu_opt.allocation.strategy.pricing import Market
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.clock import Clock
from gpu_opt.errors import SolverFailure
from gpu_opt.instance import Ints
from gpu_opt.options import relative_gap
from gpu_opt.plan import Stop
from gpu_opt.solver import Answer, solve

log = logging.getLogger(__name__)

RESERVE = 0.4
"""Share of the time that is kept for proving the earlier goals again, should they give anything."""

SECONDS_PER_ARC = 6e-5
"""That must be left for the program, for each arc of the instance: writing it takes a quarter of them."""

NODES = 1_000
"""Nodes that the program may take where work is limited instead of time."""

LARGEST = 0.01
"""Largest share of its value that a goal gives up, however much the plan to stay near to leaves open."""

GIVING = frozenset({"value", "moves"})
"""Kinds of goals that may give; what is promised, or broken, is never chance."""


def settle(incumbent: Incumbent, proofs: list[Proof], market: Market, clock: Clock) -> list[Proof]:
    """Bring the incumbent as near as can be to the plan to stay near to; the proofs of all goals then.

    `proofs` are those of the goals before `changes`, for the incumbent as it is.
    """
    begun, before, goal = time.monotonic(), incumbent.values, incumbent.goals[-1]
    floors = _floors(incumbent, clock.options.gap)
    for x in _kept_plans(incumbent):
        _offer(incumbent, floors, x)
    bound, stop = 0.0, Stop.TIME
    has_time = clock.seconds_left * (1 - RESERVE) >= SECONDS_PER_ARC * len(incumbent.x)
    has_time &= not clock.is_over
    if incumbent.values[-1] > 0 and has_time:
        whole = formulate(incumbent.instance)
        answer = _solve(incumbent, floors, whole, clock, clock.seconds_left * (1 - RESERVE))
        if answer.has_solution:
            _offer(incumbent, floors, read_grants(whole.variables))
        least = proven(answer, goal.sense)
        if least is not None and not contradicts(goal, least, incumbent.values[-1]):
            bound = max(0.0, least)
        stop = Stop.FAILED if answer.status is SolverStatus.INFEASIBLE else answer.stop
        if stop is Stop.PROVED and incumbent.values[-1] > bound + 0.5:
            stop = Stop.FAILED  # held wider, it gave up more than it may
    proved = _proved_again(incumbent, before, proofs, market, clock)
    last = Proof(bound, stop, time.monotonic() - begun)
    return [*proved, _ended(incumbent, len(proved), last, clock)]


def _floors(incumbent: Incumbent, gap: float) -> tuple[float, ...]:
    """The least (or, minimized, the most) that every goal before the last must still reach."""
    floors = []
    for goal, value in zip(incumbent.goals[:-1], incumbent.values, strict=False):
        give = _leeway(incumbent, goal, gap) * abs(value) if goal.kind in GIVING else 0.0
        floors.append(value - give if goal.sense == "maximize" else value + give)
    return tuple(floors)


def _leeway(incumbent: Incumbent, goal: GoalSpec, gap: float) -> float:
    """The relative difference on a goal that makes no difference."""
    return min(LARGEST, max(gap, dict(incumbent.instance.open_gaps).get(goal.name, 0.0)))


def _kept_plans(incumbent: Incumbent) -> list[Ints]:
    """The plan to stay near to as far as it fits, and the same with what it leaves free handed out."""
    assert incumbent.instance.arcs.near is not None
    kept = fit(incumbent.instance, incumbent.instance.arcs.near)
    return [kept, fill(incumbent.instance, kept)]


def _offer(incumbent: Incumbent, floors: tuple[float, ...], x: Ints) -> None:
    """Take a plan that keeps every floor and is nearer."""
    if not is_feasible(incumbent.instance, x):
        return
    values = appraise(incumbent.instance, incumbent.goals, x)
    kept = all(
        (value - floor if goal.sense == "maximize" else floor - value) >= -held_with(floor, goal.step)
        for goal, value, floor in zip(incumbent.goals, values, floors, strict=False)
    )
    if kept and values[-1] < incumbent.values[-1]:
        incumbent.x, incumbent.values = x, values


def _solve(
    incumbent: Incumbent, floors: tuple[float, ...], whole: Formulation, clock: Clock, seconds: float
) -> Answer:
    """Minimize the changes, every earlier goal at its floor at least; wider if CBC calls that infeasible."""
    instance, goal = incumbent.instance, incumbent.goals[-1]
    aim(whole, goal, instance)
    ends = time.monotonic() + seconds
    for widening in WIDENINGS:
        for each, floor in zip(incumbent.goals, floors, strict=False):
            hold(whole, instance, each, floor, widening)
        set_start(instance, whole.variables, incumbent.x)
        try:
            answer = solve(
                whole.problem,
                clock.options,
                seconds=ends - time.monotonic(),
                gap=clock.options.gap,
                nodes=None if clock.options.work_limit is None else NODES,
                start=True,
                on_progress=clock.reporting(goal.name, Fraction(1)),
            )
        except SolverFailure as error:
            if not clock.survives(error):
                raise
            log.warning("%s", error)
            return Answer(SolverStatus.NO_SOLUTION, Stop.FAILED, None, None, 0.0)
        if answer.status is not SolverStatus.INFEASIBLE:
            break
        log.warning("CBC calls %s infeasible with goals held %g times as wide", goal.name, widening)
    return answer


def _proved_again(
    incumbent: Incumbent,
    before: tuple[float, ...],
    proofs: list[Proof],
    market: Market,
    clock: Clock,
) -> list[Proof]:
    """The proofs for what the goals reach now; a bound that rests on more than that is found anew.

    So is one for which there was no time.
    """
    proved, has_given = [], False
    for position, (goal, proof) in enumerate(zip(incumbent.goals, proofs, strict=False)):
        value, old = incumbent.values[position], before[position]
        gives = (old - value if goal.sense == "maximize" else value - old) > held_with(old, goal.step)
        is_open = proof.stop is Stop.TIME and proof.by_prices is None
        bound = proof.bound
        if has_given or is_open:
            known = moved_bound(incumbent, position, proof) if has_given else proof.bound
            bound = _bound(incumbent, position, known, market, clock)
        again = Proof(bound, proof.stop, proof.seconds)
        proved.append(_ended(incumbent, position, again, clock) if gives or has_given or is_open else proof)
        has_given = has_given or gives
    return proved


def _bound(incumbent: Incumbent, position: int, known: float, market: Market, clock: Clock) -> float:
    """What is known, or what the relaxation proves where there is time for it, if that is better."""
    stage = Stage(incumbent, position, market, clock, clock.limit)
    stage.tighten(known)
    prove_by_relaxation(stage)
    return stage.bound


def _ended(incumbent: Incumbent, position: int, proof: Proof, clock: Clock) -> Proof:
    """The proof with the word for how the goal ended, for the value that it has now."""
    goal, value, bound = incumbent.goals[position], incumbent.values[position], proof.bound
    if is_reached(goal, bound, value):
        return Proof(value, Stop.PROVED, proof.seconds)
    gap = relative_gap(value, bound)
    if gap <= clock.options.gap:
        return Proof(bound, Stop.GAP, proof.seconds)
    if gap <= _leeway(incumbent, goal, clock.options.gap):
        return Proof(bound, Stop.NEAR, proof.seconds)
    interrupted = clock.options.cancel.is_set()
    failed = proof.stop is Stop.FAILED
    stop = Stop.INTERRUPTED if interrupted else Stop.FAILED if failed else Stop.TIME
    return Proof(bound, stop, proof.seconds)
