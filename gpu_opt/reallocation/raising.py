"""The organization with some caps raised, and everything else as it was.

Percentages hang on the caps above them. A cap in per cent stays one, so that it still grows with the fleet;
and percentages of a raised cap become smaller by as much as it became larger: on every day they are worth
what they were before, but for what is rounded at each level.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from gpu_opt.budgets import parents_first, resolve_budgets
from gpu_opt.instance import MILLI
from gpu_opt.organization import Limit, Organization, Team, exact, resolve
from gpu_opt.plan import CapRaise

Amount = float | str

DECIMALS = 9
"""Of a percentage."""


class Above(NamedTuple):
    """The nearest cap above a team, with the raises."""

    amount: Fraction
    shrink: Fraction
    """What it was, as a share of what it is."""


def raised(organization: Organization, raises: Iterable[CapRaise], date: dt.date) -> Organization:
    """The organization with these caps and limits as high as they must be on the date.

    Percentages are rounded up to nine decimals.
    """
    teams = parents_first(organization.teams)
    budgets = resolve_budgets(organization, date)
    needed: dict[str | None, dict[str, Fraction]] = {}
    for each in raises:
        needed.setdefault(each.gpu_type, {})[each.team] = exact(each.needed)
    stated_caps = {team.name: team.cap for team in teams}
    caps, above = _raise(teams, stated_caps, needed.get(None, {}), budgets.fleet, Fraction(1, MILLI))
    limits: dict[str, dict[str, Amount]] = {}
    for kind in {kind for team in teams for kind in team.limits}:
        fleet = Fraction(sum(budgets.gpus[pool.name] for pool in organization.pools if pool.gpu_type == kind))
        stated = {team.name: limit.cap for team in teams if (limit := team.limits.get(kind))}
        limits[kind], _ = _raise(teams, stated, needed.get(kind, {}), fleet, Fraction(1))

    def changed(team: Team) -> Team:
        fields = {
            "cap": caps.get(team.name),
            "guarantee": None if team.guarantee is None else _shrunk(team.guarantee, above[team.name].shrink),
            "limits": {kind: Limit(cap=limits[kind][team.name]) for kind in team.limits},
        }
        return team.model_copy(update=fields)

    return organization.model_copy(update={"teams": tuple(changed(team) for team in organization.teams)})


def _raise(
    teams: Iterable[Team],
    stated: Mapping[str, Amount | None],
    needed: Mapping[str, Fraction],
    fleet: Fraction,
    step: Fraction,
) -> tuple[dict[str, Amount], dict[str, Above]]:
    """The amounts with those that are needed, and what is above each team.

    `teams` are parents first; what an amount is worth is a multiple of `step`, rounded down.
    """
    amounts: dict[str, Amount] = {}
    above: dict[str, Above] = {}
    nearest: dict[str, Above] = {}
    for team in teams:
        above[team.name] = there = nearest[team.parent] if team.parent else Above(fleet, Fraction(1))
        amount = stated.get(team.name)
        if amount is None:
            nearest[team.name] = there
            continue
        kept = _shrunk(amount, there.shrink)
        amounts[team.name] = new = _raised(kept, needed[team.name], there) if team.name in needed else kept
        before, after = (resolve(each, there.amount) // step * step for each in (kept, new))
        nearest[team.name] = Above(after, before / after if after else Fraction(1))
    return amounts, above


def _raised(amount: Amount, needed: Fraction, above: Above) -> Amount:
    """What is needed, as a percentage where it was one and can be one."""
    if isinstance(amount, str) and needed <= above.amount and above.amount:
        return _percentage(needed / above.amount)
    return float(needed)


def _shrunk(amount: Amount, shrink: Fraction) -> Amount:
    return _percentage(resolve(amount, shrink)) if isinstance(amount, str) and shrink != 1 else amount


def _percentage(share: Fraction) -> str:
    units = math.ceil(share * 100 * 10**DECIMALS)
    return f"{units // 10**DECIMALS}.{units % 10**DECIMALS:0{DECIMALS}d}%"
