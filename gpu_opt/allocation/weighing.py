"""Why rivals keep what a project lacks: their last units against its next.

Guarantees come first, then tiers, then value less the cost of a move: the goals of ``models/allocation.md``.

A large lab has thousands of rivals for each of thousands of projects. What the projects of one team and tier
see alike is found once (a :class:`View`, made in :mod:`gpu_opt.allocation.scales`): the standing that a rival
has whatever is gained and, of the others, the least and the most that their units are worth in every pool.
With these a gain need only be compared pool by pool to know whether anybody has a standing; who it is, is
looked for among the largest rivals first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.rivals import Field, Flags, Floats
from gpu_opt.instance import Ints

if TYPE_CHECKING:
    from gpu_opt.allocation.scales import Scales

TOLERANCE = 1e-9
"""Share by which one value must be above another to count as more."""

AT_FIRST, MORE = 500, 8
"""Rivals among which the largest of a standing are looked for, and how many times as many the next time."""


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
"""In place of a standing: it is worth as much, is the project's own, or would make no room."""

PLACES = {standing: place for place, standing in enumerate(Standing)}
"""What stands for a standing in arrays."""


class View:
    """Rivals as all projects of one team and tier see them; sums are found when they are asked for."""

    def __init__(
        self, field: Field, place: Ints, is_compared: Flags, promised: Ints, size: tuple[int, int]
    ) -> None:
        self._field = field
        self.place = place
        """By rival, of its standing in :data:`PLACES`; if it is compared, of that if it is worth less."""
        self.is_compared = is_compared
        """By rival, whether its worth decides."""
        self._promised = promised
        self._pools, self._teams = size
        self._begins = np.flatnonzero(np.diff(field.pool, prepend=-1))
        self.certain = cache(self._certain)
        self.least = cache(self._least_of)

    def _certain(self, standing: Standing) -> Flags:
        """By pool, whether a rival has the standing whatever is gained."""
        chosen = (self.place == PLACES[standing]) & ~self.is_compared
        return np.bincount(self._field.pool[chosen], minlength=self._pools) > 0

    def _least_of(self, standing: Standing) -> Floats:
        """By pool, the least worth of those compared that have the standing if they are worth less."""
        return self._least(self._field.worth, self.is_compared & (self.place == PLACES[standing]))

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


class Weighed:
    """All rivals, weighed against one project."""

    def __init__(self, scales: Scales, project: int, questions: Sequence[Question]) -> None:
        self._scales, self._field, self._project = scales, scales.field, project
        self._questions = questions
        self._own_pools = scales.pools_of(project)

    def has(self, standing: Standing) -> bool:
        """Whether any rival has the standing."""
        return any(self._has(question, standing) for question in self._questions)

    def has_lower_tier(self) -> bool:
        """Whether a rival that is ahead is of a tier that is decided before the project's."""
        ahead = ((each.view.certain(Standing.AHEAD), each.gain) for each in self._questions)
        return any((certain & ~np.isnan(gain)).any() for certain, gain in ahead)

    def highest_promise(self) -> int:
        """The team whose promise is kept by a unit that makes room, the highest first; there must be one."""
        found = (each.view.promise[~np.isnan(each.gain)].min(initial=np.inf) for each in self._questions)
        return int(min(found)) % self._scales.teams

    def largest(self, standing: Standing, most: int) -> list[int]:
        """The projects of a standing that have most GPUs of what is asked for, at most so many."""
        field, total = self._field, self._scales.total
        rivals = self._candidates(standing)
        count = AT_FIRST
        while True:
            seen = rivals if count >= len(rivals) else rivals[: _end(field.project[rivals], count)]
            holds = self._having(seen, standing)
            projects, place = np.unique(field.project[holds], return_inverse=True)
            gpus = np.bincount(place, weights=field.gpus[holds])
            order = np.lexsort((projects, -gpus))[:most]
            if len(seen) == len(rivals) or (
                len(order) == most and gpus[order[-1]] > total[field.project[rivals[len(seen)]]]
            ):
                chosen: list[int] = projects[order].tolist()
                return chosen
            count *= MORE

    def _candidates(self, standing: Standing) -> Ints:
        """Those who may have it in some pool, for some gain; of the projects with most GPUs in all first."""
        found = [self._scales.candidates(each.view, standing) for each in self._questions]
        if len(found) == 1:
            return found[0]
        return self._scales.by_size(np.unique(np.concatenate(found)))

    def _having(self, rivals: Ints, standing: Standing) -> Ints:
        """Those of some candidates who have the standing."""
        pool = self._field.pool[rivals]
        found = np.zeros(len(rivals), dtype=bool)
        for question in self._questions:
            found |= self._has_each(question, rivals, pool, standing)
        return rivals[found]

    def _has_each(self, question: Question, rivals: Ints, pool: Ints, standing: Standing) -> Flags:
        """Which of some rivals in their pools have the standing."""
        field, view = self._field, question.view
        place, worth = view.place[rivals], field.worth[rivals]
        gain, is_compared = question.less[pool], view.is_compared[rivals]
        match standing:
            case Standing.GUARANTEED:
                found = (place == PLACES[standing]) & ~np.isnan(gain)
            case Standing.AHEAD:
                found = (place == PLACES[standing]) & ~np.isnan(gain)
                found |= is_compared & (worth > question.more[pool])
            case Standing.MOVE_COST:
                found = (place == PLACES[Standing.BEHIND]) & is_compared & (worth < gain)
                found &= worth + field.move_cost[rivals] >= gain
            case _:
                cost = field.move_cost[rivals] if standing is Standing.BEHIND else 0.0
                found = place == PLACES[standing]
                found &= np.where(is_compared, worth + cost < gain, ~np.isnan(gain))
        found &= field.project[rivals] != self._project
        return np.asarray(found)

    def _has(self, question: Question, standing: Standing) -> bool:
        certain, doubtful = _where(question, standing)
        own = self._own_pools  # its own units are no rivals
        doubtful[own] |= certain[own]
        certain[own] = False
        if certain.any():
            return True
        places = (self._field.of_pool(pool) for pool in np.flatnonzero(doubtful).tolist())
        return any(self._has_each(question, each, self._field.pool[each], standing).any() for each in places)


def _end(project: Ints, count: int) -> int:
    """How many of the rivals are of the projects of the first so many."""
    same = np.flatnonzero(project[count:] != project[count - 1])
    return count + int(same[0]) if len(same) else len(project)


def _where(question: Question, standing: Standing) -> tuple[Flags, Flags]:
    """Pools where somebody has the standing, the project itself included, and those where that is open."""
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
