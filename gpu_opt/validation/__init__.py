"""Whether the parts of an organization fit together: names, tree, budgets, units, dates.

Each rule is one function that yields problems; `RULES` is the table of contents. What cannot be
meant is an error, what is merely unwise a warning; the first word of a rule's docstring says which.
A rule says nothing where it would have to guess because of an error that another rule reports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gpu_opt.errors import InvalidInput, Problem, Severity
from gpu_opt.organization import Delivery, Organization, Policy, Pool, Project, Record, Team
from gpu_opt.validation.budgets import (
    guarantee_above_cap_above,
    guarantee_above_demand,
    guarantee_above_own_cap,
    guarantees_of_children,
    holdings_above_caps,
    percentages_above_100,
    unreachable_caps,
    value_not_concave,
    value_shares,
)
from gpu_opt.validation.facts import Facts, gather
from gpu_opt.validation.names import (
    duplicate_names,
    no_team,
    several_roots,
    team_cycles,
    unknown_gpu_types,
    unknown_pools,
    unknown_sites,
    unknown_teams,
)
from gpu_opt.validation.pools import (
    empty_pools,
    holdings_above_pool,
    impossible_holdings,
    past_deliveries,
    units_do_not_divide,
)
from gpu_opt.validation.projects import (
    below_minimum,
    can_run_nowhere,
    demand_of_nothing,
    ended_with_holdings,
    ends_before_it_starts,
    minimum_above_demand,
    not_started_with_holdings,
    one_pool_in_several,
    pinned_before_it_starts,
    pinned_without_holdings,
)
from gpu_opt.validation.weights import move_cost_too_high, values_too_far_apart

RULES: tuple[Callable[[Facts], Iterator[Problem]], ...] = (
    duplicate_names,
    unknown_gpu_types,
    unknown_pools,
    unknown_teams,
    unknown_sites,
    no_team,
    several_roots,
    team_cycles,
    percentages_above_100,
    guarantee_above_own_cap,
    guarantee_above_cap_above,
    guarantees_of_children,
    unreachable_caps,
    guarantee_above_demand,
    holdings_above_caps,
    units_do_not_divide,
    empty_pools,
    past_deliveries,
    holdings_above_pool,
    impossible_holdings,
    minimum_above_demand,
    ends_before_it_starts,
    demand_of_nothing,
    ended_with_holdings,
    not_started_with_holdings,
    below_minimum,
    one_pool_in_several,
    pinned_before_it_starts,
    pinned_without_holdings,
    can_run_nowhere,
    value_shares,
    value_not_concave,
    values_too_far_apart,
    move_cost_too_high,
)

_SECTIONS: dict[str, type[Record]] = {
    "pools": Pool,
    "deliveries": Delivery,
    "teams": Team,
    "projects": Project,
    "policy": Policy,
}
_PLACE = re.compile(r"(\w+)(?:\[(\d+)\])?(?:\.(\w+))?")


def check(organization: Organization) -> tuple[Problem, ...]:
    """Every problem of an organization, errors and warnings, in the order of its fields."""
    facts = gather(organization)
    return tuple(sorted((problem for rule in RULES for problem in rule(facts)), key=_place))


def require_valid(organization: Organization) -> tuple[Problem, ...]:
    """The warnings about an organization; raises InvalidInput, with all problems, if one is an error."""
    problems = check(organization)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise InvalidInput(problems)
    return problems


def _place(problem: Problem) -> tuple[int, int, int]:
    match = _PLACE.match(problem.path)
    assert match, problem.path
    section, index, field = match.groups()
    fields = list(_SECTIONS[section].model_fields)
    return list(_SECTIONS).index(section), int(index or 0), fields.index(field) if field else 0
