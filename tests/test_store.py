"""What the store keeps of a night comes back as it was published, and is there for who asks in SQL."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import sqlalchemy as sa

from gpu_opt.checker import verify
from gpu_opt.organization import Organization, content_hash
from gpu_opt.plan import Allocation, Reallocation, Status
from gpu_opt.reallocation import with_grants
from gpu_opt.store import connection as store_connection
from gpu_opt.store import ensure_writable, export_night, history, last_night, publish
from tests.building import RUN, TODAY, allocation, day, lab, reallocation
from tests.storing import OPTIONS, STARTED, organization, plans, postgres_server, published, rows, url

__all__ = ["postgres_server", "url"]  # fixtures


def test_a_night_comes_back_as_it_was_published(url: str) -> None:
    tonight, later = plans(organization())
    summary = published(url)
    night = last_night(url, "lab")
    assert night is not None
    assert (night.summary, night.allocation, night.reallocation) == (summary, tonight, later)


def test_a_summary_says_who_computed_what_and_when(url: str) -> None:
    tonight, _ = plans(organization())
    summary = published(url)
    assert summary.started == STARTED
    assert summary.started.utcoffset() == summary.finished.utcoffset() == dt.timedelta(0)
    assert (summary.name, summary.as_of, summary.gpu_opt) == ("lab", TODAY, RUN.gpu_opt)
    assert (summary.objective, summary.bound, summary.gap) == (tonight.objective, tonight.bound, tonight.gap)
    assert summary.status is Status.OPTIMAL


def test_a_night_is_only_optimal_if_both_plans_are(url: str) -> None:
    tonight, later = plans(organization())
    later = later.model_copy(update={"status": Status.FEASIBLE})
    summary = publish(url, organization(), tonight, later, options=OPTIONS, started=STARTED)
    assert summary.status is Status.FEASIBLE


def test_the_last_night_is_the_newest_of_the_organization_up_to_the_day(url: str) -> None:
    for as_of, name in ((day(0), "lab"), (day(1), "lab"), (day(9), "lab"), (day(1), "other lab")):
        published(url, organization(as_of, name))
    last = last_night(url, "lab", by=day(5))
    assert last is not None
    assert (last.summary.name, last.summary.as_of) == ("lab", day(1))


def test_before_the_first_night_there_is_no_last_night(url: str) -> None:
    ensure_writable(url)
    published(url, organization(as_of=day(3)))
    assert last_night(url, "lab", by=day(2)) is None
    assert last_night(url, "no such lab") is None


def test_a_day_computed_again_replaces_the_night_and_keeps_it_in_the_history(url: str) -> None:
    published(url, organization(day(-1)))
    first, second = published(url), published(url, orion=9)
    assert (first.replaces, second.replaces) == (None, first.id)
    last = last_night(url, "lab", by=TODAY)
    assert last is not None
    assert last.summary.id == second.id
    assert [night.id for night in history(url, "lab")] == [second.id, first.id, first.id - 1]


def test_an_older_day_computed_again_does_not_become_the_last_night(url: str) -> None:
    newest = published(url)
    published(url, organization(day(-1)))
    assert [night.as_of for night in history(url, "lab")] == [TODAY, day(-1)]
    last = last_night(url, "lab")
    assert last is not None
    assert last.summary == newest


def test_the_history_is_as_long_as_asked_for(url: str) -> None:
    nights = [published(url, organization(day(n))) for n in range(4)]
    assert history(url, "lab", limit=2) == (nights[3], nights[2])


def test_an_organization_that_did_not_change_is_stored_once(url: str) -> None:
    published(url)
    published(url)
    assert rows(url)["organizations"] == 1
    assert rows(url)["nights"] == 2


def test_an_exported_night_can_be_computed_and_checked_again(url: str) -> None:
    summary = published(url)
    bundle = json.loads(json.dumps(export_night(url, summary.id)))
    of = Organization.model_validate(bundle["organization"])
    tonight = Allocation.model_validate(bundle["allocation"])
    later = Reallocation.model_validate(bundle["reallocation"])
    assert content_hash(of) == content_hash(organization())
    assert verify(of, tonight) == ()
    assert verify(with_grants(of, tonight.grants), later) == ()
    assert bundle["options"] == {
        "until": "2026-12-23",
        "time_limit": 20,
        "gap": 0.001,
        "threads": 2,
        "seed": 7,
        "work_limit": None,
        "start": None,
    }
    assert bundle["start"] is None
    assert bundle["versions"] == RUN.model_dump(
        include={"gpu_opt", "pulp", "cbc", "numpy", "python", "platform"}
    )
    assert bundle["night"]["id"] == summary.id
    assert dt.datetime.fromisoformat(bundle["night"]["started"]) == STARTED


def test_people_who_ask_in_sql_find_flat_rows(url: str) -> None:
    night = published(url).id
    with store_connection.transaction(url, write=False) as connection:

        def ask(query: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.execute(sa.text(query))]

        assert ask("SELECT night_id, project, team, pool, gpus FROM grants ORDER BY project") == [
            (night, "orion", "research", "iowa", 10),
            (night, "vega", "product", "iowa", 6),
        ]
        assert ask("SELECT team, guarantee, cap, granted, shortfall FROM teams WHERE team = 'research'") == [
            ("research", 6.0, 20.0, 10.0, 0.0)
        ]
        assert ask("SELECT request, donor, project, pool, gpus FROM handovers") == [
            ("vega", "release", "orion", "iowa", 4)
        ]
        assert ask("SELECT kind, status, stop FROM plans ORDER BY kind") == [
            ("allocation", "optimal", "proved"),
            ("reallocation", "optimal", "proved"),
        ]


def test_a_deleted_night_takes_all_its_rows_along(url: str) -> None:
    first, second = published(url), published(url)
    with store_connection.transaction(url, write=True) as connection:
        connection.execute(sa.text("DELETE FROM nights WHERE id = :night"), {"night": first.id})
    assert rows(url) == {"organizations": 1, "nights": 1, "plans": 2, "grants": 2, "handovers": 1, "teams": 3}
    (left,) = history(url, "lab")
    assert (left.id, left.replaces) == (second.id, None)


def test_a_plan_with_no_grants_and_no_handovers_is_stored_too(url: str) -> None:
    empty = lab()
    summary = publish(
        url,
        empty,
        allocation(empty, {}),
        reallocation(empty, [], []),
        options=OPTIONS,
        started=STARTED,
    )
    assert history(url, "lab") == (summary,)


def test_a_path_is_a_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "nights of the lab.db"
    summary = published(str(path))
    assert history(f"sqlite:///{path}", "lab") == (summary,)
