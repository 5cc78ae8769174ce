"""Organizations made of public data have what the raw files have. Skipped where the data are absent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.real_data import (
    HELIOS_DAYS,
    PHILLY_DAY,
    QOS_PRIORITY,
    MissingData,
    helios,
    main,
    openb,
    openb_pods,
    philly,
)
from gpu_opt.errors import Severity
from gpu_opt.files import load
from gpu_opt.organization import Organization
from gpu_opt.validation import check
from tests.public_data import raw


def errors(organization: Organization) -> list[str]:
    return [str(problem) for problem in check(organization) if problem.severity is Severity.ERROR]


def total_demand(organization: Organization) -> Fraction:
    return sum((Fraction(str(project.demand)) for project in organization.projects), Fraction())


def pod_gpus(pod: dict[str, str]) -> Fraction:
    return Fraction(int(pod["num_gpu"]) * int(pod["gpu_milli"]), 1000)


def test_openb_has_a_pool_for_each_model_of_the_6212_gpus(data: Path) -> None:
    nodes: Counter[str] = Counter()
    for node in raw(data / "openb/openb_node_list_gpu_node.csv"):
        nodes[node["model"]] += int(node["gpu"])
    pools = openb(data).pools
    assert {pool.name: pool.gpus for pool in pools} == nodes
    assert len(pools) == 7
    assert sum(pool.gpus for pool in pools) == 6212


def test_openb_has_43_classes_that_ask_for_what_the_pods_ask_for(data: Path) -> None:
    organization = openb(data)
    pods = raw(data / "openb/openb_pod_list_gpuspec33.csv.gz")
    assert len(organization.projects) == 43
    assert total_demand(organization) == sum(map(pod_gpus, pods))
    assert errors(organization) == []


def test_openb_classes_run_on_the_models_that_they_name_and_on_no_other(data: Path) -> None:
    organization = openb(data)
    by_name = {project.name: project for project in organization.projects}
    assert by_name["ANY BE"].speeds is None
    assert by_name["P100|V100M16 LS"].speeds == {"P100": 1.0, "V100M16": 1.0}
    assert by_name["V100M16|V100M32|V100M32 BE"].speeds == {"V100M16": 1.0, "V100M32": 1.0}


def test_latency_sensitive_work_comes_before_guaranteed_and_burstable_and_these_before_best_effort() -> None:
    assert QOS_PRIORITY["LS"] > QOS_PRIORITY["Guaranteed"] == QOS_PRIORITY["Burstable"] > QOS_PRIORITY["BE"]


def test_every_openb_pod_that_asks_for_gpus_is_a_project_of_its_own(data: Path) -> None:
    organization = openb_pods(data)
    pods = [pod for pod in raw(data / "openb/openb_pod_list_gpuspec33.csv.gz") if int(pod["num_gpu"])]
    assert [project.name for project in organization.projects] == [pod["name"] for pod in pods]
    assert len(pods) == 7064
    assert total_demand(organization) == total_demand(openb(data))
    assert all(project.minimum == project.demand and project.one_pool for project in organization.projects)
    assert errors(organization) == []


def test_the_first_100_openb_pods_can_be_had_alone(data: Path) -> None:
    assert openb_pods(data, limit=100).projects == openb_pods(data).projects[:100]


def test_philly_teams_have_8_gpus_for_each_of_their_nodes(data: Path) -> None:
    nodes = {row["vc"]: 8 * int(row["node num"]) for row in raw(data / "philly/philly_vc_nodes.csv")}
    organization = philly(data)
    assert {team.name: team.cap for team in organization.teams if team.parent} == nodes
    assert [pool.gpus for pool in organization.pools] == [sum(nodes.values())]


def test_on_the_philly_day_280_projects_run_and_those_of_the_next_30_days_are_known(data: Path) -> None:
    organization = philly(data)
    day, soon = str(PHILLY_DAY), str(PHILLY_DAY + dt.timedelta(days=30))
    rows = raw(data / "philly/derived_projects_ge_1day.csv")
    running = {row["project_id"]: row for row in rows if row["start"][:10] <= day < row["end"][:10]}
    new = {row["project_id"] for row in rows if day < row["start"][:10] <= soon}
    held = {project.name: sum(project.holds.values()) for project in organization.projects if project.holds}
    assert len(running) == 280
    assert held == {name: int(row["num_gpus"]) for name, row in running.items()}
    assert {project.name for project in organization.projects} == running.keys() | new
    ending = {project.name for project in organization.projects if project.ends}
    assert {name for name in running if name in ending} == {
        name for name, row in running.items() if row["end"][:10] <= soon
    }
    assert errors(organization) == []


def test_no_day_of_the_philly_trace_has_more_running_projects_than_the_default(data: Path) -> None:
    running: Counter[dt.date] = Counter()
    for row in raw(data / "philly/derived_projects_ge_1day.csv"):
        day, end = dt.date.fromisoformat(row["start"][:10]), dt.date.fromisoformat(row["end"][:10])
        while day < end:
            running[day] += 1
            day += dt.timedelta(days=1)
    assert running.most_common(1) == [(PHILLY_DAY, 280)]


def test_a_day_on_which_no_philly_project_runs_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="2016-01-01"):
        philly(data, dt.date(2016, 1, 1))


@pytest.mark.parametrize("cluster", HELIOS_DAYS)
def test_a_helios_team_holds_its_quota_of_yesterday_and_asks_for_that_of_today(
    data: Path, cluster: str
) -> None:
    organization = helios(data, cluster)
    today = HELIOS_DAYS[cluster]
    quotas = {row["date"]: row for row in raw(data / f"helios/{cluster}_cluster_gpu_number.csv")}
    held: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for project in organization.projects:
        held[project.team] += sum(project.holds.values())
        asked[project.team] += 0 if project.ends else int(project.demand)
    for team, quota in list(quotas[str(today)].items())[1:-1]:
        assert held[team] == int(quotas[str(today - dt.timedelta(days=1))][team])
        assert asked[team] == int(quota)
    assert asked.total() == organization.pools[0].gpus
    assert errors(organization) == []


@pytest.mark.parametrize("cluster", HELIOS_DAYS)
def test_what_helios_teams_give_up_and_gain_are_the_changes_of_that_day(data: Path, cluster: str) -> None:
    today = HELIOS_DAYS[cluster]
    changes = {
        row["vc_team"]: int(row["delta"])
        for row in raw(data / "helios/derived_quota_changes.csv")
        if (row["cluster"], row["date"]) == (cluster, str(today))
    }
    found: Counter[str] = Counter()
    for project in helios(data, cluster).projects:
        found[project.team] += -int(project.demand) if project.ends == today else 0
        found[project.team] += 0 if project.ends else int(project.demand) - sum(project.holds.values())
    assert {team: change for team, change in found.items() if change} == changes


def test_a_helios_day_without_a_day_before_it_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="begin on 2020-04-01"):
        helios(data, "Venus", dt.date(2020, 4, 1))


COMMANDS = {
    "openb": (["openb"], "Alibaba"),
    "openb-pods": (["openb-pods", "--limit", "20"], "Alibaba"),
    "philly-2017-10-09": (["philly", "--day", "2017-10-09"], "Philly"),
    "helios-Earth-2020-07-02": (["helios", "--cluster", "Earth"], "Helios"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_writes_a_file_that_says_what_is_real_and_can_be_loaded(
    name: str, data: Path, tmp_path: Path
) -> None:
    arguments, source = COMMANDS[name]
    out = tmp_path / "real.yaml"
    main([*arguments, "--folder", str(data), "--out", str(out)])
    comment = out.read_text().split("\n\nname:")[0]
    assert source in comment
    assert "Invented:" in comment
    assert load(out).name == name


def test_what_is_written_is_what_was_converted(data: Path, tmp_path: Path) -> None:
    main(["helios", "--folder", str(data), "--out", str(tmp_path / "helios.json")])
    assert load(tmp_path / "helios.json") == helios(data)


def test_a_file_that_is_neither_yaml_nor_json_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"must end in \.yaml"):
        main(["helios", "--folder", str(data), "--out", str(tmp_path / "helios.xls")])


def test_a_folder_without_the_data_is_missing_data(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"derived_request_classes\.csv is missing"):
        openb(tmp_path)


def test_the_command_says_so_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"philly_vc_nodes\.csv is missing"):
        main(["philly", "--folder", str(tmp_path), "--out", str(tmp_path / "philly.yaml")])
    assert list(tmp_path.iterdir()) == []
