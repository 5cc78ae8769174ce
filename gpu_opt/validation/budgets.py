"""Rules on budgets: guarantees, caps and limits, and the policy."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator
from fractions import Fraction
from itertools import pairwise

from gpu_opt.errors import Problem
from gpu_opt.organization import Project, Team, exact, resolve
from gpu_opt.validation.facts import Ceiling, Facts, active, fleet_on, holdings, resolved_budgets
from gpu_opt.validation.wording import error, number, warning, written


def percentages_above_100(facts: Facts) -> Iterator[Problem]:
    """Error: a guarantee, cap or limit of more than all that it is a part of."""
    for i, team in enumerate(facts.organization.teams):
        amounts = {"guarantee": team.guarantee, "cap": team.cap}
        amounts |= {f"limits.{name}.cap": limit.cap for name, limit in team.limits.items()}
        for field, amount in amounts.items():
            if isinstance(amount, str) and resolve(amount, Fraction(1)) > 1:
                kind = "GPUs" if field.startswith("limits") else "reference GPUs"
                message = (
                    f"{amount} is more than the fleet; write 100% or less, or a number of {kind}"
                    if team.parent is None
                    else f"{amount} is more than all that there is above the team; write 100% or less"
                )
                yield error(f"teams[{i}].{field}", message)


def guarantee_above_own_cap(facts: Facts) -> Iterator[Problem]:
    """Error: a team that is promised more than it may have."""
    for i, budget in enumerate(resolved_budgets(facts, facts.organization.as_of)):
        guarantee, cap = budget.guarantee, budget.cap
        if guarantee is not None and cap is not None and guarantee > cap:
            comparison = f"the guarantee {number(guarantee)} is above the team's own cap {number(cap)}"
            mend = f"lower the guarantee to {number(cap)}, or raise the cap to {number(guarantee)}"
            yield error(f"teams[{i}].guarantee", f"{comparison}; {mend}")


def guarantee_above_cap_above(facts: Facts) -> Iterator[Problem]:
    """Warning: a team that is promised more than the nearest cap above it, or the fleet, lets it have."""
    for i, budget in enumerate(resolved_budgets(facts, facts.organization.as_of)):
        guarantee, above = budget.guarantee, budget.above
        if guarantee is None or above.amount is None or guarantee <= above.amount:
            continue
        if budget.cap is None or guarantee <= budget.cap:
            comparison = f"the guarantee {number(guarantee)} is above {above.whose}, {number(above.amount)}"
            yield warning(
                f"teams[{i}].guarantee", f"{comparison}: it cannot be kept; lower it, or raise the other"
            )


def guarantees_of_children(facts: Facts) -> Iterator[Problem]:
    """Warning: children who are together promised more than their parent; worse, more than it may have."""
    budgets = resolved_budgets(facts, facts.organization.as_of)
    promised: dict[int, Fraction] = {}
    stated: dict[int, list[str]] = {}
    for i in facts.sound:
        parent, child = facts.parents[i], facts.organization.teams[i]
        if parent is not None:
            promised[parent] = promised.get(parent, Fraction()) + (budgets[i].guarantee or 0)
            if child.guarantee is not None:
                stated.setdefault(parent, []).append(f"{child.name}.guarantee {written(child.guarantee)}")
    for i, total in promised.items():
        team, budget = facts.organization.teams[i], budgets[i]
        ceiling = budget.above if team.cap is None else Ceiling(budget.cap, "its cap")
        path = f"teams[{i}].{'cap' if team.guarantee is None else 'guarantee'}"
        together = f"the teams below are promised {number(total)} together"
        if ceiling.amount is not None and total > ceiling.amount:
            excess = f"{number(total - ceiling.amount)} above {ceiling.whose}, {number(ceiling.amount)}"
            sum_of = f"{' + '.join(stated[i])} > {number(ceiling.amount)}"
            mend = "these promises cannot all be kept; lower them or raise it"
            yield warning(path, f"{together}, {excess}: {sum_of}: {mend}")
        elif budget.guarantee is not None and total > budget.guarantee:
            excess = f"{number(total - budget.guarantee)} above its own guarantee {number(budget.guarantee)}"
            yield warning(path, f"{together}, {excess}; raise it, or lower theirs")


def unreachable_caps(facts: Facts) -> Iterator[Problem]:
    """Warning: a cap or limit above the one above it, or above the fleet with all its deliveries."""
    fleet = fleet_on(facts, dt.date.max)
    for i, budget in enumerate(resolved_budgets(facts, dt.date.max)):
        team = facts.organization.teams[i]
        ceilings = [budget.above, Ceiling(fleet.compute if fleet else None, "the fleet")]
        yield from _unreachable(f"teams[{i}].cap", budget.cap, ceilings, team.cap)
        for name, above in budget.limits_above.items():
            ceilings = [above, Ceiling(Fraction(fleet.gpus.get(name, 0)) if fleet else None, "the fleet")]
            path = f"teams[{i}].limits.{name}.cap"
            yield from _unreachable(path, budget.limits.get(name), ceilings, team.limits[name].cap)


def _unreachable(
    path: str, cap: Fraction | None, ceilings: list[Ceiling], written: float | str | None
) -> Iterator[Problem]:
    if cap is None or isinstance(written, str):  # a percentage is at most all that is above
        return
    for amount, whose in ceilings:
        if amount is not None and cap > amount:
            reason = f"{number(cap)} is above {whose}, {number(amount)}, and can never be reached"
            yield warning(path, f"{reason}; lower it, or leave it out")
            return


def guarantee_above_demand(facts: Facts) -> Iterator[Problem]:
    """Warning: a team that is promised more than the projects under it could need at the worst."""
    organization = facts.organization
    whole_tree = len(facts.sound) == len(organization.teams)
    if not whole_tree or any(project.team not in facts.teams for project in organization.projects):
        return
    pooled = {pool.gpu_type for pool in organization.pools}
    needed = [Fraction()] * len(organization.teams)
    for project in organization.projects:
        if project.ends is None or organization.as_of < project.ends:
            needed[facts.teams[project.team]] += _most_needed(facts, project, pooled)
    for i in reversed(facts.sound):
        parent = facts.parents[i]
        if parent is not None:
            needed[parent] += needed[i]
    for i, budget in enumerate(resolved_budgets(facts, organization.as_of)):
        if budget.guarantee is not None and budget.guarantee > needed[i]:
            guarantee, most = number(budget.guarantee), number(needed[i])
            comparison = f"the guarantee {guarantee} is above what its projects need, at most {most}"
            yield warning(
                f"teams[{i}].guarantee",
                f"{comparison}: no more than that is promised; lower it, or add projects",
            )


def _most_needed(facts: Facts, project: Project, pooled: Collection[str]) -> Fraction:
    """The demand at the speeds of the GPU types, which budgets count, where it is most; or what it holds."""
    types = facts.organization.gpu_types
    ratios = [
        exact(types[name].speed) / exact(own)
        for name, own in (project.speeds or {}).items()
        if name in types and name in pooled
    ]
    held = [
        exact(types[facts.pools[name].gpu_type].speed) * n for name, n in holdings(facts, project).items()
    ]
    return max(exact(project.demand) * max(ratios, default=Fraction(1)), sum(held, Fraction()))


def holdings_above_caps(facts: Facts) -> Iterator[Problem]:
    """Warning: projects that hold, under one team, more than its cap or one of its limits."""
    budgets = resolved_budgets(facts, facts.organization.as_of)
    held = _held_under(facts)
    types = facts.organization.gpu_types
    for i in facts.sound:
        team, budget = facts.organization.teams[i], budgets[i]
        compute = sum((exact(types[name].speed) * n for name, n in held[i].items()), Fraction())
        if budget.cap is not None and compute > budget.cap:
            yield _held_too_much(f"teams[{i}].cap", team, compute, budget.cap, "reference GPUs")
        for name, limit in budget.limits.items():
            if held[i][name] > limit:
                path = f"teams[{i}].limits.{name}.cap"
                yield _held_too_much(path, team, Fraction(held[i][name]), limit, f"GPUs of type {name!r}")


def _held_too_much(path: str, team: Team, held: Fraction, cap: Fraction, unit: str) -> Problem:
    excess = f"{number(held)} {unit}, {number(held - cap)} above the cap {number(cap)}"
    mend = "the plan brings them back as far as pins and max_moves allow; raise the cap if they are to stay"
    return warning(path, f"projects under {team.name!r} hold {excess}: {mend}")


def _held_under(facts: Facts) -> list[Counter[str]]:
    """GPUs by type that projects running today hold, under each team of the file."""
    held: list[Counter[str]] = [Counter() for _ in facts.organization.teams]
    for project in facts.organization.projects:
        if project.team in facts.teams and active(project, facts.organization.as_of):
            for name, gpus in holdings(facts, project).items():
                held[facts.teams[project.team]][facts.pools[name].gpu_type] += gpus
    for i in reversed(facts.sound):
        parent = facts.parents[i]
        if parent is not None:
            held[parent].update(held[i])
    return held


def value_shares(facts: Facts) -> Iterator[Problem]:
    """Error: shares of the demand, in the policy's value, that do not add up to exactly 1."""
    total = sum((exact(share) for share, _ in facts.organization.policy.value), Fraction())
    if total != 1:
        off = f"{float(abs(total - 1)):.6g} too {'much' if total > 1 else 'little'}"
        yield error("policy.value", f"the shares add up to {float(total):.12g}, {off}; they must add up to 1")


def value_not_concave(facts: Facts) -> Iterator[Problem]:
    """Error: a later part of a demand that is worth more than an earlier one."""
    for k, ((_, before), (_, value)) in enumerate(pairwise(facts.organization.policy.value), start=1):
        if value > before:
            reason = f"the value {value:g} is above {before:g}, that of the share before it"
            yield error(f"policy.value[{k}]", f"{reason}; values must not increase: put the larger first")
