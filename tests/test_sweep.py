"""Sweeps: grids, breakpoints, and the same points wherever they are solved."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gpu_opt.errors import InvalidInput
from gpu_opt.files import load
from gpu_opt.options import Options, Progress
from gpu_opt.plan import Binding, Comparison, Side, Status, Stop, Sweep, SweepPoint
from gpu_opt.report.certainty import doubt
from gpu_opt.scenario import Grid, Scenario, load_grid, make_grid, sweep, sweeping, what_if
from gpu_opt.scenario.breakpoints import breakpoints
from gpu_opt.scenario.grid import Axis, Point, each
from gpu_opt.scenario.solving import solve_scenario
from tests.building import TODAY, allocation, lab, project
from tests.sweeping import BASE, CAPS, grid, options, told

MODELS = Path(__file__).parent.parent / "models"

# --- Values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("50%..60% by 5%", ("50%", "55%", "60%")),
        ("50..60 % by 4", ("50%", "54%", "58%")),
        ("33.33331%..33.33333% by 0.00001%", ("33.33331%", "33.33332%", "33.33333%")),
        ("0%..0.00002% by 0.00001%", ("0%", "0.00001%", "0.00002%")),
        ("1000..3000 by 1000", (1000, 2000, 3000)),
        ("0.5..1 by 0.25", (0.5, 0.75, 1)),
        ("iowa, texas", ("iowa", "texas")),
        ("1, 2.5, 2026-12-07", (1, 2.5, dt.date(2026, 12, 7))),
        ("2026-12-07..2026-12-20 by 1w", (dt.date(2026, 12, 7), dt.date(2026, 12, 14))),
        ("friday of 2027-02", tuple(dt.date(2027, 2, day) for day in (5, 12, 19, 26))),
    ],
)
def test_values_are_written_as_planners_say_them(text: str, values: tuple[object, ...]) -> None:
    assert each(text) == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("80%..50% by 5%", "has no values; the first must be the smaller"),
        ("1..2 by 0", "has no values"),
        ("1..100000 by 1", "has more than 10,000 values"),
        ("50..60", "cannot be read; write each 50%..80% by 5%"),
        ("iowa", "cannot be read"),
        ("a,,b", "cannot be read"),
        ("2026-12-20..2026-12-07 by 7d", "the first must be the earlier"),
        ("2026-12-32..2027-01-05 by 7d", "'2026-12-32' is no day of the calendar"),
        ("holiday of 2026-12", "is no weekday of a month"),
        ("Monday of 2026-13", "is no weekday of a month"),
    ],
)
def test_what_cannot_be_read_says_what_can(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        each(text)


def test_a_grid_has_a_scenario_for_every_combination_the_last_axis_running_fastest() -> None:
    made = grid(
        {"change": "set_cap", "team": "research", "cap": "each 8, 16"},
        {"change": "resize_project", "project": "vega", "demand": "each 4, 6", "minimum": 2},
        {"change": "pin_project", "project": "lyra", "pinned": False},
    )
    assert [axis.name for axis in made.axes] == ["research: cap", "vega: demand"]
    assert [list(point.values.values()) for point in made.points] == [
        ["8", "4"],
        ["8", "6"],
        ["16", "4"],
        ["16", "6"],
    ]
    assert all(len(point.scenario.changes) == 3 for point in made.points)


def test_an_axis_of_the_date_is_named_for_the_change() -> None:
    made = grid({"change": "move_date", "to": "each 2026-12-01, 2026-12-02"})
    assert [axis.name for axis in made.axes] == ["move date: to"]


def refusals(value: object) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        make_grid(value)
    return [str(problem) for problem in refused.value.problems]


def test_everything_that_is_wrong_with_a_grid_is_told_at_once() -> None:
    cap = {"change": "set_cap", "team": "research", "cap": "each 5 to 8"}
    assert len(refusals({"name": "x", "changes": [cap, cap]})) == 2
    wrong = {"change": "set_cap", "teem": "research", "cap": "each 5, 8"}
    assert refusals({"name": "x", "changes": [wrong]}) == [
        "changes[0].teem: unknown field 'teem'; did you mean 'team'?"
    ]
    (no_axis,) = refusals({"name": "x", "changes": [{"change": "set_cap", "team": "lab", "cap": 5}]})
    assert no_axis.startswith("changes: no value is written as 'each ...', as in cap: each 50%..80% by 5%")
    many = {"change": "resize_project", "project": "a", "demand": "each 1..200 by 1"}
    assert (
        "the grid has 40,000 scenarios, more than 10,000" in refusals({"name": "x", "changes": [many] * 2})[0]
    )
    assert "a scenario is a mapping" in refusals([])[0]


def test_a_grid_file_names_the_line_of_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text("name: x\nchanges:\n  - {change: set_cap, team: lab, cap: each day}\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        load_grid(file)
    assert [problem.line for problem in refused.value.problems] == [3]


def test_the_grid_of_the_frontier_lab_applies_to_it() -> None:
    made = load_grid(MODELS / "scenarios" / "research_caps.grid.yaml")
    assert len(made.points) == 32
    organization = load(MODELS / "organizations" / "frontier_lab.yaml")
    stopped = Options()
    stopped.cancel.set()
    assert sweep(organization, made, options=stopped).asked == 32


# --- A sweep ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def local() -> Sweep:
    """The sweep over the caps, on threads of this process."""
    return sweep(BASE, CAPS, options=options())


def test_every_point_is_what_a_what_if_says(local: Sweep) -> None:
    for point, asked in zip(local.points, CAPS.points, strict=True):
        (alone,) = what_if(BASE, asked.scenario, options=options(threads=1), base=local.base).scenarios
        assert point.comparison == alone.comparison
        assert point.status is Status.OPTIMAL


def test_the_values_from_which_on_a_budget_binds_or_no_longer_does_are_named(local: Sweep) -> None:
    assert [turn.text for turn in local.breakpoints] == [
        "research: cap: from 24 on, the cap of research no longer binds"
    ]
    guarantees = grid({"change": "set_guarantee", "team": "product", "guarantee": "each 8, 20"})
    pinned = BASE.model_copy(
        update={
            "projects": (
                project("orion", 24, "research", holds={"iowa": 16}, pinned=True),
                *BASE.projects[1:2],
                project("vega", 20, "product", sites=("iowa",)),
            )
        }
    )
    turns = sweep(pinned, guarantees, options=options()).breakpoints
    assert "product: guarantee: from 20 on, the guarantee of product is short" in [t.text for t in turns]


def test_a_breakpoint_of_one_axis_is_told_for_every_value_of_the_others() -> None:
    both = grid(
        {"change": "set_cap", "team": "research", "cap": "each 16, 32"},
        {"change": "resize_project", "project": "orion", "demand": "each 8, 24"},
    )
    found = sweep(BASE, both, options=options())
    assert [(turn.axis, turn.value, turn.others, turn.binds) for turn in found.breakpoints] == [
        ("research: cap", "32", {"orion: demand": "24"}, False),
        ("orion: demand", "24", {"research: cap": "16"}, True),
    ]


def test_points_and_progress_arrive_while_others_are_solved() -> None:
    arrived: list[SweepPoint] = []
    phases: list[Progress] = []
    found = sweep(BASE, CAPS, options=options(progress=phases.append), arrived=arrived.append)
    assert sorted(str(point.values) for point in arrived) == sorted(str(p.values) for p in found.points)
    assert [p.phase for p in phases if p.phase.startswith("scenario")] == [
        f"scenario {n} of 7" for n in range(1, 8)
    ]


def test_a_limit_of_work_holds_for_every_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    def noted(*arguments: Any) -> Any:
        limits.append(arguments[-1].work_limit)
        return solve_scenario(*arguments)

    monkeypatch.setattr(sweeping, "solve_scenario", noted)
    points = sweep(BASE, CAPS, workers=1, options=Options(work_limit=50)).points
    assert limits == [50] * len(points)


def test_a_scenario_that_does_not_apply_is_told_before_anything_is_solved() -> None:
    phases: list[Progress] = []
    made = grid({"change": "set_cap", "team": "reserach", "cap": "each 1, 2"})
    with pytest.raises(InvalidInput, match="no team 'reserach'") as caught:
        sweep(BASE, made, options=options(progress=phases.append))
    assert phases == []
    assert len(caught.value.problems) == 1  # it is the same in both


def test_who_cancels_keeps_what_has_arrived() -> None:
    how = options(threads=1)

    def stop_after_two(point: SweepPoint) -> None:
        arrived.append(point)
        if len(arrived) == 2:
            how.cancel.set()

    arrived: list[SweepPoint] = []
    found = sweep(BASE, CAPS, options=how, arrived=stop_after_two)
    assert list(found.points) == arrived
    assert (len(found.points), found.asked) == (2, 7)


def test_a_sweep_is_the_same_after_a_trip_through_json(local: Sweep) -> None:
    assert Sweep.model_validate_json(local.model_dump_json()) == local


class Failing(Executor):
    """An executor whose second task fails."""

    def __init__(self) -> None:
        self.given: list[Future[Any]] = []

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.given.append(future)
        if len(self.given) == 2:
            future.set_exception(RuntimeError("the machine burns"))
        return future


def test_what_an_executor_raises_is_passed_on_and_the_rest_given_up() -> None:
    executor = Failing()
    with pytest.raises(RuntimeError, match="the machine burns"):
        sweep(BASE, CAPS, executor=executor, options=options())
    assert all(future.cancelled() for n, future in enumerate(executor.given) if n != 1)


def test_any_executor_will_do_and_stays_open(local: Sweep) -> None:
    with ThreadPoolExecutor(3) as executor:
        assert told(sweep(BASE, CAPS, executor=executor, options=options()).points) == told(local.points)
        assert executor.submit(len, "open").result() == 4


def test_a_scenario_is_the_same_scenario_after_a_trip_to_a_worker() -> None:
    made = Scenario.model_validate({"name": "x", "changes": [{"change": "lose_pool", "pool": "iowa"}]})
    assert Scenario.model_validate(made.model_dump(mode="json")) == made


def test_breakpoints_between_plans_that_are_not_proved_are_told_with_a_doubt() -> None:
    """The doubt is about plans that ended by the time limit, not about those within the gap asked for."""
    side = Side(organization="lab", as_of=TODAY, date=TODAY, status=Status.FEASIBLE, gap=0.1)
    nothing = Comparison(
        before=side,
        after=side,
        figures=(),
        goals=(),
        gained=0,
        lost=0,
        projects=(),
        teams=(),
        pools=(),
        guarantees=(),
    )

    def swept(stop: Stop) -> Sweep:
        point = SweepPoint(
            values={}, status=Status.FEASIBLE, stop=stop, gap=0.1, bindings=(), comparison=nothing
        )
        return Sweep(name="grid", base=allocation(lab(), {}), points=(point,), asked=1, breakpoints=())

    assert doubt(swept(Stop.TIME)).startswith("Not all of these plans are proved")
    assert doubt(swept(Stop.GAP)) == ""


def test_a_breakpoint_of_a_grid_with_two_axes_names_where_the_other_one_stands() -> None:
    axes = (Axis("a: cap", 0, "cap", (1, 2)), Axis("b: cap", 1, "cap", (5,)))
    points = tuple(Point({"a: cap": str(a), "b: cap": "5"}, Scenario(name="x")) for a in (1, 2))
    binding = Binding(kind="team_cap", team="a")

    def found(a: str, *bindings: Binding) -> SweepPoint:
        return SweepPoint.model_construct(values={"a: cap": a, "b: cap": "5"}, bindings=bindings)

    (turn,) = breakpoints(Grid("grid", axes, points), {0: found("1", binding), 1: found("2")})
    assert turn.text == "a: cap: from 2 on (with b: cap 5), the cap of a no longer binds"
