"""Answers to "we need N more GPUs": from whom and when, what is in the way, and what it would take."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_opt.budgets import resolve_budgets
from gpu_opt.errors import InvalidInput, Problem, Severity
from gpu_opt.options import Options
from gpu_opt.organization import Limit, Organization, Request
from gpu_opt.plan import CapRaise, Donor, Finding
from gpu_opt.reallocation import find
from gpu_opt.reallocation.raising import raised
from gpu_opt.validation import check
from tests.building import day, delivery, lab, pool, project, request, root, team


def found(organization: Organization, asked: Request) -> Finding:
    return find(organization, asked, options=Options(threads=1))


def with_budgets(
    *, research: Any = None, vision: Any = None, limit: Any = None, **fields: Any
) -> Organization:
    """Vision, of research, holds 8 GPUs until day 9; product's 8 are free on day 5; 4 are idle."""
    limits = {} if limit is None else {"h100": Limit(cap=limit)}
    return lab(
        [pool("iowa", 20)],
        teams=[
            root(owner="ceo"),
            team("research", cap=research, owner="chief-scientist"),
            team("vision", "research", cap=vision, owner="lead", limits=limits),
            team("product"),
        ],
        projects=[
            project("own", team="vision", holds={"iowa": 8}, ends=day(9)),
            project("foreign", team="product", holds={"iowa": 8}, ends=day(5)),
        ],
        **fields,
    )


def test_where_nothing_is_in_the_way_it_names_donors_and_dates() -> None:
    answer = found(with_budgets(), request("r", 12, "vision", by=10))
    assert (answer.allowed, answer.complete, answer.in_time) == (True, True, True)
    assert (answer.raises, answer.if_raised) == ((), None)
    assert answer.sentence == (
        f"12 GPUs for vision by {day(10)}: complete on {day(9)}, 1 day before it is needed: "
        "4 idle in iowa, 8 from own"
    )


def test_whole_units_in_time_are_in_time_though_they_are_more_than_was_asked_for() -> None:
    nodes = lab([pool("iowa", 32, unit=8)])
    answer = found(nodes, request("r", 10, by=10))
    assert answer.reallocation.requests[0].handed == 16
    assert (answer.complete, answer.in_time) == (True, True)


def test_where_too_few_come_free_it_says_so() -> None:
    answer = found(with_budgets(), request("r", 30, "vision", by=10))
    assert (answer.allowed, answer.complete, answer.in_time) == (True, False, False)
    assert answer.reallocation.requests[0].handed == 20


def test_a_cap_in_the_way_is_named_with_the_lowest_that_would_do() -> None:
    answer = found(with_budgets(research=16), request("r", 20, "vision", by=10))
    assert (answer.allowed, answer.complete) == (False, False)
    (cap,) = answer.raises
    assert (cap.team, cap.gpu_type, cap.cap, cap.needed, cap.owner) == ("research", None, 16, 20, "ceo")
    assert cap.on == day(5)  # 8 held, 4 idle: only the next 8 are too many
    assert answer.if_raised is not None
    assert answer.if_raised.requests[0].complete_on == day(9)
    assert answer.sentence.endswith(
        f". The cap of research is in the way from {day(5)}; ceo may raise it from 16 to 20. "
        f"Then: complete on {day(9)}, 1 day before it is needed: 4 idle in iowa, 8 from foreign, 8 from own"
    )


def test_where_the_team_above_names_nobody_the_next_one_above_it_is_asked() -> None:
    """As everywhere else."""
    organization = with_budgets(vision=8)
    teams = [
        each.model_copy(update={"owner": None}) if each.name == "research" else each
        for each in organization.teams
    ]
    organization = organization.model_copy(update={"teams": tuple(teams)})
    (cap,) = found(organization, request("r", 20, "vision", by=10)).raises
    assert (cap.team, cap.owner) == ("vision", "ceo")


def test_no_cap_is_in_the_way_of_what_smaller_units_serve_in_time() -> None:
    nodes = lab([pool("nodes", 8, unit=8), pool("trays", 4)], teams=[root(cap=4)])
    answer = found(nodes, request("r", 3, by=10))
    assert (answer.in_time, answer.allowed, answer.raises) == (True, True, ())


def test_a_cap_need_rise_no_further_than_the_units_that_are_needed() -> None:
    nodes = lab([pool("trays", 4), pool("nodes", 8, unit=8)], teams=[root(cap=4)])
    (cap,) = found(nodes, request("r", 9, by=10)).raises
    assert cap.needed == 9  # a node and a tray, not a node and all four trays


def test_every_cap_in_the_way_is_named_with_its_own_owner() -> None:
    answer = found(with_budgets(research=16, vision="50%"), request("r", 20, "vision", by=10))
    assert [(cap.team, cap.cap, cap.needed, cap.owner) for cap in answer.raises] == [
        ("research", 16, 20, "ceo"),
        ("vision", 8, 20, "chief-scientist"),
    ]
    assert answer.if_raised is not None
    assert answer.if_raised.requests[0].handed == 20


def test_a_limit_on_a_type_is_counted_in_gpus() -> None:
    answer = found(with_budgets(limit="50%"), request("r", 12, "vision", by=10))
    (limit,) = answer.raises
    assert (limit.team, limit.gpu_type, limit.cap, limit.needed) == ("vision", "h100", 10, 12)
    assert answer.if_raised is not None
    assert answer.if_raised.requests[0].complete_on == day(9)


def test_another_type_is_taken_before_a_limit_is_exceeded() -> None:
    organization = lab(
        [pool("iowa", 8, gpu_type="h100"), pool("texas", 8, gpu_type="gb200")],
        teams=[root(cap=10, owner="ceo"), team("vision", limits={"h100": Limit(cap=4.0)})],
    )
    answer = found(organization, request("r", 8, "vision"))
    (cap,) = answer.raises
    assert (cap.team, cap.needed, cap.owner) == ("lab", 4 + 4 * 2.5, "ceo")


def test_the_root_is_raised_by_its_own_owner() -> None:
    organization = lab([pool("iowa", 8)], teams=[root(cap=4)])
    answer = found(organization, request("r", 8))
    assert answer.raises[0].owner is None
    assert "The cap of lab is in the way from" in answer.sentence
    assert "it would have to rise from 4 to 8" in answer.sentence


def test_a_cap_that_makes_it_late_is_in_the_way() -> None:
    answer = found(with_budgets(vision=10), request("r", 8, "vision", by=7))
    assert (answer.allowed, answer.complete, answer.in_time) == (False, True, False)
    assert [(cap.team, cap.needed, cap.on) for cap in answer.raises] == [("vision", 16, day(0))]
    assert answer.if_raised is not None
    assert answer.if_raised.requests[0].in_time == 8


def test_a_cap_that_has_room_by_the_date_is_not_in_the_way() -> None:
    assert found(with_budgets(vision=10), request("r", 8, "vision", by=9)).allowed


def test_a_broken_cap_must_hold_what_is_held_too() -> None:
    answer = found(with_budgets(vision=4), request("r", 4, "vision", by=3))
    assert [(cap.cap, cap.needed) for cap in answer.raises] == [(4, 12)]


def test_all_or_nothing_beyond_what_comes_free_is_no_matter_of_caps() -> None:
    answer = found(with_budgets(vision=4), request("r", 30, "vision", by=9, all_or_nothing=True))
    assert (answer.allowed, answer.complete) == (True, False)


def test_caps_are_raised_for_as_many_as_there_are() -> None:
    answer = found(with_budgets(vision=4), request("r", 30, "vision", by=9))
    assert answer.if_raised is not None
    assert answer.if_raised.requests[0].handed == 20


def test_a_raise_leaves_what_is_promised_in_percent_of_the_cap_as_it_was() -> None:
    """Half of 20 would be above vision's own cap of 9, which no organization may say."""
    organization = lab(
        [pool("iowa", 20)],
        teams=[
            team("research", cap=16),
            team("vision", "research", guarantee="50%", cap=9),
            team("speech", "research"),
        ],
        projects=[project("own", team="speech", holds={"iowa": 8})],
    )
    answer = found(organization, request("r", 12, "speech"))
    assert [(cap.team, cap.needed) for cap in answer.raises] == [("research", 20)]
    assert answer.if_raised is not None
    assert answer.if_raised.requests[0].handed == 12


def test_a_raised_percentage_goes_on_to_grow_with_the_fleet() -> None:
    organization = lab(
        [pool("iowa", 10)],
        teams=[team("research", cap="40%"), team("vision", "research", cap="50%")],
        deliveries=[delivery("iowa", 90, on=40)],
    )
    asked = request("r", 3, "vision", by=20)
    answer = found(organization, asked)
    assert [(cap.team, cap.cap, cap.needed) for cap in answer.raises] == [("vision", 2, 3)]
    for n, room in ((0, 3), (40, 30)):
        budgets = resolve_budgets(raised(organization, answer.raises, day(20)), day(n))
        assert budgets.cap == {"research": 4 * (1 + 9 * (n == 40)), "vision": room}


def errors(organization: Organization) -> list[Problem]:
    return [problem for problem in check(organization) if problem.severity is Severity.ERROR]


PERCENTAGES = st.integers(1, 100).map(lambda share: f"{share}%")


@given(st.lists(PERCENTAGES | st.integers(1, 40).map(float), min_size=3, max_size=3), st.integers(1, 9))
def test_whatever_is_raised_all_other_budgets_stay_what_they_are(caps: list[float | str], more: int) -> None:
    names = ("research", "vision", "speech")
    chain = zip(names, ("lab", *names), caps, strict=False)
    teams = [
        team(name, parent, cap=cap, guarantee="1%", limits={"h100": Limit(cap=cap)})
        for name, parent, cap in chain
    ]
    organization = lab([pool("iowa", 40)], teams=teams, deliveries=[delivery("iowa", 23, on=9)])
    before = [resolve_budgets(organization, day(n)) for n in (0, 9)]
    needed = min(40, ceil(before[0].cap["research"]) + more)  # all that there is
    kinds = (None, "h100")
    raises = [CapRaise(team="research", gpu_type=kind, cap=0, needed=needed, on=day(0)) for kind in kinds]
    changed = raised(organization, raises, day(0))
    assert not errors(changed)
    after = [resolve_budgets(changed, day(n)) for n in (0, 9)]
    assert after[0].cap["research"] == after[0].limit["research", "h100"] == needed
    for name in ("vision", "speech"):
        assert after[0].cap[name] == before[0].cap[name]
        assert after[0].limit[name, "h100"] == before[0].limit[name, "h100"]
        # limits are rounded down to whole GPUs at each of the two levels below, by less than one each
        assert abs(after[1].cap[name] - before[1].cap[name]) <= Fraction("0.002")
        assert abs(after[1].limit[name, "h100"] - before[1].limit[name, "h100"]) <= 2


def test_caps_are_raised_for_whole_units() -> None:
    organization = lab([pool("iowa", 24, unit=8)], teams=[team("vision", cap=12), team("speech")])
    answer = found(organization, request("r", 10, "vision"))
    assert [(cap.cap, cap.needed) for cap in answer.raises] == [(12, 16)]
    assert answer.if_raised is not None
    assert answer.if_raised.requests[0].handed == 16


def test_needed_today_it_looks_at_what_is_idle() -> None:
    answer = found(with_budgets(), request("r", 4, "vision", by=0))
    assert [(one.donor, one.gpus) for one in answer.reallocation.handovers] == [(Donor.IDLE, 4)]
    assert answer.in_time


def test_it_looks_as_far_as_the_request() -> None:
    organization = with_budgets(deliveries=[delivery("iowa", 16, on=120)])
    assert found(organization, request("r", 30, "vision", by=130)).reallocation.until == day(130)
    assert found(organization, request("r", 4, "vision", by=3)).reallocation.until == day(90)


def test_a_request_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"requests\[0\].team: no team 'visoin'; did you mean 'vision'?"):
        found(with_budgets(), request("r", 4, "visoin"))
