"""Why a rival keeps its unit, and what the projects of a team and tier see of all rivals.

Guarantees come first, then tiers, then value less the cost of a move: the goals of ``models/allocation.md``.

A large lab has thousands of rivals for each of thousands of projects. What the projects of one team and tier
see alike is found once: the standing that a rival has whatever is gained and, of the others, the least and
the most that their units are worth in every pool. With these a gain need only be compared pool by pool to
know whether anybody has a standing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.rivals import Field, Flags, Floats
from gpu_opt.instance import Ints

Places = npt.NDArray[np.int8]

TOLERANCE = 1e-9
"""Share by which one value must be above another to count as more."""


class Standing(StrEnum):
    """Why a unit of a rival is not the project's."""

    AHEAD = "ahead"
    """It is worth more where it is."""
    GUARANTEED = "guaranteed"
    """Without it a team would fall below what it is promised, or further below."""
    PINNED = "pinned"
    """It is worth less, and pinned."""
    MOVES_SPENT = "moves_spent"
    """It is worth less, but may not be moved: too few moves are left."""
    MOVE_COST = "move_cost"
    """It is worth less, but not by the cost of a move."""
    BEHIND = "behind"
    """It is worth less, and nothing protects it."""


NONE = -1
"""In place of a standing: its unit would make no room."""

PLACES = {standing: place for place, standing in enumerate(Standing)}
"""What stands for a standing in arrays."""


class View:
    """Rivals as all projects of one team and tier see them; sums are found when they are asked for."""

    def __init__(
        self, field: Field, place: Places, is_compared: Flags, promised: Ints, *, pools: int, teams: int
    ) -> None:
        self._field = field
        self.place = place
        """By rival, of its standing in :data:`PLACES`; if it is compared, of that if it is worth less."""
        self.is_compared = is_compared
        """By rival, whether its worth decides."""
        self._promised = promised
        self._pools, self._teams = pools, teams
        """How many there are."""
        self._begins = np.flatnonzero(np.diff(field.pool, prepend=-1))
        self._certain: dict[Standing, Flags] = {}  # a cache around a method would keep the view alive
        self._worth: dict[Standing, Floats] = {}

    def certain(self, standing: Standing) -> Flags:
        """By pool, whether a rival has the standing whatever is gained."""
        if standing not in self._certain:
            chosen = (self.place == PLACES[standing]) & ~self.is_compared
            self._certain[standing] = np.bincount(self._field.pool[chosen], minlength=self._pools) > 0
        return self._certain[standing]

    def least(self, standing: Standing) -> Floats:
        """By pool, the least worth of those compared that have the standing if they are worth less."""
        if standing not in self._worth:
            chosen = self.is_compared & (self.place == PLACES[standing])
            self._worth[standing] = self._least(self._field.worth, chosen)
        return self._worth[standing]

    @cached_property
    def least_with_move(self) -> Floats:
        """By pool, the least worth with the cost of a move of those compared that nothing else protects."""
        return self._least(self._field.worth + self._field.move_cost, self._is_free)

    @cached_property
    def most_with_move(self) -> Floats:
        """The most, likewise."""
        return -self._least(-self._field.worth - self._field.move_cost, self._is_free)

    @cached_property
    def most(self) -> Floats:
        """By pool, the most worth of those compared."""
        return -self._least(-self._field.worth, self.is_compared)

    @cached_property
    def promise(self) -> Floats:
        """By pool, the highest promise that a unit keeps: level times teams, plus team; infinite: none."""
        is_kept = self.place == PLACES[Standing.GUARANTEED]
        level = np.where(is_kept, self._promised, 0)
        promise = level * self._teams + self._field.chain[np.arange(len(level)), level]
        return self._least(promise.astype(np.float64), is_kept)

    @property
    def _is_free(self) -> Flags:
        return np.asarray(self.is_compared & (self.place == PLACES[Standing.BEHIND]))

    def _least(self, values: Floats, chosen: Flags) -> Floats:
        """By pool, the least of the chosen rivals' values; infinite where there is none."""
        least = np.full(self._pools, np.inf)
        if len(values):
            found = np.minimum.reduceat(np.where(chosen, values, np.inf), self._begins)
            least[self._field.pool[self._begins]] = found
        return least


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What a project would gain in every pool where it asks for room."""

    view: View
    gain: Floats
    """By pool, for each reference GPU; NaN where it asks for none."""

    @property
    def less(self) -> Floats:
        """What is worth less than this is worth less than the gain."""
        return self.gain * (1 - TOLERANCE)

    @property
    def more(self) -> Floats:
        """What is worth more than this is worth more than the gain."""
        return self.gain / (1 - TOLERANCE)


def where(question: Question, standing: Standing) -> tuple[Flags, Flags]:
    """Pools where somebody has the standing, the project itself included, and those where that is open.

    Each by pool; the standing is to be looked for there, rival by rival, where it is open.
    """
    view, less = question.view, question.less
    if standing is Standing.MOVE_COST:  # worth less, but not with the cost of a move
        some = (view.least(Standing.BEHIND) < less) & (view.most_with_move >= less)
        certain = some & (view.least_with_move >= less)
        return certain, some & ~certain
    certain = view.certain(standing) & ~np.isnan(less)
    match standing:
        case Standing.AHEAD:
            certain |= view.most > question.more
        case Standing.BEHIND:
            certain |= view.least_with_move < less
        case Standing.PINNED | Standing.MOVES_SPENT:
            certain |= view.least(standing) < less
        case _:
            pass
    return certain, np.zeros(len(less), dtype=bool)
