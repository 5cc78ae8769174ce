"""Changes applied to an organization: pure, and with every problem at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from gpu_opt.errors import InvalidInput, Problem, Severity
from gpu_opt.organization import Organization
from gpu_opt.scenario.changes import AddPool, Change, Scenario
from gpu_opt.scenario.effects import EFFECTS
from gpu_opt.scenario.records import Misfit
from gpu_opt.validation import check
from gpu_opt.validation.wording import unknown

type Touched = frozenset[tuple[str, str]]
"""What a change touches: (section of the organization, name in it). Deliveries touch their pool; the policy
and the date have no name."""

LAST = {"forbid": 1, "lose_delivery": 1, "lose_pool": 1, "lose_site": 1, "move_date": 2}
"""When a change is made, if not first: what is lost or forbidden may have been added, and the days pass last.
Within each turn changes are made in their order."""

_PLACE = re.compile(r"(projects|teams|pools|deliveries)\[(\d+)\](?:\.(\w+))?|(policy)")


def apply(organization: Organization, changes: Sequence[Change]) -> Organization:
    """The organization with the changes made; `organization` itself, which must be valid, stays as it is.

    What is added comes first, then what is set, ended or delayed, then what is lost or forbidden, and
    the date moves last; within that, changes are made in their order. So the order matters only where two
    of them set the same thing: the later one stands.

    Raises InvalidInput, with all problems, if changes do not apply (an unknown name, a delivery that is
    not planned, nothing stated) or if what they lead to cannot be meant; paths are those of the changes,
    ``changes[2].project``.
    """
    return trace(organization, changes)[0]


def require_applicable(organization: Organization, scenarios: Sequence[Scenario]) -> None:
    """Raise InvalidInput, with the problems of all scenarios, if the changes of one do not apply.

    Where there are several, paths begin with the scenario's name; what is wrong in many is told of the first.
    """
    found: dict[tuple[str, str], Problem] = {}
    for scenario in scenarios:
        try:
            trace(organization, scenario.changes)
        except InvalidInput as error:
            for each in error.problems:
                path = each.path if len(scenarios) == 1 else f"{scenario.name}: {each.path}"
                found.setdefault((each.path, each.message), replace(each, path=path))
    if found:
        raise InvalidInput(tuple(found.values()))


def trace(organization: Organization, changes: Sequence[Change]) -> tuple[Organization, tuple[Touched, ...]]:
    """The changed organization, and what each of the changes touched; raises as `apply` does."""
    problems: dict[int, list[Problem]] = {}
    touched: dict[int, Touched] = {}
    changed = organization
    for place, change in sorted(enumerate(changes), key=lambda each: LAST.get(each[1].change, 0)):
        problems[place] = [_at(place, *misfit) for misfit in _unknown_names(changed, change)]
        before = changed
        if not problems[place]:
            try:
                changed = EFFECTS[change.change](changed, change)
            except Misfit as misfit:
                problems[place].append(_at(place, misfit.field, misfit.message))
        touched[place] = _difference(before, changed)
    found = [problem for place in sorted(problems) for problem in problems[place]]
    in_order = tuple(touched[place] for place in range(len(changes)))
    found += _consequences(organization, changed, changes, in_order)
    if found:
        raise InvalidInput(tuple(found))
    return changed, in_order


def _at(place: int, field: str, message: str) -> Problem:
    return Problem(f"changes[{place}].{field}" if field else f"changes[{place}]", message)


def _unknown_names(organization: Organization, change: Change) -> Iterator[tuple[str, str]]:
    """The fields of a change that name what there is not, with the words to say so."""
    known: dict[str, tuple[str, list[str]]] = {
        "project": ("project", [project.name for project in organization.projects]),
        "team": ("team", [team.name for team in organization.teams]),
        "pool": ("pool", [pool.name for pool in organization.pools]),
        "gpu_type": ("GPU type", list(organization.gpu_types)),
        "site": ("site", list(dict.fromkeys(pool.site for pool in organization.pools))),
    }
    for field, (kind, names) in known.items():
        name = getattr(change, field, None)
        brings_its_site = field == "site" and isinstance(change, AddPool)
        if name is not None and name not in names and not brings_its_site:
            yield field, unknown(kind, names)(name)


def _difference(before: Organization, after: Organization) -> Touched:
    """Everything that is not the same in both; tuples compare identical records at a glance."""
    if before is after:
        return frozenset()
    named: dict[str, Callable[[Organization], dict[str, object]]] = {
        "projects": lambda one: {project.name: (project,) for project in one.projects},
        "teams": lambda one: {team.name: (team,) for team in one.teams},
        "pools": lambda one: {
            pool.name: (
                pool,
                sorted((each.on, each.gpus) for each in one.deliveries if each.pool == pool.name),
            )
            for pool in one.pools
        },
        "policy": lambda one: {"": one.policy},
        "as_of": lambda one: {"": one.as_of},
    }
    found = set()
    for section, records in named.items():
        old, new = records(before), records(after)
        found |= {(section, name) for name in old | new if old.get(name) != new.get(name)}
    return frozenset(found)


def _consequences(
    before: Organization, after: Organization, changes: Sequence[Change], touched: Sequence[Touched]
) -> Iterator[Problem]:
    """Errors of the changed organization, each at the last change that touched what it is about."""
    errors = [problem for problem in check(after) if problem.severity is Severity.ERROR]
    known = {problem.message for problem in check(before)} if errors else set()
    for problem in errors:
        if problem.message in known:
            yield problem
            continue
        section, name, field = _subject(after, problem.path)
        places = [place for place, things in enumerate(touched) if (section, name) in things]
        if not places:
            said = f"{section} {name!r}, {field or 'as a whole'}" if name else problem.path
            yield Problem("changes", f"they lead to an error in {said}: {problem.message}")
        elif field in type(changes[places[-1]]).model_fields:
            yield _at(places[-1], field, problem.message)
        else:
            yield _at(places[-1], "", f"{problem.path.partition('.')[2] or section}: {problem.message}")


def _subject(organization: Organization, path: str) -> tuple[str, str, str]:
    """Section, name and field that a problem of the organization is about."""
    match = _PLACE.match(path)
    if match is None:
        return "", "", ""
    section, index, field, policy = match.groups()
    if policy:
        return "policy", "", path.partition(".")[2].partition("[")[0]
    record = getattr(organization, section)[int(index)]
    return (
        ("pools", record.pool, field or "")
        if section == "deliveries"
        else (section, record.name, field or "")
    )
