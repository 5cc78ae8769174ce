"""A night: both plans, published together, and what changed since the night before."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from gpu_opt import files
from gpu_opt.checker import verify
from gpu_opt.errors import InvalidInput, StoreUnusable
from gpu_opt.nightly import NotPublished, run_night
from gpu_opt.options import Options, Progress
from gpu_opt.organization import Organization
from gpu_opt.plan import Allocation, Difference, Grant, NightReport, Reallocation, Status
from gpu_opt.reallocation import with_grants
from gpu_opt.scenario import compare
from gpu_opt.store import export_night, history, last_night
from tests.building import TODAY, day, delivery, lab, pool, project, team

TWO_TEAMS = Path(__file__).parent.parent / "models" / "organizations" / "two_teams.yaml"


def organization(**changed: object) -> Organization:
    """Orion ends in five days, and lyra, which gets nothing before, waits for what it had."""
    made = lab(
        pools=[pool("iowa", gpus=16)],
        teams=[team("research"), team("product")],
        projects=[
            project("orion", 10, "research", priority=5, ends=day(5), holds={"iowa": 10}),
            project("vega", 6, "product", priority=3, holds={"iowa": 6}),
            project("lyra", 4, "product", starts=day(2)),
        ],
        deliveries=[delivery("iowa", 4, on=9)],
    )
    return made.model_copy(update=changed)


def without(of: Organization, name: str) -> Organization:
    return of.model_copy(update={"projects": tuple(one for one in of.projects if one.name != name)})


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "gpu-opt.db")


def night_of(of: Organization, store: str, **settings: object) -> NightReport:
    return run_night(of, horizon_days=30, options=Options(threads=1, **settings), store_url=store)  # type: ignore[arg-type]


# a night


def test_a_night_allocates_for_today_and_hands_over_what_frees_up(store: str) -> None:
    report = night_of(organization(), store)
    assert (report.as_of, report.until) == (TODAY, day(30))
    assert report.allocation.status is Status.OPTIMAL
    assert set(report.allocation.grants) == {
        Grant(project="orion", pool="iowa", gpus=10),
        Grant(project="vega", pool="iowa", gpus=6),
    }
    assert report.reallocation is not None
    (handover,) = report.reallocation.handovers
    assert (handover.project, handover.team, handover.gpus, handover.on) == ("orion", "product", 4, day(5))


def test_a_night_is_published_as_it_is_reported(store: str) -> None:
    report = night_of(organization(), store)
    published = last_night(store, "lab")
    assert published is not None
    assert (published.allocation, published.reallocation) == (report.allocation, report.reallocation)
    (summary,) = history(store, "lab")
    assert (summary.id, summary.started, summary.finished) == (report.night, report.started, report.finished)


def test_what_is_published_can_be_checked_again(store: str) -> None:
    report = night_of(organization(), store)
    assert report.night is not None
    bundle = export_night(store, report.night)
    of = Organization.model_validate(bundle["organization"])
    tonight = Allocation.model_validate(bundle["allocation"])
    later = Reallocation.model_validate(bundle["reallocation"])
    assert verify(of, tonight) == ()
    assert verify(with_grants(of, tonight.grants), later) == ()
    assert bundle["options"]["time_limit"] == Options().time_limit


def test_the_time_limit_is_for_the_whole_night(store: str) -> None:
    report = night_of(organization(), store, time_limit=10.0)
    assert report.reallocation is not None
    assert report.allocation.run.time_limit <= 5.5
    assert report.allocation.run.seconds["total"] + report.reallocation.run.time_limit <= 10.0


def test_what_comes_free_is_handed_over_though_the_allocation_took_too_long(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = SimpleNamespace(monotonic=lambda: time.monotonic() - 10_000)
    monkeypatch.setattr("gpu_opt.nightly.time", late)  # the night began long ago
    report = night_of(organization(), store, time_limit=600.0)
    assert report.reallocation is not None
    assert report.reallocation.run.time_limit == 60.0
    assert sum(handover.gpus for handover in report.reallocation.handovers) == 4


def test_progress_tells_the_seconds_of_the_night(store: str) -> None:
    reports: list[Progress] = []
    report = night_of(organization(), store, progress=reports.append)
    handing_over = [progress.seconds for progress in reports if progress.phase == "unmet_tier_1"]
    assert min(handing_over) >= report.allocation.run.seconds["total"]


@pytest.mark.parametrize("days", [-1, 10_000_000])
def test_a_horizon_before_today_or_after_all_days_is_refused_before_anything_is_made(
    store: str, days: int
) -> None:
    with pytest.raises(InvalidInput, match=r"horizon_days.* give days from 0 to 2\d{6}"):
        run_night(organization(), horizon_days=days, store_url=store)
    assert not Path(store).exists()


def test_a_night_of_two_teams_from_its_file(store: str) -> None:
    of = files.load(TWO_TEAMS)
    report = run_night(of, options=Options(threads=1), store_url=store)
    assert (report.organization, report.as_of) == (of.name, of.as_of)
    assert report.until == of.as_of + dt.timedelta(days=90)
    assert report.allocation.status is Status.OPTIMAL
    assert {(grant.project, grant.pool, grant.gpus) for grant in report.allocation.grants} == {
        ("pretrain", "texas-gb200", 24),
        ("evals", "iowa-h100", 32),
        ("assistant", "iowa-h100", 32),
        ("tutor", "texas-gb200", 8),
    }
    assert report.reallocation is not None
    assert report.reallocation.status is Status.OPTIMAL
    (summary,) = history(store, of.name)
    assert summary.id == report.night


# since the night before


def test_the_first_night_has_nothing_to_compare_with(store: str) -> None:
    report = night_of(organization(), store)
    assert (report.previous, report.comparison, report.replaces) == (None, None, None)


def test_a_night_says_what_changed_since_the_night_before(store: str) -> None:
    first = night_of(organization(), store)
    second = night_of(without(organization(as_of=day(1)), "vega"), store)
    assert (second.previous, second.replaces) == (first.night, None)
    assert second.comparison is not None
    assert second.comparison == compare(first.allocation, second.allocation)
    assert second.comparison.before.as_of == TODAY
    (vega,) = second.comparison.projects
    assert (vega.project, vega.difference, vega.by_pool) == ("vega", Difference.GONE, {"iowa": -6})
    lab_change, product = second.comparison.teams
    assert (lab_change.team, product.team) == ("lab", "product")
    assert product.before is not None
    assert product.after is not None
    assert (product.difference, product.before.granted, product.after.granted) == (Difference.CHANGED, 6, 0)


def test_a_night_computed_again_is_compared_with_the_one_it_replaces(store: str) -> None:
    first, second = night_of(organization(), store), night_of(organization(), store)
    assert second.previous == second.replaces == first.night
    assert second.comparison is not None
    assert second.comparison.is_empty


def test_a_night_is_not_compared_with_a_later_day_or_another_organization(store: str) -> None:
    night_of(organization(as_of=day(1)), store)
    night_of(organization(name="other lab"), store)
    assert night_of(organization(), store).previous is None


def test_a_batch_knows_when_another_one_published_the_same_day_meanwhile(store: str) -> None:
    others: list[NightReport] = []

    def another_batch(_progress: Progress) -> None:
        if not others:
            others.append(night_of(organization(), store))

    report = night_of(organization(), store, progress=another_batch)
    assert others[0].replaces is None
    assert report.previous is None
    assert report.replaces == others[0].night
    last = last_night(store, "lab")
    assert last is not None
    assert last.summary.id == report.night


# when it does not come to the end


def test_a_store_that_cannot_be_written_fails_before_anything_is_solved(tmp_path: Path) -> None:
    reports: list[Progress] = []
    with pytest.raises(StoreUnusable, match="folder must exist"):
        night_of(organization(), str(tmp_path / "no such folder" / "gpu-opt.db"), progress=reports.append)
    assert reports == []


def test_a_store_that_fails_after_the_solve_does_not_lose_the_plan(store: str) -> None:
    def break_store(_progress: Progress) -> None:
        Path(store).write_text("no database any more\n" * 1000)

    with pytest.raises(NotPublished, match=r"not published: .* no database") as failure:
        night_of(organization(), store, progress=break_store)
    report = failure.value.report
    assert report.night is None
    assert report.reallocation is not None
    assert sum(grant.gpus for grant in report.allocation.grants) == 16


@pytest.mark.parametrize("allocations", [1, 2], ids=["for today", "for the end of the horizon"])
def test_a_night_cancelled_in_an_allocation_shows_tonights_and_is_not_published(
    store: str, allocations: int
) -> None:
    begun: list[Progress] = []

    def cancel(progress: Progress) -> None:
        if progress.phase == "building":
            begun.append(progress)
        if len(begun) == allocations:
            options.cancel.set()

    options = Options(threads=1, progress=cancel)
    report = run_night(organization(), options=options, store_url=store)
    assert report.allocation.grants
    assert report.reallocation is None
    assert report.night is None
    assert history(store, "lab") == ()


def test_a_night_cancelled_in_the_reallocation_is_not_published_either(store: str) -> None:
    def cancel_late(progress: Progress) -> None:
        if progress.phase.startswith("unmet"):
            options.cancel.set()

    options = Options(threads=1, progress=cancel_late)
    report = run_night(organization(), options=options, store_url=store)
    assert options.cancel.is_set()
    assert report.reallocation is not None
    assert report.night is None
    assert history(store, "lab") == ()
