"""The results: what was decided, with proof.

All types are immutable and serialize to the JSON that ``--json`` prints (``model_dump_json``);
their field names are part of the public contract.
"""

from gpu_opt.plan.allocation import (
    POLICIES,
    Allocation,
    Basis,
    Cause,
    Grant,
    Move,
    Overrun,
    PoolOutcome,
    ProjectOutcome,
    Reason,
    TeamOutcome,
)
from gpu_opt.plan.common import Goal, Result, Run, Status, Stop, Violation, weakest
from gpu_opt.plan.comparison import (
    Comparison,
    Decided,
    Difference,
    Figure,
    GoalDifference,
    Ground,
    GuaranteeDifference,
    Link,
    PoolDifference,
    ProjectDifference,
    Side,
    TeamDifference,
)
from gpu_opt.plan.conflicts import Conflict, Conflicts, Statement, StatementKind
from gpu_opt.plan.explanation import Candidates, Explanation, Lacks, Loss, Remedy, RemedyKind, Touch
from gpu_opt.plan.night import NightReport
from gpu_opt.plan.prices import Price, Prices, Resource
from gpu_opt.plan.reallocation import CapRaise, Donor, Finding, Handover, Reallocation, RequestOutcome, Supply
from gpu_opt.plan.sweep import Binding, Breakpoint, Sweep, SweepPoint
from gpu_opt.plan.what_if import ScenarioOutcome, WhatIf

__all__ = [
    "POLICIES",
    "Allocation",
    "Basis",
    "Binding",
    "Breakpoint",
    "Candidates",
    "CapRaise",
    "Cause",
    "Comparison",
    "Conflict",
    "Conflicts",
    "Decided",
    "Difference",
    "Donor",
    "Explanation",
    "Figure",
    "Finding",
    "Goal",
    "GoalDifference",
    "Grant",
    "Ground",
    "GuaranteeDifference",
    "Handover",
    "Lacks",
    "Link",
    "Loss",
    "Move",
    "NightReport",
    "Overrun",
    "PoolDifference",
    "PoolOutcome",
    "Price",
    "Prices",
    "ProjectDifference",
    "ProjectOutcome",
    "Reallocation",
    "Reason",
    "Remedy",
    "RemedyKind",
    "RequestOutcome",
    "Resource",
    "Result",
    "Run",
    "ScenarioOutcome",
    "Side",
    "Statement",
    "StatementKind",
    "Status",
    "Stop",
    "Supply",
    "Sweep",
    "SweepPoint",
    "TeamDifference",
    "TeamOutcome",
    "Touch",
    "Violation",
    "WhatIf",
    "weakest",
]
