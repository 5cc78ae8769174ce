"""Every peer in a process of its own: it has its time, and nothing that it does hurts the others."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from benchmarks.__main__ import document, main
from benchmarks.generator import Dials
from benchmarks.harness import generated, measure, size_of
from benchmarks.memory import tree
from benchmarks.peer import Peer, Proof, Run, Task, all_peers
from benchmarks.program import grants_of, greedy_units
from benchmarks.results import FAILED, INFEASIBLE, NONE, PLAN, SKIPPED, Outcome
from gpu_opt.plan import Grant

LAB = generated(Dials(projects=10, pools=3))


def hangs(task: Task, run: Run) -> Proof:
    instance, units = greedy_units(task.organization)
    run.hand_in(grants_of(instance, units))
    time.sleep(600)
    return Proof()


def fails(task: Task, run: Run) -> Proof:
    raise ArithmeticError("a slip")


def dies(task: Task, run: Run) -> Proof:
    os._exit(3)


def cheats(task: Task, run: Run) -> Proof:
    pools, projects = task.organization.pools, task.organization.projects
    run.hand_in([Grant(project=each.name, pool=pools[0].name, gpus=pools[0].gpus) for each in projects])
    return Proof(bound=0.0)


def gives_up(task: Task, run: Run) -> Proof:
    print("a banner that nobody wants to see")
    return Proof()


def outcome_of(peer: Peer, limit: float = 0.5) -> Outcome:
    (found,) = measure([LAB], [peer], [limit], threads=1)
    return found


def test_a_peer_that_hangs_is_killed_and_the_plan_that_it_had_counts() -> None:
    found = outcome_of(Peer("hangs", "", hangs))
    assert found.status == PLAN
    assert "killed" in found.remark


def test_a_peer_that_fails_or_dies_has_no_plan_and_says_why() -> None:
    assert outcome_of(Peer("fails", "", fails)).status == FAILED
    assert "a slip" in outcome_of(Peer("fails", "", fails)).remark
    assert "exit code 3" in outcome_of(Peer("dies", "", dies)).remark


def test_a_plan_that_the_checker_refuses_is_shown_as_such_and_has_no_value() -> None:
    found = outcome_of(Peer("cheats", "", cheats))
    assert found.status == INFEASIBLE
    assert found.objective is None


def test_a_peer_may_find_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert outcome_of(Peer("gives up", "", gives_up)).status == NONE
    assert capfd.readouterr().out == ""


def test_a_peer_whose_library_is_not_there_is_skipped() -> None:
    found = outcome_of(Peer("absent", "", fails, needs=("no_such_module",)))
    assert found.status == SKIPPED
    assert "no_such_module" in found.remark


def test_a_process_is_in_its_own_tree() -> None:
    assert os.getpid() in tree(os.getpid())


def test_two_peers_on_a_small_lab_and_the_referee_make_a_table() -> None:
    peers = all_peers()
    chosen = [peers[name] for name in ("gpu_opt", "greedy", "cbc", "relaxation")]
    found = {each.peer: each for each in measure([LAB], chosen, [5.0], threads=1)}
    ours, greedy, cbc, referee = (found[peer.name] for peer in chosen)
    assert ours.status == greedy.status == cbc.status == PLAN
    assert ours.objective is not None
    assert greedy.objective is not None
    assert cbc.objective is not None
    assert referee.bound is not None
    assert greedy.objective <= cbc.objective <= referee.bound * (1 + 1e-9)
    assert greedy.objective <= ours.objective <= referee.bound * (1 + 1e-9)
    assert ours.is_lexicographic
    assert "| greedy | 1 of 1 |" in document(list(found.values()))


def test_the_command_keeps_table_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--size",
        "10x3",
        "--time",
        "1",
        "--seeds",
        "2",
        "--peers",
        "greedy,relaxation",
        "--name",
        "small",
        "--out",
    ]
    main([*arguments, str(tmp_path)])
    assert "| greedy | 2 of 2 |" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"small.md", "small.json", "small.csv"}
    assert str(tmp_path) not in (tmp_path / "small.md").read_text(encoding="utf-8")


def test_what_cannot_be_meant_is_said_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, told in [
        (["--size", "huge"], "'huge' is no size"),
        (["--peers", "greedy,nobody"], "no peer nobody"),
        (["--organization", "absent.yaml"], "absent.yaml"),
    ]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert told in capsys.readouterr().err


def test_a_size_is_a_name_or_two_numbers() -> None:
    assert size_of("2,000x40") == size_of("2000x40") == (2000, 40)
    assert size_of("12x3") == (12, 3)


def test_every_peer_has_a_name_of_its_own_and_says_what_it_is() -> None:
    peers = all_peers()
    assert {"gpu_opt", "greedy", "cbc", "highs", "cp-sat", "scip"} <= peers.keys()
    assert all(peer.about for peer in peers.values())
