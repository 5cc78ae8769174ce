"""What was proved of a goal, and what is left of it when the goals before are reached to another degree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gpu_opt.allocation.appraisal import trivial_bound
from gpu_opt.allocation.incumbent import Incumbent
from gpu_opt.allocation.strategy.prices import Aim, Prices
from gpu_opt.allocation.strategy.pricing import Market, as_goal, price
from gpu_opt.plan import Stop


@dataclass(frozen=True, slots=True)
class PriceBound:
    """A bound that follows from prices, wherever earlier goals are held: that changes what rows earn only."""

    market: Market
    aim: Aim
    prices: Prices
    gain: float
    """What is proved beyond the prices, of parts that no price of the goals before reaches."""

    def at(self, held: tuple[float, ...]) -> float:
        """The bound on the goal, in its own sense, with the goals before at these values."""
        aim = replace(self.aim, held=held)
        return as_goal(aim, price(self.market, aim, self.prices).bound - self.gain)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved of one goal, and what it took."""

    bound: float
    stop: Stop
    seconds: float
    rests_on: int = 0
    """:meth:`Incumbent.setbacks_before` when it was begun: after another one it may be false."""
    by_prices: PriceBound | None = field(default=None, compare=False, repr=False)
    """What prices prove of it, and would prove were the goals before held elsewhere."""


def moved_bound(incumbent: Incumbent, position: int, proof: Proof) -> float:
    """What is known of the goal where the goals before have moved away from what the proof rests on."""
    goal, value = incumbent.goals[position], incumbent.values[position]
    trivial = trivial_bound(incumbent.instance, goal)
    if proof.by_prices is None:
        return trivial
    bound = proof.by_prices.at(incumbent.values[:position])
    return min(max(bound, value), trivial) if goal.sense == "maximize" else max(min(bound, value), trivial)
