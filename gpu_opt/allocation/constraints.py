"""The constraints of the allocation: one function per family, its inequality in the docstring.

:data:`FAMILIES` is the formulation's table of contents. A family yields named rows; the name is that
of the function and the indices. The same name heads the section in ``models/allocation.md``, the rule
of the checker and the golden file, and a test holds the sets equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from gpu_opt.allocation.variables import Variables
from gpu_opt.instance import MILLI, Instance

if TYPE_CHECKING:
    from pulp import LpAffineExpression, LpVariable

    Row = tuple[str, LpAffineExpression]
    Terms = Sequence[tuple[LpVariable, float]]


def expression(terms: Terms) -> LpAffineExpression:
    """Build Σ coefficient · variable in one step; adding term by term takes quadratic time."""
    from pulp import LpAffineExpression

    return LpAffineExpression.from_list(list(terms))


def every_variable_once(terms: Iterable[tuple[LpVariable, float]]) -> list[tuple[LpVariable, float]]:
    """The same sum, with one coefficient for every variable."""
    by_name: dict[str, tuple[LpVariable, float]] = {}
    for variable, each in terms:
        _, before = by_name.get(variable.name, (variable, 0.0))
        by_name[variable.name] = variable, before + each
    return list(by_name.values())


def pool_capacity(instance: Instance, variables: Variables) -> Iterator[Row]:
    """GPUs granted in a pool fit the pool: Σ_j x_jp ≤ ⌊C_p / u_p⌋ + over_p."""
    terms: list[list[tuple[LpVariable, float]]] = [[] for _ in instance.pools.names]
    for a, p in enumerate(instance.arcs.pool.tolist()):
        terms[p].append((variables.x[a], 1))
    for p, granted in enumerate(terms):
        if granted:
            over = [(variables.over_pool[p], -1)] if p in variables.over_pool else []
            yield f"pool_capacity_{p}", expression([*granted, *over]) <= instance.pools.units[p]


def team_total(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Compute granted under a team: T_n = Σ_{child m} T_m + Σ_{j of n, p} σ_p u_p x_jp."""
    terms: list[list[tuple[LpVariable, float]]] = [[(total, -1)] for total in variables.total]
    for n, parent in enumerate(instance.teams.parent):
        if parent >= 0:
            terms[parent].append((variables.total[n], 1))
    for j, own in enumerate(instance.projects.arcs):
        for a in own:
            compute = instance.pools.unit_compute[int(instance.arcs.pool[a])] / MILLI
            terms[instance.projects.team[j]].append((variables.x[a], compute))
    for n, counted in enumerate(terms):
        yield f"team_total_{n}", expression(counted) == 0


def team_cap(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Every team with a cap stays under it: T_n ≤ c_n + over_n."""
    for n, cap in enumerate(instance.teams.cap):
        if cap is not None:
            over = [(variables.over_team[n], -1.0)] if n in variables.over_team else []
            yield f"team_cap_{n}", expression([(variables.total[n], 1), *over]) <= cap / MILLI


def type_limit(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Every limit on a GPU type, in GPUs: Σ_{j ∈ n, p of g} u_p x_jp ≤ l_ng + over_ng."""
    for i, limit in enumerate(instance.limits):
        if len(limit.arcs):
            over = [(variables.over_limit[i], -1)] if i in variables.over_limit else []
            unit = [instance.pools.unit[p] for p in instance.arcs.pool[limit.arcs].tolist()]
            granted = [(variables.x[a], size) for a, size in zip(limit.arcs.tolist(), unit, strict=True)]
            yield f"type_limit_{i}", expression([*granted, *over]) <= limit.gpus


def team_guarantee(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Every team with a target reaches it or falls short: T_n + short_n ≥ τ_n."""
    for n, short in variables.short.items():
        terms = [(variables.total[n], 1), (short, 1)]
        yield f"team_guarantee_{n}", expression(terms) >= float(instance.teams.target[n])


def demand(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Nobody gets more than it asked for, in whole units: Σ_p x_jp / K_jp ≤ F_j (· y_j where m_j > 0).

    The row is written times the largest K_jp, in units of the pool where they are finest: coefficients are
    1 and more, so that CBC's tolerance is a sliver of a unit, however large the demand.
    """
    for j, own in enumerate(instance.projects.arcs):
        if not own:
            continue
        needed = instance.arcs.needed[own.start : own.stop].tolist()
        finest = max(needed)
        terms = [(variables.x[a], finest / units) for a, units in zip(own, needed, strict=True)]
        most = float(instance.projects.most_share[j] * finest)
        if j in variables.y:
            yield f"demand_{j}", expression([*terms, (variables.y[j], -most)]) <= 0
        else:
            yield f"demand_{j}", expression(terms) <= most


def minimum(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Nothing, or at least the minimum, where m_j > 0: Σ_p s_jp u_p x_jp ≥ m_j y_j."""
    for j, terms in _own_compute(instance, variables):
        if j in variables.y:
            least = instance.projects.minimum[j] / MILLI
            yield f"minimum_{j}", expression([*terms, (variables.y[j], -least)]) >= 0


def one_pool(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Pools where it is, or one other: Σ_{p: w=0} k_j z_jp + Σ_{p: w>0} z_jp ≤ k_j (· y_j where m_j > 0).

    And x_jp ≤ (upper bound of x_jp) · z_jp.
    """
    for j, own in enumerate(instance.projects.arcs):
        most = instance.projects.one_pool[j]
        if not most or not own:
            continue
        chosen = [(variables.z[a], 1.0 if instance.arcs.wanted[a] else float(most)) for a in own]
        if j in variables.y:
            yield f"one_pool_{j}", expression([*chosen, (variables.y[j], -most)]) <= 0
        else:
            yield f"one_pool_{j}", expression(chosen) <= most
        for a in own:
            upper = -float(instance.arcs.upper[a])
            yield f"one_pool_{j}_{a}", expression([(variables.x[a], 1), (variables.z[a], upper)]) <= 0


def value(instance: Instance, variables: Variables) -> Iterator[Row]:
    """Only compute that is granted is valued: Σ_k v_jk ≤ Σ_p s_jp u_p x_jp; v_jk ≤ a_k d_j y_j where m_j > 0.

    The second adds nothing but a tighter relaxation.
    """
    for j, terms in _own_compute(instance, variables):
        valued = [(segment, 1.0) for segment in variables.v[j]]
        granted = [(x, -compute) for x, compute in terms]
        yield f"value_{j}", expression([*valued, *granted]) <= 0
        if j in variables.y:
            for k, segment in enumerate(variables.v[j]):
                most = float(instance.segments[k][0] * instance.projects.demand[j] / MILLI)
                yield f"value_{j}_{k}", expression([(segment, 1.0), (variables.y[j], -most)]) <= 0


def moves(instance: Instance, variables: Variables) -> Iterator[Row]:
    """A GPU that is wanted and not kept is moved: u_p x_jp + moved_jp ≥ w_jp."""
    for a, moved in variables.moved.items():
        unit = instance.pools.unit[int(instance.arcs.pool[a])]
        wanted = int(instance.arcs.wanted[a]) * unit
        yield f"moves_{a}", expression([(variables.x[a], unit), (moved, 1)]) >= wanted


def move_budget(instance: Instance, variables: Variables) -> Iterator[Row]:
    """No more GPUs than `max_moves` are moved: Σ_jp moved_jp ≤ M."""
    if instance.max_moves is not None and variables.moved:
        terms = [(moved, 1.0) for moved in variables.moved.values()]
        yield "move_budget", expression(terms) <= instance.max_moves


def pinned(instance: Instance, variables: Variables) -> Iterator[Row]:
    """The holdings of a pinned project stay: u_p x_jp ≥ h_jp, in units."""
    for j, own in enumerate(instance.projects.arcs):
        for a in own:
            if instance.projects.pinned[j] and instance.arcs.wanted[a]:
                yield f"pinned_{a}", expression([(variables.x[a], 1)]) >= int(instance.arcs.wanted[a])


def changes(instance: Instance, variables: Variables) -> Iterator[Row]:
    """What is granted otherwise than before is changed: |u_p x_jp − q_jp| ≤ changed_jp where q_jp > 0."""
    for a, changed in variables.changed.items():
        assert instance.arcs.near is not None
        unit, near = instance.pools.unit[int(instance.arcs.pool[a])], int(instance.arcs.near[a])
        yield f"changes_{a}_less", expression([(variables.x[a], unit), (changed, 1)]) >= near
        yield f"changes_{a}_more", expression([(variables.x[a], unit), (changed, -1)]) <= near


FAMILIES: tuple[Callable[[Instance, Variables], Iterator[Row]], ...] = (
    pool_capacity,
    team_total,
    team_cap,
    type_limit,
    team_guarantee,
    demand,
    minimum,
    one_pool,
    value,
    moves,
    move_budget,
    pinned,
    changes,
)
"""Every constraint family; `earlier_goals` rows are added while the goals are optimized one by one."""


def _own_compute(
    instance: Instance, variables: Variables
) -> Iterator[tuple[int, list[tuple[LpVariable, float]]]]:
    """Yield Σ_p s_jp u_p x_jp of every project that has arcs."""
    for j, own in enumerate(instance.projects.arcs):
        if own:
            yield j, [(variables.x[a], int(instance.arcs.own[a]) / MILLI) for a in own]
