"""The results of a what-if: the base plan, and every scenario's plan beside it."""

from __future__ import annotations

from gpu_opt.plan.allocation import Allocation
from gpu_opt.plan.common import Result
from gpu_opt.plan.comparison import Comparison


class ScenarioOutcome(Result):
    """What comes out of one scenario."""

    scenario: str
    """Its name."""
    description: str
    changes: tuple[str, ...]
    """Its changes in words, in their order."""
    plan: Allocation
    """The plan for the changed organization, as near to the base plan as can be."""
    comparison: Comparison
    """The plan against the base plan; every project's `grounds` name the changes that reach it."""


class WhatIf(Result):
    """A base plan, and what comes out of scenarios."""

    base: Allocation
    scenarios: tuple[ScenarioOutcome, ...]
    """In the order asked for; fewer than asked for where somebody cancelled."""
