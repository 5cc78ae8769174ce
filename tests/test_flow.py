"""The general minimum-cost flow: its contract, and the proof that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gpu_opt.errors import NoPlan, NoPlanInTime, SolverFailure
from gpu_opt.options import Options
from gpu_opt.reallocation import flow as module
from gpu_opt.reallocation.flow import (
    UNLIMITED,
    Network,
    contract,
    minimum_cost_flow,
    optimal_face,
    prove,
)
from gpu_opt.solver import solve


def network(supply: Sequence[int], *arcs: tuple[int, int, int, int, int]) -> Network:
    """Arcs are (tail, head, lower, capacity, cost)."""
    columns = np.array(arcs, dtype=np.int64).reshape(-1, 5).T
    return Network(np.array(supply, dtype=np.int64), *columns)


CHEAP_AND_DEAR = network([5, -5], (0, 1, 0, 3, 1), (0, 1, 0, UNLIMITED, 4))


def test_the_cheap_arc_is_filled_first() -> None:
    flow = minimum_cost_flow(CHEAP_AND_DEAR, Options())
    assert flow.values.tolist() == [3, 2]
    assert flow.cost == 3 * 1 + 2 * 4


def test_reduced_costs_say_what_every_best_flow_carries() -> None:
    flow = minimum_cost_flow(CHEAP_AND_DEAR, Options())
    assert flow.reduced.tolist() == [-3, 0]
    face = optimal_face(CHEAP_AND_DEAR, flow.reduced)
    assert (face.lower.tolist(), face.capacity.tolist()) == ([3, 0], [3, UNLIMITED])


def test_a_lower_bound_is_kept_though_it_is_dear() -> None:
    assert minimum_cost_flow(network([2, -2], (0, 1, 0, 9, 1), (0, 1, 1, 9, 7)), Options()).cost == 8


def test_a_loop_is_worth_its_capacity_if_it_gains_and_nothing_else() -> None:
    looped = network([1, -1], (0, 1, 0, 1, 5), (0, 0, 0, 3, -2), (1, 1, 1, 3, 2))
    flow = minimum_cost_flow(looped, Options())
    assert (flow.values.tolist(), flow.cost) == ([1, 3, 1], 5 - 6 + 2)


def test_where_nothing_can_be_decided_nothing_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "solve", None)
    assert minimum_cost_flow(network([2, -2], (0, 1, 2, 2, 3)), Options()).cost == 6


def test_no_arcs_and_no_supply_is_a_flow_too() -> None:
    assert minimum_cost_flow(network([0, 0]), Options()).cost == 0


@pytest.mark.parametrize(
    "impossible",
    [
        network([3, -3], (0, 1, 0, 2, 1)),
        network([1, -1, 0], (1, 2, 0, 9, 1)),
        network([1, -1], (0, 1, 0, 0, 1)),
    ],
    ids=["too little capacity", "no way", "no room at all"],
)
def test_what_cannot_be_met_is_no_plan(impossible: Network) -> None:
    with pytest.raises(NoPlan, match="supply"):
        minimum_cost_flow(impossible, Options())


@pytest.mark.parametrize(
    "bottomless",
    [
        network([0, 0], (0, 1, 0, UNLIMITED, -2), (1, 0, 0, UNLIMITED, 1)),
        network([0], (0, 0, 0, UNLIMITED, -1)),
    ],
    ids=["cycle", "loop"],
)
def test_a_cost_without_a_bottom_is_no_plan(bottomless: Network) -> None:
    with pytest.raises(NoPlan, match="no bottom"):
        minimum_cost_flow(bottomless, Options())


def test_without_time_there_is_no_plan_in_time() -> None:
    with pytest.raises(NoPlanInTime):
        minimum_cost_flow(CHEAP_AND_DEAR, Options(), seconds=0.0)


def test_a_proof_is_found_from_any_guess() -> None:
    values = np.array([3, 2])
    for guess in ([0, 0], [-99, 12345]):
        reduced = prove(CHEAP_AND_DEAR, values, np.array(guess))
        assert reduced is not None
        assert reduced.tolist() == [-3, 0]


def test_a_proof_takes_as_many_rounds_as_nodes_are_in_a_row() -> None:
    row = network([1, 0, 0, -1], *((node, node + 1, 0, 1, 1) for node in range(3)))
    nothing_known = np.zeros(4, dtype=np.int64)
    assert prove(row, np.array([1, 1, 1]), nothing_known, patience=1) is None
    assert prove(row, np.array([1, 1, 1]), nothing_known, patience=4) is not None


def test_a_flow_that_is_not_best_has_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    dear, potentials = np.array([2, 3]), np.array([0, -4])
    assert prove(CHEAP_AND_DEAR, dear, potentials) is None
    monkeypatch.setattr(module, "candidate_flow", lambda *_args, **_kwargs: (dear, potentials))
    with pytest.raises(SolverFailure, match="not of least cost"):
        minimum_cost_flow(CHEAP_AND_DEAR, Options())


def test_what_does_not_balance_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(problem: Any, *args: Any, **kwargs: Any) -> Any:
        answer = solve(problem, *args, **kwargs)
        problem.variables()[1].setInitialValue(7)
        return answer

    monkeypatch.setattr(module, "solve", shifted)
    with pytest.raises(SolverFailure, match="does not balance"):
        minimum_cost_flow(CHEAP_AND_DEAR, Options())


def test_merged_nodes_keep_the_least_cost_where_the_way_between_them_is_free() -> None:
    days = network([4, 0, -4], (0, 1, 0, UNLIMITED, 0), (1, 2, 0, 3, 2), (0, 2, 0, UNLIMITED, 5))
    merged = contract(days, np.array([0, 0, 1]))
    assert merged.supply.tolist() == [4, -4]
    assert minimum_cost_flow(merged, Options()).cost == minimum_cost_flow(days, Options()).cost == 3 * 2 + 5
