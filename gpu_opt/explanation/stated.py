"""An organization with its budgets in numbers, so that a change of one leaves the others as they are."""

from __future__ import annotations

import datetime as dt
import math

from gpu_opt.budgets import resolve_budgets
from gpu_opt.instance import MILLI
from gpu_opt.organization import Limit, Organization, Team


def in_numbers(organization: Organization, date: dt.date) -> Organization:
    """The organization with every percentage as what it is worth on the date.

    Guarantees are rounded down to 0.001, as caps are: compute comes in such steps.
    """
    budgets = resolve_budgets(organization, date)

    def stated(team: Team) -> Team:
        cap, guarantee = budgets.cap.get(team.name), budgets.guarantee.get(team.name)
        fields = {
            "cap": None if cap is None else float(cap),
            "guarantee": None if guarantee is None else math.floor(guarantee * MILLI) / MILLI,
            "limits": {kind: Limit(cap=float(budgets.limit[team.name, kind])) for kind in team.limits},
        }
        return team.model_copy(update=fields)

    return organization.model_copy(update={"teams": tuple(stated(team) for team in organization.teams)})
