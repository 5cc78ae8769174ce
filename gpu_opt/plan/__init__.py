"""The results: what was decided, with proof.

All types are immutable and serialize to the JSON that ``--json`` prints (``model_dump_json``);
their field names are part of the public contract.
"""

from gpu_opt.plan.allocation import (
    Allocation,
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
from gpu_opt.plan.night import Change, NightReport, ProjectChange, TeamChange
from gpu_opt.plan.reallocation import CapRaise, Donor, Finding, Handover, Reallocation, RequestOutcome, Supply

__all__ = [
    "Allocation",
    "CapRaise",
    "Cause",
    "Change",
    "Donor",
    "Finding",
    "Goal",
    "Grant",
    "Handover",
    "Move",
    "NightReport",
    "Overrun",
    "PoolOutcome",
    "ProjectChange",
    "ProjectOutcome",
    "Reallocation",
    "Reason",
    "RequestOutcome",
    "Result",
    "Run",
    "Status",
    "Stop",
    "Supply",
    "TeamChange",
    "TeamOutcome",
    "Violation",
    "weakest",
]
