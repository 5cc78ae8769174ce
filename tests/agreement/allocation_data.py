"""The data section of ``models/allocation.mod``, written from an instance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.instance import MILLI, Instance

PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,100}")

Key = str | int | tuple[str, ...] | tuple[str, int]


def write_data(
    instance: Instance, goals: Sequence[GoalSpec], position: int, reached: Sequence[float], head: str = ""
) -> str:
    """The data for the goal at `position`, those before it held at the values `reached`."""
    lines = [f"# {line}" for line in head.splitlines()]
    lines += ["data;", *_pools(instance), *_teams(instance), *_projects(instance), *_arcs(instance)]
    lines += [*_policy(instance), *_goal(goals, position, reached), "end;"]
    return "\n".join(lines) + "\n"


def symbols(names: Sequence[str]) -> list[str]:
    """The names where MathProg can read them all, else their numbers."""
    plain = all(PLAIN.fullmatch(name) for name in names)
    return [f"'{name}'" for name in names] if plain else [f"'{number}'" for number in range(len(names))]


def _set(name: str, members: Iterable[Key]) -> list[str]:
    return [f"set {name} :=" + "".join(f"\n  {_key(each)}" for each in members) + ";"]


def _param(name: str, values: Mapping[Key, object]) -> list[str]:
    """One parameter by index; a zero is the default where the model has one, and is written all the same."""
    if not values:
        return []
    return [f"param {name} :=" + "".join(f"\n  {_key(key)} {each}" for key, each in values.items()) + ";"]


def _key(key: Key) -> str:
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _pools(instance: Instance) -> list[str]:
    pools = instance.pools
    names, types = symbols(pools.names), dict.fromkeys(_types(instance).values())
    kinds = _types(instance)

    def by_pool(values: Sequence[object]) -> dict[Key, object]:
        return dict(zip(names, values, strict=True))

    return [
        *_set("POOLS", names),
        *_set("TYPES", types),
        *_param("gpu_type", by_pool([kinds[kind] for kind in pools.types])),
        *_param("unit", by_pool(pools.unit)),
        *_param(
            "speed",
            by_pool([c / u / MILLI for c, u in zip(pools.unit_compute, pools.unit, strict=True)]),
        ),
        *_param("units", by_pool(pools.units)),
        *_param("excess_of_pool", by_pool(pools.over)),
    ]


def _types(instance: Instance) -> dict[str, str]:
    """The symbol of every GPU type."""
    kinds = list(dict.fromkeys([*instance.pools.types, *(limit.gpu_type for limit in instance.limits)]))
    return dict(zip(kinds, symbols(kinds), strict=True))


def _teams(instance: Instance) -> list[str]:
    teams, kinds = instance.teams, _types(instance)
    names = symbols(teams.names)
    limits = {(names[limit.team], kinds[limit.gpu_type]): limit for limit in instance.limits}
    return [
        *_set("TEAMS", names),
        *_set(
            "CHILDREN",
            [(names[p], name) for name, p in zip(names, teams.parent, strict=True) if p >= 0],
        ),
        *_param("level", dict(zip(names, teams.level, strict=True))),
        *_set("CAPPED", [name for name, cap in zip(names, teams.cap, strict=True) if cap is not None]),
        *_param(
            "cap",
            {name: cap / MILLI for name, cap in zip(names, teams.cap, strict=True) if cap is not None},
        ),
        *_param("excess_of_team", {name: o / MILLI for name, o in zip(names, teams.over, strict=True)}),
        *_param("target", {name: float(t) for name, t in zip(names, teams.target, strict=True)}),
        *_set("LIMITS", limits),
        *_param("limit", {key: limit.gpus for key, limit in limits.items()}),
        *_param("excess_of_limit", {key: limit.over for key, limit in limits.items()}),
        *_param("speed_of_limit", {key: limit.milli / MILLI for key, limit in limits.items()}),
    ]


def _projects(instance: Instance) -> list[str]:
    projects, team_names = instance.projects, symbols(instance.teams.names)
    names = symbols(projects.names)

    def by_project(values: Iterable[object]) -> dict[Key, object]:
        return dict(zip(names, values, strict=True))

    return [
        *_set("PROJECTS", names),
        *_param("team", by_project(team_names[team] for team in projects.team)),
        *_set(
            "UNDER",
            [
                (team_names[above], name)
                for name, team in zip(names, projects.team, strict=True)
                for above in _chain(instance, team)
            ],
        ),
        *_param("tier", by_project(projects.tier)),
        *_param("priority", by_project(projects.priority)),
        *_param("asked", by_project(each / MILLI for each in projects.demand)),
        *_param("most_share", by_project(float(each) for each in projects.most_share)),
        *_param("least", by_project(each / MILLI for each in projects.minimum)),
        *_param("pools_used", by_project(projects.one_pool)),
        *_set("PINNED", [name for name, pinned in zip(names, projects.pinned, strict=True) if pinned]),
    ]


def _chain(instance: Instance, team: int) -> list[int]:
    chain = []
    while team >= 0:
        chain.append(team)
        team = instance.teams.parent[team]
    return chain


def _arcs(instance: Instance) -> list[str]:
    arcs, pools = instance.arcs, instance.pools
    names, pool_names = symbols(instance.projects.names), symbols(pools.names)
    pairs = list(zip(arcs.project.tolist(), arcs.pool.tolist(), strict=True))
    keys = [(names[j], pool_names[p]) for j, p in pairs]
    unit = [pools.unit[p] for _, p in pairs]

    def by_arc(values: Iterable[object]) -> dict[Key, object]:
        return dict(zip(keys, values, strict=True))

    return [
        *_set("ARCS", keys),
        *_param("own", by_arc(o / u / MILLI for o, u in zip(arcs.own.tolist(), unit, strict=True))),
        *_param("needed", by_arc(arcs.needed.tolist())),
        *_param("upper", by_arc(arcs.upper.tolist())),
        *_param("wanted", by_arc(w * u for w, u in zip(arcs.wanted.tolist(), unit, strict=True))),
        *([] if arcs.near is None else _param("near", by_arc(arcs.near.tolist()))),
    ]


def _policy(instance: Instance) -> list[str]:
    numbered = dict(enumerate(instance.segments, start=1))
    most = -1 if instance.max_moves is None else instance.max_moves
    return [
        *_set("SEGMENTS", numbered),
        *_param("share", {number: float(share) for number, (share, _) in numbered.items()}),
        *_param("worth", {number: float(worth) for number, (_, worth) in numbered.items()}),
        f"param move_cost := {float(instance.move_cost)};",
        f"param max_moves := {most};",
    ]


def _goal(goals: Sequence[GoalSpec], position: int, reached: Sequence[float]) -> list[str]:
    earlier = {
        (f"'{goal.kind}'", goal.index): minimized(goal, value)
        for goal, value in zip(goals[:position], reached, strict=False)
    }
    return [
        f"param goal := '{goals[position].kind}';",
        f"param place := {goals[position].index};",
        *_set("EARLIER", earlier),
        *_param("reached", {key: round(value, 9) for key, value in earlier.items()}),
    ]


def minimized(goal: GoalSpec, value: float) -> float:
    """The value as the model counts it: everything is minimized."""
    return -value if goal.sense == "maximize" else value
