"""Why a project got what it got, what more of anything would be worth, and what cannot all be had.

The mathematics is in ``models/explanation.md``.
"""

from gpu_opt.explanation.conflict import conflicts
from gpu_opt.explanation.shadow import prices
from gpu_opt.explanation.subject import explain

__all__ = ["conflicts", "explain", "prices"]
