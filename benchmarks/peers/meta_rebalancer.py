"""Meta's Rebalancer, which assigns objects to containers: local search, and its MIP by HiGHS.

An object is one allocation unit of a project, a container is a pool, or ``nowhere``; what a unit is worth
depends on where it is. Of ``models/allocation.md`` it can say: `pool_capacity`, where a project runs,
`team_total` with `team_cap`, `type_limit`, `demand`, `minimum`, `one_pool`, `move_budget`, `pinned`, as
constraints; `team_guarantee`, `value` and the cost of moves as goals, each a shortfall below an amount. What
it is not told: `repair` (what today's holdings break is a constraint for it like any other), and that
one-pool projects which are in several pools today may not move to several others. It starts from the greedy
plan, and tells no bound. The wheel (1.0.4) solves toys by its MIP, but dies on this model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.objective import goal_weights
from benchmarks.peer import Peer, Proof, Run, Task
from benchmarks.program import grants_of, greedy_units
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.organization import Organization

NOWHERE = "nowhere"
ALL = "all"
ABSOLUTE, MAX, MIN = 1, 1, 2
"""The values of its enumerations LimitType and GroupCountSpecBound."""

HIGHS = 2
"""Of OptimalSolverPackage."""

NEVER = 1e6
"""Units that something takes in a pool where it does not run: more than any pool has."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Units, named by project, the pool that the project holds them in today (or free), and number."""

    names: dict[tuple[int, int], list[str]]
    """By project, and pool in which the unit is held today (-1: none)."""
    project_of: dict[str, int]


def _objects(instance: Instance) -> Objects:
    names: dict[tuple[int, int], list[str]] = {}
    for j, own in enumerate(instance.projects.arcs):
        most = max((int(instance.arcs.upper[a]) for a in own), default=0)
        held = {int(instance.arcs.pool[a]): int(instance.arcs.wanted[a]) for a in own}
        for p, units in held.items():
            if units:
                names[j, p] = [f"{j}.{p}.{k}" for k in range(units)]
        names[j, -1] = [f"{j}.free.{k}" for k in range(max(0, most - sum(held.values())))]
    return Objects(names, {name: j for (j, _), units in names.items() for name in units})


def _placed(instance: Instance, objects: Objects, units: Ints) -> dict[str, list[str]]:
    """Units by pool in the greedy plan, which takes nothing from its holder."""
    where: dict[str, list[str]] = {NOWHERE: [], **{str(p): [] for p in range(len(instance.pools.names))}}
    for j, own in enumerate(instance.projects.arcs):
        spare = list(objects.names[j, -1])
        for a in own:
            p, wanted = int(instance.arcs.pool[a]), int(instance.arcs.wanted[a])
            where[str(p)] += objects.names.get((j, p), [])
            more = int(units[a]) - wanted
            where[str(p)] += spare[:more]
            spare = spare[more:]
        where[NOWHERE] += spare
    return where


class Model:
    """The solver's problem while it is stated."""

    def __init__(self, organization: Organization, run: Run) -> None:
        from rebalancer import ProblemSolver

        self.run = run
        self.instance, units = greedy_units(organization)
        self.weights = goal_weights(organization)
        self.objects = _objects(self.instance)
        self.solver = ProblemSolver(service_name="benchmark", service_scope="benchmark")
        self.solver.set_log_level("ERR")
        self.solver.set_object_name("unit").set_container_name("pool")
        self.solver.set_assignment(_placed(self.instance, self.objects, units))
        pools = self.instance.pools
        everywhere = [NOWHERE, *(str(p) for p in range(len(pools.names)))]
        self.solver.add_scope(ALL, dict.fromkeys(everywhere, ALL))
        kinds = {str(p): kind for p, kind in enumerate(pools.types)}
        self.solver.add_scope("type", {NOWHERE: NOWHERE, **kinds})
        self._dimensions()
        self._constraints()
        self._goals()

    def _dimensions(self) -> None:
        """What a unit counts for in each pool, by project; nothing where it is granted nothing."""
        instance, solver = self.instance, self.solver
        by_project: dict[str, list[str]] = {}
        for (j, _), units in self.objects.names.items():
            by_project.setdefault(str(j), []).extend(units)
        self.by_project = {name: units for name, units in by_project.items() if units}
        solver.add_partition("project", self.by_project)
        by_holding = {f"{j}.{p}": units for (j, p), units in self.objects.names.items() if p >= 0}
        solver.add_partition("holding", by_holding)
        arcs = [
            (str(p), str(j), a)
            for a, (j, p) in enumerate(
                zip(instance.arcs.project.tolist(), instance.arcs.pool.tolist(), strict=True)
            )
            if str(j) in self.by_project
        ]
        pools = instance.pools
        room = {str(p): dict.fromkeys(self.by_project, NEVER) for p in range(len(pools.names))}
        counted: dict[str, dict[str, float]] = {name: {} for name in room}
        gpus: dict[str, dict[str, float]] = {name: {} for name in room}
        own: dict[str, dict[str, float]] = {name: {} for name in room}
        asked: dict[str, dict[str, float]] = {name: {} for name in room}
        worth: dict[str, dict[str, float]] = {name: {} for name in room}
        for pool, project, a in arcs:
            room[pool][project] = 1.0
            counted[pool][project] = pools.unit_compute[int(pool)] / MILLI
            gpus[pool][project] = float(pools.unit[int(pool)])
            own[pool][project] = int(instance.arcs.own[a]) / MILLI
            asked[pool][project] = self._finest(int(project)) / int(instance.arcs.needed[a])
            worth[pool][project] = (
                own[pool][project]
                * instance.projects.priority[int(project)]
                * self._tier_weight(int(project))
            )
        kept: dict[str, dict[str, float]] = {name: {} for name in room}
        lost: dict[str, dict[str, float]] = {name: {} for name in room}
        for j, p in self.objects.names:
            if p >= 0:
                kept[str(p)][f"{j}.{p}"] = float(pools.unit[p])
                lost[str(p)][f"{j}.{p}"] = pools.unit[p] * self._tier_weight(j)
        stated = {"room": room, "counted": counted, "gpus": gpus, "own": own, "asked": asked, "worth": worth}
        for name, values in stated.items():
            solver.add_dynamic_object_dimension_by_partition(name, "pool", "project", values)
        for name, values in {"kept": kept, "lost": lost}.items():
            solver.add_dynamic_object_dimension_by_partition(name, "pool", "holding", values)

    def _finest(self, j: int) -> int:
        """Units that meet the demand where they are finest, in which its row `demand` is written."""
        own = self.instance.projects.arcs[j]
        return int(self.instance.arcs.needed[own.start : own.stop].max())

    def _tier_weight(self, j: int) -> float:
        return float(self.weights.get(f"value_tier_{self.instance.projects.tier[j]}", 0))

    def _at(
        self, dimension: str, partition: str, bound: int, limits: Mapping[str, float], **more: Any
    ) -> dict[str, Any]:
        """Groups of a partition get at most, or at least, so much of a dimension, wherever it is."""
        unlimited = 0.0 if bound == MIN else 1e12
        limit = {"type": ABSOLUTE, "globalLimit": unlimited, "groupLimits": dict(limits)}
        named = {"name": f"{dimension} by {partition} {bound}", "scope": ALL, "partitionName": partition}
        return {"groupCountSpec": {**named, "dimension": dimension, "bound": bound, "limit": limit, **more}}

    def _constraints(self) -> None:
        instance, solver = self.instance, self.solver
        capacity = {str(p): float(units) for p, units in enumerate(instance.pools.units)}
        limit = {
            "type": ABSOLUTE,
            "globalLimit": float(len(self.objects.project_of)),
            "scopeItemLimits": capacity,
        }
        pool_capacity = {"name": "pool_capacity", "scope": "pool", "dimension": "room", "limit": limit}
        solver.add_constraint({"capacitySpec": pool_capacity})
        most = {
            j: float(instance.projects.most_share[int(j)] * self._finest(int(j))) for j in self.by_project
        }
        solver.add_constraint(self._at("asked", "project", MAX, most))
        least = {j: instance.projects.minimum[int(j)] / MILLI for j in self.by_project}
        solver.add_constraint(self._at("own", "project", MIN, least, zeroAllowed=True))
        self._team_constraints()
        one = {j: instance.projects.one_pool[int(j)] for j in self.by_project}
        self._one_pool({j: most for j, most in one.items() if most})
        self._moves()

    def _team_constraints(self) -> None:
        teams = self.instance.teams
        for level in sorted(set(teams.level)):
            groups = self._teams_at(level)
            self.solver.add_partition(f"level {level}", groups)
            caps = {n: cap / MILLI for n in groups if (cap := teams.cap[int(n)]) is not None}
            if caps:
                self.solver.add_constraint(self._at("counted", f"level {level}", MAX, caps))
        for limit in self.instance.limits:
            n, level = str(limit.team), teams.level[limit.team]
            if n in self._teams_at(level):
                by_type = {limit.gpu_type: {n: float(limit.gpus)}}
                amount = {"type": ABSOLUTE, "globalLimit": 1e12, "scopeItemToGroupLimits": by_type}
                spec = self._at("gpus", f"level {level}", MAX, {}, scope="type", limit=amount)
                spec["groupCountSpec"]["name"] = f"type_limit {n} {limit.gpu_type}"
                self.solver.add_constraint(spec)

    def _teams_at(self, level: int) -> dict[str, list[str]]:
        """Units by the team of the level that they are under; only teams that have some."""
        teams, groups = self.instance.teams, dict[str, list[str]]()
        for j, units in self.by_project.items():
            team = self.instance.projects.team[int(j)]
            while teams.level[team] > level:
                team = teams.parent[team]
            if teams.level[team] == level:
                groups.setdefault(str(team), []).extend(units)
        return groups

    def _one_pool(self, most: Mapping[str, int]) -> None:
        if most:
            groups = {j: self.by_project[j] for j in most}
            self.solver.add_partition("one_pool", groups)
            limits = {
                "type": ABSOLUTE,
                "globalLimit": 1.0,
                "groupLimits": {j: float(k) for j, k in most.items()},
            }
            spec = {"name": "one_pool", "scope": "pool", "partitionName": "one_pool", "limits": limits}
            self.solver.add_constraint(
                {"colocateGroupsSpec": {**spec, "bound": MAX, "filter": {"itemsBlacklist": [NOWHERE]}}}
            )

    def _moves(self) -> None:
        held = {(j, p): units for (j, p), units in self.objects.names.items() if p >= 0}
        pools, projects = self.instance.pools, self.instance.projects
        self.solver.add_partition("held", {"held": [name for units in held.values() for name in units]})
        gpus = sum(len(units) * pools.unit[p] for (_, p), units in held.items())
        if self.instance.max_moves is not None and held:
            kept = {"held": float(gpus - self.instance.max_moves)}
            self.solver.add_constraint(self._at("kept", "held", MIN, kept))
        if pins := [name for (j, _), units in held.items() if projects.pinned[j] for name in units]:
            self.solver.add_constraint({"avoidMovingSpec": {"name": "pinned", "objects": pins}})
        if held and self.instance.move_cost:
            wanted = sum(len(units) * pools.unit[p] * self._tier_weight(j) for (j, p), units in held.items())
            goal = self._at("lost", "held", MIN, {"held": wanted})
            self.solver.add_goal(goal, weight=float(self.instance.move_cost))

    def _goals(self) -> None:
        """Guarantees, and value: every segment is a shortfall below the end of it."""
        instance = self.instance
        targets: dict[int, dict[str, float]] = {}
        for n, target in enumerate(instance.teams.target):
            if target:
                targets.setdefault(instance.teams.level[n], {})[str(n)] = float(target)
        for level, wanted in targets.items():
            weight = -float(self.weights[f"guarantee_level_{level}"])
            self.solver.add_goal(self._at("counted", f"level {level}", MIN, wanted), weight=weight)
        shares = np.cumsum([float(share) for share, _ in instance.segments])
        values = [*(float(value) for _, value in instance.segments), 0.0]
        for k, share in enumerate(shares.tolist()):
            ends = {
                j: share * instance.projects.demand[int(j)] / MILLI * instance.projects.priority[int(j)]
                * self._tier_weight(int(j))
                for j in self.by_project
            }  # fmt: skip
            goal = self._at("worth", "project", MIN, ends)
            goal["groupCountSpec"]["name"] = f"value {k}"
            if values[k] > values[k + 1]:
                self.solver.add_goal(goal, weight=values[k] - values[k + 1])


def solve(task: Task, run: Run, *, by: str) -> Proof:
    """Run the local search with single moves and swaps, or the MIP; hand in what it ends with."""
    model = Model(task.organization, run)
    seconds = max(1, int(0.7 * run.left))  # whole seconds, besides those in which it sets itself up
    moves: list[dict[str, Any]] = [{"singleMoveTypeSpec": {}}, {"swapMoveTypeSpec": {}}]
    spec = (
        {"localSearchSolverSpec": {"solveTime": seconds, "moveTypeList": moves, "randomSeed": task.seed}}
        if by == "local search"
        else {"optimalSolverSpec": {"solveTime": seconds, "solverPackage": HIGHS}}
    )
    model.solver.add_solver(spec)
    assignment = model.solver.solve()["assignment"]
    arc_of = {
        (int(j), int(p)): a
        for a, (j, p) in enumerate(zip(model.instance.arcs.project, model.instance.arcs.pool, strict=True))
    }
    units = np.zeros(len(arc_of), dtype=np.int64)
    for name, pool in assignment.items():
        if pool != NOWHERE:
            units[arc_of[model.objects.project_of[name], int(pool)]] += 1
    run.hand_in(grants_of(model.instance, units))
    return Proof()


NEEDS = ("rebalancer", "benchmarks.program")
PEERS = (
    Peer("rebalancer", "Meta's Rebalancer, local search", partial(solve, by="local search"), NEEDS),
    Peer("rebalancer-mip", "Meta's Rebalancer, its MIP", partial(solve, by="MIP"), NEEDS),
)
