"""What if: an organization with typed changes applied, solved, and compared with what it was before."""

from gpu_opt.scenario.application import apply
from gpu_opt.scenario.changes import CHANGES, Change, Scenario
from gpu_opt.scenario.comparison import compare
from gpu_opt.scenario.grid import Grid, load_grid, make_grid
from gpu_opt.scenario.reading import load_scenario
from gpu_opt.scenario.solving import what_if
from gpu_opt.scenario.sweeping import sweep

__all__ = [
    "CHANGES",
    "Change",
    "Grid",
    "Scenario",
    "apply",
    "compare",
    "load_grid",
    "load_scenario",
    "make_grid",
    "sweep",
    "what_if",
]
