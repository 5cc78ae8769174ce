"""The reallocation: who hands what to whom, and when.

The mathematics is in ``models/reallocation.md``; the way is supplies and requests -> instance -> network
-> flow -> handovers. Side conditions that the flow breaks, and only those, are added until it breaks none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Finding, Reallocation
from gpu_opt.reallocation.entitlement import (
    default_horizon,
    derive_requests,
    entitled_requests,
    with_grants,
)
from gpu_opt.reallocation.requests import check_requests, require_horizon, require_sound

__all__ = [
    "check_requests",
    "derive_requests",
    "entitled_requests",
    "find",
    "reallocate",
    "with_grants",
]


def reallocate(
    organization: Organization,
    *,
    until: dt.date | None = None,
    requests: Sequence[Request] | None = None,
    options: Options | None = None,
) -> Reallocation:
    """Decide who hands what to whom, and when, from today to `until` (default: 90 days ahead).

    Supplies are what the organization's projects hold when they end, deliveries, and idle GPUs. Without
    `requests` it takes those of :func:`derive_requests`, which may take half of the time limit. An empty
    sequence asks for nothing. What was asked is in the plan.

    A plan always comes back, verified: at worst nothing is handed over.

    Raises InvalidInput, with every problem, if the organization cannot be meant, `until` is before today, or
    a request does not fit the organization (:func:`check_requests`); SolverFailure if CBC cannot be started;
    VerificationFailure, a defect, if the checker refuses the plan.
    """
    from gpu_opt.checker import require_verified
    from gpu_opt.clock import Clock
    from gpu_opt.reallocation.instance import build_instance
    from gpu_opt.reallocation.outcome import state
    from gpu_opt.reallocation.strategy import search
    from gpu_opt.validation import require_valid

    options = options or Options()
    until = until or default_horizon(organization)
    clock = Clock(options)
    clock.enter("checking")
    require_valid(organization)
    require_horizon(organization, until)
    asked = _derived(organization, until, options) if requests is None else tuple(requests)
    require_sound(organization, asked, until)
    clock.enter("building")
    instance = build_instance(organization, asked, until)
    clock.enter("solving")
    handed, relaxations = search(instance, clock)
    clock.enter("verifying")
    plan = state(instance, handed, relaxations, clock)
    require_verified(organization, plan)
    return plan.model_copy(update={"run": clock.run(plan.run.organization_hash)})


def find(organization: Organization, request: Request, *, options: Options | None = None) -> Finding:
    """Answer "we need N more GPUs": how many from whom on what date, and from when it is complete.

    It looks 90 days ahead, or up to the request's date if that is later, at what is held now. `allowed` is
    False, and `raises` says what it would take, where caps keep the request from being complete by its
    date, or as soon after it as the GPUs are there; `if_raised` is then the answer with the caps raised. If
    there are too few GPUs at all, the same is said of as many as there are.

    Raises as :func:`reallocate` does.
    """
    from gpu_opt.clock import Clock
    from gpu_opt.reallocation.finding import caps_in_the_way, sentence
    from gpu_opt.reallocation.raising import raised

    options = options or Options()
    clock = Clock(options)
    until = max(request.by, default_horizon(organization))
    answer = reallocate(organization, until=until, requests=[request], options=options)
    outcome = answer.requests[0]
    raises, date = caps_in_the_way(organization, request, until)
    if outcome.complete_on is not None and outcome.complete_on <= date:
        raises = ()  # units of another size, which are enough, fit
    if_raised = None
    if raises:
        rest = replace(options, time_limit=max(0.0, clock.left))
        if_raised = reallocate(
            raised(organization, raises, date), until=until, requests=[request], options=rest
        )
    return Finding(
        reallocation=answer,
        allowed=not raises,
        complete=outcome.complete_on is not None,
        in_time=outcome.in_time >= request.gpus,
        raises=raises,
        if_raised=if_raised,
        sentence=sentence(request, answer, raises, if_raised),
    )


def _derived(organization: Organization, until: dt.date, options: Options) -> tuple[Request, ...]:
    half = replace(options, time_limit=options.time_limit / 2)
    return derive_requests(organization, until=until, options=half)
