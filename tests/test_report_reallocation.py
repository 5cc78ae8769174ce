"""The tables of a reallocation and of an answer: who hands over what in which week, and who asks for it."""

from __future__ import annotations

from gpu_opt.plan import CapRaise, Finding
from gpu_opt.report.finding import finding
from gpu_opt.report.page.reallocation import reallocation_sections as page_sections
from gpu_opt.report.reallocation import reallocation as reallocation_tables
from tests.building import day, handover, lab, pool, reallocation, request
from tests.showing import moving_lab, row, shown


def test_handovers_are_grouped_by_week_and_in_order() -> None:
    printed = shown(reallocation_tables(moving_lab()[1]))
    weeks = [printed.index("week of 2026-11-23"), printed.index("week of 2026-11-30")]
    assert weeks[0] < printed.index("Sat 2026-11-28") < weeks[1] < printed.index("Wed 2026-12-02")
    assert "Handovers of 2,524 GPUs; 3,584 come free" in printed


def test_donors_are_named_and_say_how_long_they_wait() -> None:
    printed = shown(reallocation_tables(moving_lab()[1]))
    assert "orion (lab), free since 2026-11-26" in printed
    assert "delivery" in printed
    assert "idle, free since" not in printed


def test_requests_say_what_they_get() -> None:
    printed = shown(reallocation_tables(moving_lab()[1]))
    assert "Requests: 0 of 1 request met in time" in printed
    assert row(printed, "vega") == ["vega", "2026-12-03", "3,000", "2,524", "not", "complete"]


def test_a_request_that_whole_units_serve_in_time_counts_as_met() -> None:
    organization, asked = lab([pool("iowa", 32, unit=8)]), request("r", 10)
    plan = reallocation(organization, [asked], [handover(organization, asked, "idle", 16)])
    assert "Requests: 1 of 1 request met in time" in shown(reallocation_tables(plan))
    assert "1 of 1 request met in time" in str(page_sections(plan))


def test_nothing_to_hand_over_is_said_so() -> None:
    printed = shown(reallocation_tables(reallocation(lab(), [], [])))
    assert "nobody hands over anything" in printed
    assert "nobody asks for anything" in printed


def answer(**fields: object) -> Finding:
    _, plan = moving_lab()
    whole = {
        "reallocation": plan,
        "allowed": True,
        "complete": False,
        "in_time": False,
        "raises": (),
        "sentence": "2,524 of 3,000 by 2026-12-03.",
    } | fields
    return Finding.model_validate(whole)


def test_a_finding_begins_with_its_sentence_and_adds_up_its_donors() -> None:
    printed = shown(finding(answer()))
    assert printed.startswith("2,524 of 3,000 by 2026-12-03.")
    assert "1,500  2,524 of 3,000" in printed


def test_a_finding_names_the_caps_in_the_way_and_who_may_raise_them() -> None:
    caps = (
        CapRaise(team="reasoning", cap=2000, needed=3000, on=day(5), owner="chief-scientist"),
        CapRaise(team="research", gpu_type="h100", cap=500, needed=1524, on=day(6)),
    )
    printed = shown(finding(answer(allowed=False, raises=caps, if_raised=moving_lab()[1])))
    assert "reference GPUs  2,000   3,000  Sat 2026-11-28  chief-scientist" in printed
    assert "GPUs of h100      500   1,524  Sun 2026-11-29  nobody is named" in printed
    assert "If those caps were raised" in printed


def test_a_finding_without_donors_says_so() -> None:
    printed = shown(finding(answer(reallocation=reallocation(lab(), [request("vega")], []))))
    assert "nobody hands over anything" in printed
