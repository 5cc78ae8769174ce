"""From handovers by index to the result with names, proof and sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction

from gpu_opt.clock import Clock
from gpu_opt.options import relative_gap
from gpu_opt.organization import content_hash
from gpu_opt.plan import Goal, Handover, Reallocation, RequestOutcome, Status, Stop, weakest
from gpu_opt.reallocation.goals import Relaxed, proven_bounds
from gpu_opt.reallocation.instance import Handed, Instance, Measure, goal_values
from gpu_opt.reallocation.sentences import Rest, describe, rest_of

UNITS = {
    Measure.UNMET: "weighted GPUs",
    Measure.LATE: "weighted GPU-days",
    Measure.COST: "price",
    Measure.DAYS: "GPU-days",
}


def state(
    instance: Instance,
    plan: Sequence[Handed],
    relaxations: Sequence[Relaxed],
    clock: Clock,
) -> Reallocation:
    """State a plan: who hands what to whom and when, what each request gets, and what was proved."""
    goals = _goals(instance, plan, relaxations, clock)
    stop = weakest(goal.stop for goal in goals)
    cost = next(goal for goal in goals if goal.name == "cost")
    return Reallocation(
        organization=instance.organization.name,
        as_of=instance.organization.as_of,
        until=instance.until,
        status=Status.OPTIMAL if stop is Stop.PROVED else Status.FEASIBLE,
        stop=stop,
        goals=goals,
        objective=cost.value,
        bound=cost.bound,
        gap=cost.gap,
        asked=instance.requests,
        supplies=instance.supplies,
        handovers=_handovers(instance, plan),
        requests=_requests(instance, plan, stop),
        run=clock.run(content_hash(instance.organization)),
    )


def _goals(
    instance: Instance, plan: Sequence[Handed], relaxations: Sequence[Relaxed], clock: Clock
) -> tuple[Goal, ...]:
    values = goal_values(instance, plan)
    bounds = proven_bounds(values, relaxations)
    goals = []
    for k, (goal, bound) in enumerate(zip(instance.goals, bounds, strict=True)):
        value, least = (float(Fraction(number, goal.scale)) for number in (values[k], min(bound, values[k])))
        unproved = [each.stops[k] for each in relaxations if each.stops[k] is not Stop.PROVED]
        goals.append(
            Goal(
                name=goal.name,
                sense="minimize",
                unit=UNITS[goal.measure],
                value=value,
                bound=least,
                gap=relative_gap(value, least),
                stop=Stop.PROVED if least == value else [clock.stop(), *unproved][-1],
                seconds=sum(each.seconds[k] for each in relaxations),
            )
        )
    return tuple(goals)


def _handovers(instance: Instance, plan: Sequence[Handed]) -> tuple[Handover, ...]:
    """By day, request and pool."""
    in_order = sorted(plan, key=lambda one: (one.on, one.request, instance.pool_of[one.supply], one.supply))
    today = instance.organization.as_of
    handovers = []
    for one in in_order:
        supply, request = instance.supplies[one.supply], instance.requests[one.request]
        handovers.append(
            Handover(
                request=request.name,
                team=request.team,
                donor=supply.donor,
                project=supply.project,
                donor_team=supply.team,
                pool=supply.pool,
                gpus=one.gpus,
                free_on=supply.on,
                on=today + dt.timedelta(days=one.on),
            )
        )
    return tuple(handovers)


def _requests(instance: Instance, plan: Sequence[Handed], stop: Stop) -> tuple[RequestOutcome, ...]:
    rest = rest_of(instance, plan, stop)
    by_request: list[list[Handed]] = [[] for _ in instance.requests]
    for one in plan:
        by_request[one.request].append(one)
    return tuple(_request(instance, r, mine, rest) for r, mine in enumerate(by_request))


def _request(instance: Instance, r: int, mine: Sequence[Handed], rest: Rest) -> RequestOutcome:
    asked = instance.requests[r]
    handed = sum(one.gpus for one in mine)
    last = instance.organization.as_of + dt.timedelta(days=max((one.on for one in mine), default=0))
    return RequestOutcome(
        request=asked.name,
        team=asked.team,
        gpus=asked.gpus,
        by=asked.by,
        handed=handed,
        in_time=sum(one.gpus for one in mine if one.on <= instance.by[r]),
        complete_on=last if handed >= asked.gpus else None,
        text=describe(instance, r, mine, rest),
    )
