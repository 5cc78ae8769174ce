"""What a team gains at most within its own cap and guarantee, where projects come in lumps.

A price on a team's cap convexifies: at it the team may fund a third of a project that wants its minimum or
nothing, or that must move from one pool to another as a whole. Where caps bind, that is most of the distance
between the relaxation and the best plan. A team with a dozen projects has few such lumps, so they are
branched on, with the one price β of the team's own budget found anew in every branch (branch and bound with
a Lagrangian bound: Fisher 1981; the choice of one entry per project is a multiple-choice knapsack: Sinha,
Zoltners 1979).

All else that the team competes for keeps its price. What a project gains is convex in β, so that its values
at a few β, computed for all projects at once, bound it everywhere between by chords; the branching then
only adds rows of a table.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gpu_opt.allocation.strategy.prices import Aim, Prices, price_of, right_hand_side
from gpu_opt.allocation.strategy.pricing import OUTWARD, Market, Offers, make_offers, price
from gpu_opt.allocation.strategy.table import Floats, Table, add_up
from gpu_opt.instance import MILLI, Instance

STEPS = (0.0, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4, 2.0)
"""Distances from the price at hand, as shares of it, at which projects are priced; to both sides."""

BETWEEN = 4
"""Pieces into which the table cuts the way from one of these prices to the next."""

NODES = 80
"""Branches of one team at most."""

Row = Floats
"""What something gains at every β of the table."""


@dataclass(frozen=True, slots=True)
class Lump:
    """A project that takes one of a few things; one row of the table for each, by ascending compute."""

    project: int
    rows: Floats
    """Shape (entries, prices)."""
    arcs: tuple[int, ...]
    """The arc of each entry; NOTHING, or SOME if it may be spread over pools."""
    least: Floats
    """Compute of each entry, at least; as budgets count it."""
    most: Floats


NOTHING, SOME = -1, -2


@dataclass(frozen=True, slots=True)
class Choice:
    """What a team would choose within its budget, and what it gains at most."""

    team: int
    gain: float
    """By how much less than at the one price of its budget."""
    taken: tuple[tuple[int, int], ...]
    """(project, arc) of every lump: the arc that it takes, NOTHING or SOME. Empty where nothing had to be
    branched on: the relaxation decides as well."""


def choose_lumps(market: Market, aim: Aim, prices: Prices, over: Callable[[], bool]) -> tuple[Choice, ...]:
    """The choice of every team without teams below it whose budget has a price."""
    instance = market.table.instance
    own = np.asarray(prices.cap - prices.guarantee)
    teams = [n for n in lone_teams(instance) if own[n]]
    if not teams or over():
        return ()
    shifts = np.array(sorted({*STEPS, *(-step for step in STEPS)}))
    grid = _grid(instance, own, shifts)
    offers = []
    for at in grid.T:
        if over():
            return ()
        moved = replace(prices, cap=np.where(_among(teams, own), np.maximum(at, 0.0), prices.cap))
        moved = replace(moved, guarantee=np.where(_among(teams, own), np.maximum(-at, 0.0), prices.guarantee))
        offers.append(make_offers(market, aim, moved))
    spread = np.stack([each.spread for each in offers], axis=1)
    priced = price(market, aim, prices)
    here = make_offers(market, aim, prices)
    earned = right_hand_side(market.table, aim, prices).team
    book = _Book(market, here, spread, priced.profit, earned, own, grid, _reach(market.table))
    return tuple(_choose(book, aim, prices, n) for n in teams if not over())


def lone_teams(instance: Instance) -> list[int]:
    """Teams that have projects of their own and none in teams below them."""
    own = np.zeros(len(instance.teams.names), dtype=np.int64)
    for team, arcs in zip(instance.projects.team, instance.projects.arcs, strict=True):
        own[team] += len(arcs) > 0
    below = np.zeros_like(own)
    for n in reversed(range(len(own))):
        if instance.teams.parent[n] >= 0:
            below[instance.teams.parent[n]] += below[n] + own[n]
    return [n for n in range(len(own)) if own[n] and not below[n]]


@dataclass(frozen=True, slots=True)
class _Book:
    """All that was priced."""

    market: Market
    here: Offers
    spread: Floats
    """What a project gains that takes its minimum at least, in any pools; shape (projects, prices)."""
    profit: Floats
    """At the prices at hand."""
    earned: Floats
    """What every team's own rows earn at the prices at hand, where a cap and a target may both have one."""
    own: Floats
    """β of every team at hand."""
    grid: Floats
    """β at which was priced; (teams, prices)."""
    reach: Floats
    """The most compute that budgets can count of a project; shape (projects,)."""


def _among(teams: list[int], own: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    mask = np.zeros(len(own), dtype=bool)
    mask[teams] = True
    return mask


def _grid(instance: Instance, own: Floats, shifts: Floats) -> Floats:
    """β to price at, for every team: above 0 only where it has a cap, below only where it has a target."""
    grid = own[:, None] + np.abs(own)[:, None] * shifts
    has_cap = np.array([cap is not None for cap in instance.teams.cap])
    has_target = np.array([target > 0 for target in instance.teams.target])
    grid = np.where(has_cap[:, None], grid, np.minimum(grid, 0.0))
    return np.asarray(np.where(has_target[:, None], grid, np.maximum(grid, 0.0)))


def _choose(book: _Book, aim: Aim, prices: Prices, team: int) -> Choice:
    table = book.market.table
    projects = book.market.of_team[team]
    coarse = book.grid[team]
    fine = np.unique(np.concatenate([np.linspace(a, b, BETWEEN + 1) for a, b in itertools.pairwise(coarse)]))
    lumps, rest = [], _earned(table.instance, aim, prices, team, fine)
    for j in projects:
        lump = _lump(book, j, fine - book.own[team], coarse, fine)
        if isinstance(lump, Lump):
            lumps.append(lump)
        else:
            rest = rest + lump
    bound, taken = _branch(lumps, rest)
    before = float(book.earned[team] + book.profit[projects].sum())
    outward = OUTWARD * float(np.abs(rest).max() + sum(np.abs(lump.rows).max() for lump in lumps))
    return Choice(team, max(0.0, before - bound - outward), _kept_promise(book, team, taken))


def _reach(table: Table) -> Floats:
    """The most compute that budgets can count of every project."""
    needed = table.instance.arcs.needed.astype(np.float64)
    whole, alone = np.zeros(len(table.tier)), np.zeros(len(table.tier))
    np.maximum.at(whole, table.project, needed * table.counted)
    np.maximum.at(alone, table.project, table.upper * table.counted)
    together = add_up(table.project, table.upper * table.counted, len(table.tier))
    return np.where(table.single, alone, np.minimum(whole, together))


def _kept_promise(book: _Book, team: int, taken: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The same, but where what is left cannot reach the team's target, some of those with nothing have some.

    The prices at hand may say that a project is not worth its minimum while only that keeps the promise: it
    comes before anything that has a price. The smallest that is enough is taken, else the largest first.
    """
    table, own = book.market.table, book.market.of_team[team].tolist()
    cap, target = table.instance.teams.cap[team], float(table.instance.teams.target[team])
    given_up = {project for project, arc in taken if arc == NOTHING}
    left = sum(book.reach[j] for j in own if j not in given_up)
    room = np.inf if cap is None else cap / MILLI - sum(table.minimum[j] for j in own if j not in given_up)
    while left < target and (possible := [j for j in given_up if table.minimum[j] <= room]):
        enough = [j for j in possible if left + book.reach[j] >= target]
        wanted = min(enough or possible, key=lambda j: (book.reach[j] * (1 if enough else -1), j))
        given_up.remove(wanted)
        left, room = left + book.reach[wanted], room - table.minimum[wanted]
        taken = tuple((j, SOME if j == wanted else arc) for j, arc in taken)
    return taken


def _earned(instance: Instance, aim: Aim, prices: Prices, team: int, own: Floats) -> Row:
    """What the team's own rows earn at β: the cap above 0, the target below."""
    cap, target = instance.teams.cap[team], float(instance.teams.target[team])
    repair = price_of(aim, prices, "repair")
    short = price_of(aim, prices, "guarantee", instance.teams.level[team])
    above, below = np.maximum(own, 0.0), np.maximum(-own, 0.0)
    earned = above * (cap or 0) / MILLI + np.maximum(0.0, above - repair) * instance.teams.over[team] / MILLI
    return np.asarray(earned - below * target + np.maximum(0.0, below - short) * target)


def _lump(book: _Book, project: int, shift: Floats, coarse: Floats, fine: Floats) -> Lump | Row:
    """The project's entries; or its one row, where it is no lump."""
    table = book.market.table
    nothing = float(book.here.nothing[project])
    if table.single[project]:
        return _in_one_pool(book, project, nothing, shift)
    some = np.interp(fine, coarse, book.spread[project])
    if table.minimum[project] and nothing > -np.inf:
        return Lump(
            project, np.stack([np.full(len(fine), nothing), some]), (NOTHING, SOME), np.zeros(2), np.zeros(2)
        )
    return np.asarray(np.maximum(some, nothing))


def _in_one_pool(book: _Book, project: int, nothing: float, shift: Floats) -> Lump:
    """Nothing, or from one kink of an arc to the next: between them its gain is linear in the units."""
    table, menu = book.market.table, book.market.menu
    entries = np.arange(book.market.menu_of[project].start, book.market.menu_of[project].stop)
    cheapest = book.here.cheapest[menu.kind[entries]]
    order = np.lexsort((menu.units[entries], cheapest))
    arc, units, gains = cheapest[order], menu.units[entries][order], book.here.menu[entries][order]
    if not table.minimum[project] and nothing > -np.inf:  # it may also have a little
        own = np.unique(arc)
        arc, units = np.r_[own, arc], np.r_[np.zeros(len(own)), units]
        gains = np.r_[np.full(len(own), nothing), gains]
        rank = np.lexsort((units, arc))
        arc, units, gains = arc[rank], units[rank], gains[rank]
    compute = table.counted[arc] * units
    follows = np.flatnonzero((arc[1:] == arc[:-1]) & (units[1:] > units[:-1]))
    alone = np.flatnonzero(~np.isin(arc, arc[follows]))
    low, high = np.r_[alone, follows], np.r_[alone, follows + 1]
    rank = np.argsort(compute[low], kind="stable")
    low, high = low[rank], high[rank]
    rows = np.maximum(
        gains[low, None] - compute[low, None] * shift, gains[high, None] - compute[high, None] * shift
    )
    if nothing == -np.inf:
        return Lump(project, rows, tuple(arc[low].tolist()), compute[low], compute[high])
    rows = np.vstack([np.full(len(shift), nothing), rows])
    least, most = np.r_[0.0, compute[low]], np.r_[0.0, compute[high]]
    return Lump(project, rows, (NOTHING, *arc[low].tolist()), least, most)


def _branch(lumps: list[Lump], rest: Row) -> tuple[float, tuple[tuple[int, int], ...]]:
    """The most that the lumps and the rest gain together, and what the lumps take then."""
    whole = [(0, len(lump.rows)) for lump in lumps]
    best = [lump.rows.max(axis=0) for lump in lumps]
    total = rest + sum(best, np.zeros_like(rest))
    heap = [(-float(total.min()), 0, whole, total)]
    count = 0
    while True:
        negative, _, ranges, total = heap[0]
        at = int(total.argmin())
        widest = _widest_jump(lumps, ranges, at)
        if widest is None or count >= NODES:
            taken = [
                (lump.project, lump.arcs[low + int(lump.rows[low:high, at].argmax())])
                for lump, (low, high) in zip(lumps, ranges, strict=True)
            ]
            return -negative, tuple(taken) if count else ()
        heapq.heappop(heap)
        index, cut = widest
        low, high = ranges[index]
        rows = lumps[index].rows
        without = total - rows[low:high].max(axis=0)
        for part in ((low, cut), (cut, high)):
            count += 1
            again = without + rows[part[0] : part[1]].max(axis=0)
            heapq.heappush(
                heap, (-float(again.min()), count, [*ranges[:index], part, *ranges[index + 1 :]], again)
            )


def _widest_jump(lumps: list[Lump], ranges: list[tuple[int, int]], at: int) -> tuple[int, int] | None:
    """The lump that jumps furthest where the bound is least, and the entry that begins its upper branch."""
    widest, found = 0.0, None
    for index, (lump, (low, high)) in enumerate(zip(lumps, ranges, strict=True)):
        if high - low < 2:
            continue
        rows = lump.rows[low:high, max(0, at - 1) : at + 2]
        more, less = int(rows[:, 0].argmax()), int(rows[:, -1].argmax())
        jump = float((rows[less, -1] - rows[less, 0]) - (rows[more, -1] - rows[more, 0]))
        more, less = low + more, low + less
        goes_on = lump.arcs[more] == lump.arcs[less] and lump.least[more] <= lump.most[less]
        if more != less and not goes_on and jump > widest:
            widest, found = jump, (index, max(more, less))
    return found
