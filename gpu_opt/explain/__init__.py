"""Why a project got what it got, what more of anything would be worth, and what cannot all be had.

The mathematics is in ``models/explanation.md``.
"""

from gpu_opt.explain.conflict import conflicts
from gpu_opt.explain.shadow import prices

__all__ = ["conflicts", "prices"]
