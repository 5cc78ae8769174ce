"""Who gets which GPUs: allocation under a tree of budgets, and dated reallocation.

Everything a program needs is here; it is imported when it is first used, so that ``import gpu_opt`` costs
nothing.

>>> import gpu_opt
>>> lab = gpu_opt.Organization.model_validate({
...     "name": "lab",
...     "as_of": "2026-11-23",
...     "gpu_types": {"h100": {"vendor": "nvidia"}},
...     "pools": [{"name": "iowa", "gpu_type": "h100", "site": "iowa", "gpus": 64, "unit": 8}],
...     "teams": [{"name": "lab"}],
...     "projects": [
...         {"name": "orion", "team": "lab", "priority": 2.0, "demand": 48},
...         {"name": "lyra", "team": "lab", "demand": 48},
...     ],
... })
>>> plan = gpu_opt.allocate(lab)
>>> plan.status.value, {grant.project: grant.gpus for grant in plan.grants}
('optimal', {'orion': 48, 'lyra': 16})
>>> gpu_opt.verify(lab, plan)
()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpu_opt.allocation import allocate
    from gpu_opt.checker import verify
    from gpu_opt.errors import (
        GpuOptError,
        InvalidInput,
        NoPlan,
        NoPlanInTime,
        Problem,
        SolverDied,
        SolverFailure,
        StoreFailure,
        StoreUnusable,
        VerificationFailure,
    )
    from gpu_opt.explanation import conflicts, explain, prices
    from gpu_opt.files import dump, load, read
    from gpu_opt.options import Cancel, Options, Progress
    from gpu_opt.organization import Organization, Request
    from gpu_opt.plan import Allocation, Comparison, Finding, Reallocation, Sweep, WhatIf
    from gpu_opt.reallocation import derive_requests, find, reallocate
    from gpu_opt.scenario import Scenario, apply, compare, load_grid, load_scenario, sweep, what_if
    from gpu_opt.validation import check

    __version__: str

__all__ = [
    "Allocation",
    "Cancel",
    "Comparison",
    "Finding",
    "GpuOptError",
    "InvalidInput",
    "NoPlan",
    "NoPlanInTime",
    "Options",
    "Organization",
    "Problem",
    "Progress",
    "Reallocation",
    "Request",
    "Scenario",
    "SolverDied",
    "SolverFailure",
    "StoreFailure",
    "StoreUnusable",
    "Sweep",
    "VerificationFailure",
    "WhatIf",
    "__version__",
    "allocate",
    "apply",
    "check",
    "compare",
    "conflicts",
    "derive_requests",
    "dump",
    "explain",
    "find",
    "load",
    "load_grid",
    "load_scenario",
    "prices",
    "read",
    "reallocate",
    "sweep",
    "verify",
    "what_if",
]

_HOMES = {
    "allocation": ["allocate"],
    "checker": ["verify"],
    "errors": [
        "GpuOptError",
        "InvalidInput",
        "NoPlan",
        "NoPlanInTime",
        "Problem",
        "SolverDied",
        "SolverFailure",
        "StoreFailure",
        "StoreUnusable",
        "VerificationFailure",
    ],
    "explanation": ["conflicts", "explain", "prices"],
    "files": ["dump", "load", "read"],
    "options": ["Cancel", "Options", "Progress"],
    "organization": ["Organization", "Request"],
    "plan": ["Allocation", "Comparison", "Finding", "Reallocation", "Sweep", "WhatIf"],
    "reallocation": ["derive_requests", "find", "reallocate"],
    "scenario": ["Scenario", "apply", "compare", "load_grid", "load_scenario", "sweep", "what_if"],
    "validation": ["check"],
}
"""The module of every public name; no module has the name of a function."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        from importlib.metadata import version

        return version("gpu-opt")
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"gpu_opt.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'gpu_opt' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
