"""The search and the checker agree on any grants: whether they are a plan, and what a plan is worth."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.allocation.appraisal import appraise, is_feasible
from gpu_opt.allocation.goals import list_goals
from gpu_opt.checker.allocation import CONSTRAINTS, granted_of
from gpu_opt.checker.data import allocation_data
from gpu_opt.checker.goals import allocation_goals
from gpu_opt.indexing import build_instance
from gpu_opt.instance import Instance, Ints
from gpu_opt.organization import Organization
from gpu_opt.plan import Grant
from tests.strategies import days, organizations


def units(instance: Instance) -> st.SearchStrategy[Ints]:
    """Any units up to what an arc can carry; now and then what is wanted."""
    choices = [
        st.sampled_from([wanted, *range(upper + 1)])
        for wanted, upper in zip(instance.arcs.wanted.tolist(), instance.arcs.upper.tolist(), strict=True)
    ]
    return st.tuples(*choices).map(lambda drawn: np.array(drawn, dtype=np.int64))


def grants(instance: Instance, x: Ints) -> list[Grant]:
    return [
        Grant(
            project=instance.projects.names[j],
            pool=instance.pools.names[p],
            gpus=count * instance.pools.unit[p],
        )
        for j, p, count in zip(
            instance.arcs.project.tolist(), instance.arcs.pool.tolist(), x.tolist(), strict=True
        )
        if count
    ]


@given(organizations(max_projects=4, max_pools=3), days(), st.data())
def test_the_search_and_the_checker_agree_on_any_grants(
    organization: Organization, date: dt.date, data: st.DataObject
) -> None:
    instance, facts = build_instance(organization, date), allocation_data(organization, date)
    goals = list_goals(instance)
    for _ in range(5):
        x = data.draw(units(instance))
        granted = granted_of(facts, grants(instance, x))
        broken = {violation.rule for rule in CONSTRAINTS for violation in rule(facts, granted)}
        assert is_feasible(instance, x) == (not broken), broken
        values = allocation_goals(facts, granted.totals, granted.gpus)
        assert [goal.name for goal in goals] == [name for name, _ in values]
        if not broken:
            assert appraise(instance, goals, x) == pytest.approx([float(value) for _, value in values])
