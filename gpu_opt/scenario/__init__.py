"""What if: an organization with typed changes applied, solved, and compared with what it was before."""

from gpu_opt.scenario.application import apply
from gpu_opt.scenario.changes import CHANGES, Change, Scenario
from gpu_opt.scenario.comparison import compare
from gpu_opt.scenario.reading import load_scenario
from gpu_opt.scenario.solving import what_if

__all__ = ["CHANGES", "Change", "Scenario", "apply", "compare", "load_scenario", "what_if"]
