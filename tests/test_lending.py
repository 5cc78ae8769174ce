"""What lending is worth: hours worked out by hand, and those of a real month, where its data are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.lending import (
    CAPS,
    HEADING,
    LEND,
    Month,
    Usage,
    Worth,
    by_hand,
    hours,
    lendable,
    line,
    main,
    multiple,
    organization,
    planned,
    share,
    worth,
)
from gpu_opt.budgets import resolve_budgets
from gpu_opt.errors import Severity
from gpu_opt.files import load
from gpu_opt.validation import check
from tests.public_data import raw

NOON = dt.datetime(2020, 5, 16, 12)
HOUR = {
    "full": Usage(running=16, waiting=20, quota=16),
    "half": Usage(running=20, waiting=6, quota=32),
    "quiet": Usage(running=3, waiting=0, quota=24),
}
"""In all 33 idle: 12 beside 6 that wait, and 21."""


def month(*hours: dict[str, Usage]) -> Month:
    return {NOON + dt.timedelta(hours=place): hour for place, hour in enumerate(hours)}


def idle(hour: dict[str, Usage], team: str, gpus: int) -> dict[str, Usage]:
    """The hour, in which so many of a team's GPUs are idle."""
    usage = hour[team]
    return hour | {team: usage._replace(running=usage.quota - gpus)}


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        ("100%", Worth(served=6, lent=0)),  # half serves itself
        ("150%", Worth(served=14, lent=8)),  # full may have 24
        ("200%", Worth(served=22, lent=16)),
        ("none", Worth(served=26, lent=20)),
    ],
)
def test_a_team_serves_itself_from_its_quota_and_borrows_up_to_its_cap(cap: str, expected: Worth) -> None:
    can_lend = lendable(month(HOUR), NOON, "idle")
    plan = planned(organization(NOON, HOUR, can_lend, multiple(cap)), HOUR)
    assert plan == expected._replace(proved=1)
    assert by_hand(HOUR, can_lend, multiple(cap)) == expected


def test_where_more_waits_than_is_idle_a_team_has_its_own_quota_first() -> None:
    short = HOUR | {"full": Usage(16, 60, 16)}
    can_lend = lendable(month(short), NOON, "idle")
    expected = Worth(served=33, lent=27)
    assert planned(organization(NOON, short, can_lend, None), short) == expected._replace(proved=1)
    assert by_hand(short, can_lend, None) == expected


def test_the_careful_readings_lend_whole_nodes_of_teams_in_which_nothing_waits() -> None:
    assert lendable(month(HOUR), NOON, "idle") == {"full": 0, "half": 12, "quiet": 21}
    assert lendable(month(HOUR), NOON, "nodes") == {"full": 0, "half": 0, "quiet": 16}


def test_for_a_day_is_lent_what_stays_idle_for_24_hours() -> None:
    busy_later = month(*[HOUR] * 23, idle(HOUR, "quiet", 9))
    assert lendable(busy_later, NOON, "day") == {"full": 0, "half": 0, "quiet": 8}
    busy_after_a_day = month(*[HOUR] * 24, idle(HOUR, "quiet", 9))
    assert lendable(busy_after_a_day, NOON, "day")["quiet"] == 16
    waits_later = month(HOUR, HOUR | {"quiet": Usage(3, 1, 24)})
    assert lendable(waits_later, NOON, "day")["quiet"] == 0


def test_what_cannot_be_lent_serves_nobody_not_even_its_own_team() -> None:
    can_lend = lendable(month(HOUR), NOON, "nodes")
    assert planned(organization(NOON, HOUR, can_lend), HOUR).served == 0
    assert by_hand(HOUR, can_lend, Fraction(1)).served == 0
    assert planned(organization(NOON, HOUR, can_lend, None), HOUR) == Worth(16, 16, 1)


@pytest.mark.parametrize("cap", [Fraction(1), Fraction(5, 4), Fraction(2)])
def test_a_cap_in_percent_comes_to_the_multiple_of_the_quota(cap: Fraction) -> None:
    lab = organization(NOON, HOUR, lendable(month(HOUR), NOON, "idle"), cap)
    caps = resolve_budgets(lab, NOON.date()).cap
    assert {team: int(caps[team]) for team in HOUR} == {
        team: usage.quota * cap for team, usage in HOUR.items()
    }


def test_a_percentage_is_never_less_than_the_part() -> None:
    assert all(Fraction(share(part, 856).rstrip("%")) * 856 / 100 >= part for part in range(8, 209, 8))


def test_nobody_can_be_refused_its_quota() -> None:
    with pytest.raises(ValueError, match="its quota, 100%, at least"):
        multiple("90%")


def test_a_month_of_hours_is_what_the_raw_file_has(data: Path) -> None:
    rows = raw(data / "helios/Earth_vc_hourly_usage.csv.gz")
    found = hours(data)
    assert len(found) == 31 * 24
    for row in rows:
        usage = found[dt.datetime.fromisoformat(row["time"])][row["vc"]]
        assert usage == (int(row["running_gpu_num"]), int(row["pending_gpu_num"]), int(row["total_gpu_num"]))
        assert usage.idle == int(row["idle_gpu_num"])


def test_without_caps_as_much_is_served_as_waits_or_is_idle_whichever_is_less(data: Path) -> None:
    total: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in raw(data / "helios/Earth_vc_hourly_usage.csv.gz"):
        for kind in ("pending", "idle"):
            total[row["time"]][kind] += int(row[f"{kind}_gpu_num"])
    bound = sum(min(each["pending"], each["idle"]) for each in total.values())
    found = hours(data)
    hands = [by_hand(found[each], lendable(found, each, "idle"), None) for each in found]
    assert sum(hand.served for hand in hands) == bound


@pytest.mark.parametrize("lend", LEND)
def test_in_real_hours_the_plans_serve_and_lend_what_comes_out_by_hand(data: Path, lend: str) -> None:
    found = hours(data)
    some = list(found)[:: 24 * 5 + 7]
    assert len(some) == 6
    for cap in CAPS:
        plan, hand = worth(found, some, multiple(cap), lend)
        assert plan == hand._replace(proved=len(some))


def test_an_hour_is_written_as_an_organization_that_says_what_is_real(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "hour.yaml"
    main(["--hour", "2020-05-16T10", "--folder", str(data), "--out", str(out)])
    lab = load(out)
    assert "Invented:" in out.read_text().split("\n\nname:")[0]
    assert lab.name == "helios-Earth-2020-05-16T10"
    assert not [problem for problem in check(lab) if problem.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--day", "2020-06-01"], "the data begin at 2020-05-01 00:00:00 and end at 2020-05-31 23:00:00"),
        (["--hour", "2020-05-16T10"], "--hour needs --out"),
        (["--caps", "90%"], "its quota, 100%, at least"),
        (["--caps", "half"], "half"),
    ],
)
def test_what_cannot_be_answered_is_said(data: Path, arguments: Sequence[str], told: str) -> None:
    with pytest.raises(SystemExit, match=told):
        main([*arguments, "--folder", str(data)])


def test_a_day_on_which_nobody_waits_is_worth_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--day", "2020-05-10", "--caps", "150%", "--folder", str(data)])
    told = capsys.readouterr().out.splitlines()
    assert "0 wait" in told[1]
    assert told[-2:] == [HEADING, line("150%", Worth(0, 0, 24), Worth(0, 0), 0)]
    assert told[-1].split() == ["150%", "of", "its", "quota", "0", "0", "0.0%", "0", "0", "24"]
    assert len(told[-1]) == len(HEADING)


def test_without_the_data_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"hourly_usage\.csv\.gz is missing"):
        main(["--hour", "2020-05-16T10", "--folder", str(tmp_path), "--out", str(tmp_path / "hour.yaml")])
    assert list(tmp_path.iterdir()) == []
