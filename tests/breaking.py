"""Solvers that fail, for the allocation's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gpu_opt.allocation import settling
from gpu_opt.allocation.strategy import parts, whole
from gpu_opt.solver import Answer


def replace_solver(monkeypatch: pytest.MonkeyPatch, solve: Callable[..., Answer]) -> None:
    """Let the allocation's search use another `solve` wherever it asks CBC."""
    for module in (parts, settling, whole):
        monkeypatch.setattr(module, "solve", solve)
