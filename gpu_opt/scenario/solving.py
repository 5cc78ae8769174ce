"""What if: scenarios solved, each as near to the base plan as can be, and compared with it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from gpu_opt.allocation import allocate
from gpu_opt.options import Options, share_of
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, ScenarioOutcome, WhatIf
from gpu_opt.scenario.application import require_applicable, trace
from gpu_opt.scenario.changes import Change, Scenario
from gpu_opt.scenario.comparison import compare
from gpu_opt.scenario.grounds import with_grounds
from gpu_opt.validation.wording import number

BASE_SHARE = 0.4
"""Share of the time limit that the base plan may use."""


def what_if(
    organization: Organization,
    scenarios: Scenario | Sequence[Scenario],
    *,
    options: Options | None = None,
    base: Allocation | None = None,
) -> WhatIf:
    """What comes out of scenarios, beside what comes out without them.

    Every scenario's plan is the one nearest to `base` among equally good ones, so that what differs is the
    consequence of its changes. `base` is a plan of the organization for its `as_of`; default: it is solved
    first. The time limit of `options` holds for all solves together; somebody who cancels gets the
    scenarios solved by then, the last of them with its best plan so far.

    Raises
    ------
    InvalidInput
        Changes do not apply, or lead to what cannot be meant: all problems of all scenarios, before
        anything is solved.
    SolverFailure, VerificationFailure
        As :func:`gpu_opt.allocate`.
    """
    options, begun = options or Options(), time.monotonic()
    asked = [scenarios] if isinstance(scenarios, Scenario) else list(scenarios)
    require_applicable(organization, asked)
    if base is None:
        base = allocate(organization, options=share_of(options, begun, BASE_SHARE if asked else 1.0))
    outcomes: list[ScenarioOutcome] = []
    for position, scenario in enumerate(asked):
        if options.cancel.is_set():
            break
        share = share_of(options, begun, 1 / (len(asked) - position))
        outcomes.append(solve_scenario(organization, scenario, base, share))
    return WhatIf(base=base, scenarios=tuple(outcomes))


def solve_scenario(
    organization: Organization, scenario: Scenario, base: Allocation, options: Options
) -> ScenarioOutcome:
    """What comes out of one scenario, near to `base`. Raises what :func:`what_if` raises."""
    changed, touched = trace(organization, scenario.changes)
    plan = allocate(changed, options=options, near=base)
    return ScenarioOutcome(
        scenario=scenario.name,
        description=scenario.description,
        changes=tuple(describe(change) for change in scenario.changes),
        plan=plan,
        comparison=with_grounds(compare(base, plan), changed, touched),
    )


def describe(change: Change) -> str:
    """A change in words: what it is, and the fields that it states.

    >>> from gpu_opt.scenario.changes import SetCap
    >>> describe(SetCap(team="research", cap="65%"))
    'set cap: team research, cap 65%'
    """
    stated = change.model_dump(mode="json", exclude_unset=True, exclude={"change"})
    told = (f"{field.replace('_', ' ')} {_value(value)}" for field, value in stated.items())
    return f"{change.change.replace('_', ' ')}: {', '.join(told)}"


def _value(value: object) -> str:
    if isinstance(value, float):
        return number(value, decimals=6)
    if isinstance(value, dict):
        return " and ".join(f"{name} {_value(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return " and ".join(_value(entry) for entry in value)
    return "none" if value is None else str(value)
