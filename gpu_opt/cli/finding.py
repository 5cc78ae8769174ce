"""The request that `gpu-opt find` states, with its problems in the words of the command line."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.files.shape import wording
from gpu_opt.options import Options
from gpu_opt.organization import Organization, Request
from gpu_opt.plan import Finding
from gpu_opt.reallocation import find
from gpu_opt.reallocation.requests import check_requests

OPTIONS = {
    "gpus": "N",
    "gpu_types": "--type",
    "sites": "--site",
    "by": "--by",
    "team": "--team",
    "priority": "--priority",
}
"""How the command line calls the fields of a request."""

_FIELD = re.compile(r"(?:requests\[0\]\.)?(\w+).*")


def answer(
    organization: Organization,
    *,
    team: str,
    gpus: int,
    gpu_types: tuple[str, ...] | None,
    sites: tuple[str, ...] | None,
    by: dt.date,
    priority: float,
    all_or_nothing: bool,
    options: Options,
) -> Finding:
    """Solve the request.

    Raises InvalidInput, with the options' names for paths, if it does not fit the organization.
    """
    stated: dict[str, Any] = {
        "name": f"{team} needs {gpus:,}",
        "team": team,
        "gpus": gpus,
        "gpu_types": gpu_types,
        "sites": sites,
        "by": by,
        "priority": priority,
        "all_or_nothing": all_or_nothing,
    }
    try:
        return find(organization, Request.model_validate(stated), options=options)
    except ValidationError as error:
        wrong = {str(one["loc"][0]): wording(one, type(one["input"])) for one in error.errors()}
        told = [Problem(name, message) for name, message in wrong.items()]
        told += check_requests(organization, [Request.model_construct(**stated)], by)
        raise InvalidInput(tuple(replace(problem, path=_option(problem.path)) for problem in told)) from None
    except InvalidInput as error:
        raise InvalidInput(
            tuple(replace(problem, path=_option(problem.path)) for problem in error.problems), error.source
        ) from None


def _option(path: str) -> str:
    match = _FIELD.fullmatch(path)
    return OPTIONS.get(match[1], path) if match else path
