"""Why rivals keep what a project lacks: their last units against its next.

Whether any rival has a standing is known from what :mod:`gpu_opt.allocation.standing` sums up by pool; who it
is, is looked for among the largest rivals first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from gpu_opt.allocation.barriers import Barrier
from gpu_opt.allocation.rivals import NO_LEVEL, Contest, Flags, Floats, gains, rows_of_teams, short_level
from gpu_opt.allocation.spread import arcs_used
from gpu_opt.allocation.standing import NONE, PLACES, Question, Standing, View, where
from gpu_opt.instance import Ints, add_up

VIEWS_IN_MIND = 16
"""Views that are kept, and their candidates: those of one team, if its projects are asked about one after the
other."""

AT_FIRST, MORE = 500, 8
"""Rivals among which the largest of a standing are looked for, and how many times as many the next time."""


class Scales:
    """What weighs the rivals of a plan against its projects."""

    def __init__(self, contest: Contest) -> None:
        self._situation, self.field = contest.situation, contest.field
        instance, field = self._situation.instance, self.field
        self.teams, self._pools = len(instance.teams.names), len(instance.pools.names)
        """How many there are."""
        self.total = add_up(field.project, field.gpus, len(instance.projects.names))
        """GPUs of every project."""
        self._rows = rows_of_teams(self._situation)
        levels = (np.flatnonzero(field.guaranteed[:, level]) for level in range(self._rows.shape[1]))
        self._promised = [(at, field.chain[at, level]) for level, at in enumerate(levels)]
        """By level, the rivals whose units keep a promise there, and to which teams."""
        left = self._situation.moves_left
        is_stuck = np.zeros(len(field.arc), bool) if left is None else field.needs_moves > left
        self._place = np.full(len(is_stuck), PLACES[Standing.BEHIND], dtype=np.int8)
        self._place[is_stuck] = PLACES[Standing.MOVES_SPENT]
        self._place[field.is_pinned] = PLACES[Standing.PINNED]
        self._by_size = self.by_size(np.arange(len(field.arc)))
        self._types = np.array(instance.pools.types)
        self._view = lru_cache(VIEWS_IN_MIND)(self._viewed)
        self.candidates = lru_cache(VIEWS_IN_MIND)(self._found)
        """Rivals who may have a standing of a view in some pool, for some gain, in the order of `by_size`."""

    def pools_of(self, project: int) -> Ints:
        """Where the project has units."""
        instance = self._situation.instance
        pools: Ints = instance.arcs.pool[arcs_used(instance, self._situation.x, project)]
        return pools

    def by_size(self, rivals: Ints) -> Ints:
        """Rivals, of the projects with most GPUs in all first."""
        project = self.field.project[rivals]
        ordered: Ints = rivals[np.lexsort((project, -self.total[project]))]
        return ordered

    def weigh(self, blocked: Mapping[int, tuple[Barrier, ...]], steps: Mapping[int, int]) -> Weighed:
        """All rivals that could make room for so many units on a project's arcs, where these barriers are.

        A full pool is left by those who are in it. A cap or a limit that is in the way, too, is left by those
        who are under its team; where the pool has room, by their units anywhere, of the type if there is one.
        """
        instance, arcs = self._situation.instance, [*blocked]
        gained = gains(self._situation, arcs, [steps[arc] for arc in arcs])
        project, pools = int(instance.arcs.project[arcs[0]]), instance.arcs.pool[arcs].tolist()
        in_pool: dict[int | None, list[int]] = {}
        anywhere: list[tuple[int | None, Floats]] = []
        for place, found in enumerate(blocked.values()):
            under = self._lowest_team(found)
            families = [each.family for each in found]
            if "pool_capacity" in families:
                in_pool.setdefault(under, []).append(place)
            elif "type_limit" in families:
                of_type = self._types == self._types[pools[place]]
                anywhere.append((under, np.where(of_type, gained[place], np.nan)))
            elif under is not None:
                anywhere.append((under, np.full(self._pools, gained[place])))
        asked = []
        for under, places in in_pool.items():
            gain = np.full(self._pools, np.nan)
            gain[instance.arcs.pool[arcs][places]] = gained[places]
            asked.append((under, gain))
        of = instance.projects.team[project], instance.projects.tier[project]
        questions = [Question(self._view(*of, under), gain) for under, gain in (*asked, *anywhere)]
        return Weighed(self, project, questions)

    def _lowest_team(self, barriers: Sequence[Barrier]) -> int | None:
        """The lowest of the teams whose caps and limits are in the way."""
        if len(barriers) == 1 and barriers[0].family == "pool_capacity":  # nearly always
            return None
        instance = self._situation.instance
        teams = [each.place for each in barriers if each.family == "team_cap"]
        teams += [instance.limits[each.place].team for each in barriers if each.family == "type_limit"]
        return max(teams, key=lambda n: instance.teams.level[n]) if teams else None

    def _found(self, view: View, standing: Standing) -> Ints:
        place = view.place[self._by_size]
        if standing is Standing.AHEAD:
            chosen = (place == PLACES[standing]) | view.is_compared[self._by_size]
        elif standing is Standing.MOVE_COST:
            chosen = (place == PLACES[Standing.BEHIND]) & view.is_compared[self._by_size]
        else:
            chosen = place == PLACES[standing]
        found: Ints = self._by_size[chosen]
        return found

    def _viewed(self, team: int, tier: int, under: int | None) -> View:
        """What the projects of a team and tier see of the rivals under a team; None: of all."""
        field, situation = self.field, self._situation
        promised = np.full(len(field.arc), NO_LEVEL)  # the highest level of a promise to others
        for level in reversed(range(self._rows.shape[1])):
            at, teams = self._promised[level]
            promised[at[teams != self._rows[team, level]]] = level
        short = short_level(situation, team)
        is_same, place = promised == short, self._place.copy()
        place[is_same & (field.tier < tier) & (field.worth > 0)] = PLACES[Standing.AHEAD]
        place[promised < short] = PLACES[Standing.GUARANTEED]
        is_compared = is_same & (field.tier == tier)
        if under is not None:
            outside = field.chain[:, situation.instance.teams.level[under]] != under
            place[outside], is_compared[outside] = NONE, False
        return View(field, place, is_compared, promised, pools=self._pools, teams=self.teams)


class Weighed:
    """All rivals, weighed against one project."""

    def __init__(self, scales: Scales, project: int, questions: Sequence[Question]) -> None:
        self._scales, self._field, self._project = scales, scales.field, project
        self._questions = questions
        self._own_pools = scales.pools_of(project)

    def has(self, standing: Standing) -> bool:
        """Whether any rival has the standing."""
        return any(self._has(question, standing) for question in self._questions)

    def has_higher_tier(self) -> bool:
        """Whether a rival that is ahead is of a tier above the project's: one that is decided before."""
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
        views = dict.fromkeys(question.view for question in self._questions)
        found = [self._scales.candidates(view, standing) for view in views]
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
        certain, doubtful = where(question, standing)
        own = self._own_pools  # its own units are no rivals
        doubtful[own] |= certain[own]
        certain[own] = False
        if certain.any():
            return True
        places = (self._field.of_pool(pool) for pool in np.flatnonzero(doubtful).tolist())
        return any(self._has_each(question, each, self._field.pool[each], standing).any() for each in places)


def _end(project: Ints, count: int) -> int:
    """Where the project of the last of the first so many rivals ends."""
    same = np.flatnonzero(project[count:] != project[count - 1])
    return count + int(same[0]) if len(same) else len(project)
