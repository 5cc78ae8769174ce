"""What `gpu-opt why` asks: a plan, and the explanation of one of its projects or teams."""

from __future__ import annotations

import dataclasses
import datetime as dt

from gpu_opt.allocation import allocate
from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.explanation import explain
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.plan import Explanation

SHARE_OF_PLAN = 0.5
"""Of the time limit, for the plan that is explained."""


def answer(
    organization: Organization, subject: str, *, date: dt.date | None, options: Options
) -> Explanation:
    """Solve, then explain.

    Raises InvalidInput, before anything is solved, if there is no such project or team.
    """
    names = [project.name for project in organization.projects] + [team.name for team in organization.teams]
    if subject not in names:
        from gpu_opt.validation.wording import unknown

        told = unknown("project or team", names)(subject)
        raise InvalidInput((Problem("PROJECT_OR_TEAM", told),))
    limit = dataclasses.replace(options, time_limit=options.time_limit * SHARE_OF_PLAN)
    plan = allocate(organization, date=date, options=limit)
    return explain(organization, plan, subject, options=options)
