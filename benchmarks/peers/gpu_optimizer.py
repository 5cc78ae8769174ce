"""gpu_opt itself, through its public function."""

from __future__ import annotations

from benchmarks.objective import Weights, goal_weights, weighted
from benchmarks.peer import Peer, Proof, Run, Task
from gpu_opt import Options, Progress, allocate


def solve(task: Task, run: Run) -> Proof:
    """Allocate, with no gap to stop at; its bounds are those of its own, lexicographic goals."""
    weights = goal_weights(task.organization)
    best: dict[str, float] = dict.fromkeys((name for name, weight in weights.items() if not weight), 0.0)

    def progress(report: Progress) -> None:
        if report.phase in weights and report.best is not None:
            forget_later(best, weights, report)
            best[report.phase] = report.best
        known = report.best is not None and best.keys() >= weights.keys()
        run.report(weighted(weights, best) if known else None, None, has_plan=report.best is not None)

    options = Options(time_limit=run.left, gap=0.0, threads=task.threads, seed=task.seed, progress=progress)
    plan = allocate(task.organization, options=options)
    run.hand_in(plan.grants)
    bounds = {goal.name: goal.bound for goal in plan.goals}
    return Proof(weighted(weights, bounds), "lexicographic", remark=str(plan.status))


def forget_later(best: dict[str, float], weights: Weights, report: Progress) -> None:
    """Forget what later goals reached where this one has changed: it was another plan that did."""
    if best.get(report.phase, report.best) != report.best:
        order = list(weights)
        for name in order[order.index(report.phase) + 1 :]:
            if weights[name]:
                best.pop(name, None)


PEERS = (Peer("gpu_opt", "this package, as a user calls it", solve, ("pulp", "gpu_opt.allocation.steps")),)
