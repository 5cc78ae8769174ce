"""Whom a change concerns: who would have to give, and who would take before the subject does.

A change is judged by the best plan in a frame of these projects. Somebody who comes first, and would take
what the change makes room for, must be in it: without them the frame would say that less is enough.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from gpu_opt.allocation.appraisal import moved_gpus
from gpu_opt.allocation.barriers import wanted_units
from gpu_opt.allocation.rivals import Rival, gains, helps_guarantee
from gpu_opt.explanation.wish import Case
from gpu_opt.instance import MILLI

MOST_AHEAD = 10
"""Projects that come first; a change that more would take from is not tried: the frame would be too large."""

REACHES = ((4, 1.5), (8, 4.0))
"""For a small frame, and for a larger one where the small one did not do: projects of a kind that may have to
give, and times what is lacking that they have between them."""

type Reach = tuple[int, float]


def ahead(case: Case, opened: Collection[int]) -> tuple[int, ...]:
    """Projects that lack something and come first, of those with an arc on which a change makes room."""
    projects = case.instance.projects
    mine = set(case.wish.projects)
    last = min(_rank_of_last_unit(case, j) for j in mine)
    found = []
    for j in sorted({int(case.instance.arcs.project[a]) for a in opened} - mine):
        steps = wanted_units(case.situation, j) if case.lacks[j] else {}
        arcs = [a for a in steps if a in opened]
        best = float(gains(case.situation, arcs, [steps[a] for a in arcs]).max(initial=0.0))
        if best > 0 and (helps_guarantee(case.situation, j) or (-projects.tier[j], best) > last):
            found.append(j)
    return tuple(found)


def _rank_of_last_unit(case: Case, project: int) -> tuple[int, float]:
    """The project's tier (negated), and what the last unit of its demand is worth for a reference GPU."""
    projects, own = case.instance.projects, case.instance.projects.arcs[project]
    least = min(float(worth) for _, worth in case.instance.segments)
    rates = [case.own(a) / case.counted(a) for a in own]
    return -projects.tier[project], projects.priority[project] * least * min(rates, default=0.0)


def donors(
    case: Case, reach: Reach = REACHES[0], freed: Collection[int] = (), *, anywhere: bool = False
) -> tuple[Rival, ...]:
    """Who loses least by giving the subject what it lacks.

    First those who can give without a move, or with those that are left. Where that is not enough, also
    holders, with those who give back GPUs that were moved to them: that makes moves free. Where a cap above
    leaves too little, those under it. `freed`: projects that a change lets give; `anywhere`: also where the
    subject may not have more today, as it must stay in one pool.
    """
    most, times = reach
    needed = case.compute_lacking * times
    rivals = sorted(_rivals(case, anywhere), key=lambda one: _reluctance(case, one, freed))
    givers, found = _cover(case, needed, most, [(each, _spare_units(case, each, freed)) for each in rivals])
    chosen = [*givers, *_under_tight_caps(case, times, most)]
    if found < needed and case.situation.moves_left is not None:
        held = [(each, _held_units(case, each, freed)) for each in rivals if each not in givers]
        chosen += _cover(case, needed - found, most, held)[0]
        moved = moved_gpus(case.instance, case.seen.x)
        pools = {int(case.instance.arcs.pool[a]) for a in moved.nonzero()[0].tolist()}
        anew = [(each, _beyond(case, each)) for p in sorted(pools) for each in case.contest.in_pool(p)]
        anew.sort(key=lambda pair: _reluctance(case, pair[0], freed))
        chosen += _cover(case, needed - found, most, [pair for pair in anew if pair[0] not in givers])[0]
    return tuple(dict.fromkeys(chosen))


def _under_tight_caps(case: Case, times: float, most: int) -> Iterator[Rival]:
    """Others under the caps above the subject that leave less than it lacks."""
    shared = set.intersection(*(set(case.situation.chain(j)) for j in case.wish.projects))
    for n in sorted(shared):
        cap = case.instance.teams.cap[n]
        slack = math.inf if cap is None else (cap - int(case.situation.total[n])) / MILLI
        if slack < case.compute_lacking:
            mates = [each for each in case.contest.under(n) if each.project not in case.wish.projects]
            mates.sort(key=lambda one: _reluctance(case, one, ()))
            spare = [(each, _beyond(case, each) + _held_units(case, each, ())) for each in mates]
            yield from _cover(case, (case.compute_lacking - slack) * times, most, spare)[0]


def moved_out(case: Case, givers: Collection[Rival], reach: Reach) -> list[int]:
    """From whom GPUs were taken in pools where somebody has more than before, the largest losses first."""
    arcs, moved = case.instance.arcs, moved_gpus(case.instance, case.seen.x)
    pools = {int(arcs.pool[each.arc]) for each in givers if _beyond(case, each)}
    losses = [a for a in moved.nonzero()[0].tolist() if int(arcs.pool[a]) in pools]
    losses.sort(key=lambda a: -int(moved[a]))
    return list(dict.fromkeys(int(arcs.project[a]) for a in losses))[: reach[0]]


def _cover(
    case: Case, needed: float, most: int, rivals: Sequence[tuple[Rival, int]]
) -> tuple[tuple[Rival, ...], float]:
    """The first that have what is needed between them, as far as it goes, and what they have."""
    found: list[Rival] = []
    projects: set[int] = set()
    covered = 0.0
    for rival, units in rivals:
        if covered >= needed:
            break
        if not units or (len(projects) == most and rival.project not in projects):
            continue
        found.append(rival)
        projects.add(rival.project)
        covered += units * case.counted(rival.arc) / MILLI
    return tuple(found), covered


def _rivals(case: Case, anywhere: bool) -> Iterator[Rival]:
    """Everybody else in the pools where the subject's projects could have more."""
    arcs = [a for j in case.wish.projects for a in _arcs_to_gain_on(case, j, anywhere)]
    for p in sorted({int(case.instance.arcs.pool[a]) for a in arcs}):
        yield from (each for each in case.contest.in_pool(p) if each.project not in case.wish.projects)


def _arcs_to_gain_on(case: Case, project: int, anywhere: bool) -> list[int]:
    """A project that must stay in one pool stays where it is, if it is somewhere."""
    own = case.instance.projects.arcs[project]
    used = [a for a in own if case.seen.x[a]]
    is_bound = bool(used) and case.instance.projects.one_pool[project] > 0 and not anywhere
    return used if is_bound else list(own)


def _reluctance(case: Case, rival: Rival, freed: Collection[int]) -> tuple[bool, bool, int, float]:
    """Who loses a guarantee that the subject does not share comes last; then by tier and by worth."""
    shared = set.intersection(*(set(case.situation.chain(j)) for j in case.wish.projects))
    is_promised = any(n not in shared for n in rival.guaranteed)
    return rival.project not in freed, is_promised, -rival.tier, rival.worth


def _spare_units(case: Case, rival: Rival, freed: Collection[int]) -> int:
    """Units that it may give: not those that are pinned, nor more than may be moved."""
    left = case.situation.moves_left
    held = _held_units(case, rival, freed)
    return _beyond(case, rival) + (held if left is None else min(held, left // case.unit(rival.arc)))


def _beyond(case: Case, rival: Rival) -> int:
    """Units beyond what it holds."""
    return max(0, int(case.seen.x[rival.arc]) - int(case.instance.arcs.wanted[rival.arc]))


def _held_units(case: Case, rival: Rival, freed: Collection[int]) -> int:
    """Units that it holds and that are not pinned."""
    if case.instance.projects.pinned[rival.project] and rival.project not in freed:
        return 0
    return min(int(case.seen.x[rival.arc]), int(case.instance.arcs.wanted[rival.arc]))
