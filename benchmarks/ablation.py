"""What every step of the strategy is worth: the same organizations, with one step left out at a time.

    uv run python -m benchmarks.ablation --size 500x20 --time 5 --seeds 2

prints the gap of the first tier, in the median and on average, and how far its plan and its bound each are
from the best that any of the measured variants found or proved; over what binds and the seeds. `--only`
measures some of them. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.generator import Dials, generate
from benchmarks.harness import size_of
from gpu_opt.allocation import allocate, merging, reduction, relaxing, steps, uniting
from gpu_opt.allocation.strategy import improving, proving, sifting, whole
from gpu_opt.instance import Instance
from gpu_opt.options import Options
from gpu_opt.organization import Organization
from gpu_opt.solver import Effort

BINDING = ("caps", "pools", "limits", "moves")


@dataclass(frozen=True, slots=True)
class Variant:
    """A strategy without one of its steps: what takes whose place."""

    name: str
    changes: tuple[tuple[Any, str, Any], ...] = ()


def _whole(instance: Instance) -> reduction.Reduced:
    return reduction.Reduced(instance, np.arange(len(instance.arcs.pool)), {})


def _apart(instance: Instance) -> merging.Merged:
    return merging.Merged(instance, np.arange(len(instance.arcs.pool)))


def _each(instance: Instance) -> uniting.United:
    members = tuple((j,) for j in range(len(instance.projects.names)))
    return uniting.United(instance, members, np.arange(len(instance.arcs.pool)))


def _nothing(*_: Any, **__: Any) -> Iterator[Any]:
    return iter(())


VARIANTS = (
    Variant("all steps"),
    Variant("no reduction", ((steps, "reduce", _whole),)),
    Variant("no merging", ((steps, "merge", _apart),)),
    Variant("no uniting", ((steps, "unite", _each),)),
    Variant("no choice of lumps", ((sifting, "choose_lumps", lambda *_: ()),)),
    Variant("no dive", ((relaxing, "dive", lambda _, relaxed, *__, **___: relaxed),)),
    Variant(
        "no rounding together",
        ((improving, "_neighbours_rounded", _nothing), (improving, "at_random", _nothing)),
    ),
    Variant(
        "nothing coarse",
        ((improving, "_coarse_jobs", _nothing), (improving, "_coarse_for_promises", _nothing)),
    ),
    Variant("no haste", ((improving, "LIMITS", replace(improving.LIMITS, effort=Effort.FULL)),)),
    Variant("no parts by loss", ((improving, "by_loss", lambda _: []),)),
    Variant("no blocks", ((proving, "_block_jobs", _nothing),)),
    Variant("no root cuts", ((proving, "ROOT_ARCS", -1),)),
    Variant("no choices both ways", ((proving, "probing_jobs", _nothing),)),
    Variant("no deep cuts", ((whole, "is_worth_depth", lambda _: False),)),
)


@contextmanager
def without(variant: Variant) -> Iterator[None]:
    """Leave the variant's step out meanwhile."""
    with ExitStack() as stack:
        for module, name, other in variant.changes:
            stack.enter_context(patch.object(module, name, other))
        yield


@dataclass(frozen=True, slots=True)
class Reached:
    """The first tier's plan and bound."""

    value: float
    bound: float

    @property
    def gap(self) -> float:
        """Relative."""
        return (self.bound - self.value) / self.bound


def run(organization: Organization, variant: Variant, options: Options) -> Reached:
    """Allocate without the step."""
    with without(variant):
        plan = allocate(organization, options=options)
    tier = next(goal for goal in plan.goals if goal.name.startswith("value_tier_"))
    return Reached(tier.value, tier.bound)


def measure(
    organizations: Sequence[Organization],
    variants: Sequence[Variant],
    seconds: float,
    show: Callable[[str], None],
) -> list[tuple[str, float, float, float, float]]:
    """(variant, gap, mean gap, plan below the best, bound above the best), medians but for one, in %."""
    results: dict[str, list[Reached]] = {variant.name: [] for variant in variants}
    for organization in organizations:
        for variant in variants:
            reached = run(organization, variant, Options(time_limit=seconds, gap=0.0))
            results[variant.name].append(reached)
            show(f"{organization.name}, {variant.name}: gap {100 * reached.gap:.3f}%")
    best = [max(each.value for each in case) for case in zip(*results.values(), strict=True)]
    least = [min(each.bound for each in case) for case in zip(*results.values(), strict=True)]
    return [
        (
            name,
            100 * statistics.median(each.gap for each in cases),
            100 * statistics.fmean(each.gap for each in cases),
            100 * statistics.median(1 - each.value / top for each, top in zip(cases, best, strict=True)),
            100 * statistics.median(each.bound / low - 1 for each, low in zip(cases, least, strict=True)),
        )
        for name, cases in results.items()
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.ablation", description=__doc__)
    parser.add_argument("--size", default="500x20")
    parser.add_argument("--time", type=float, default=5.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument(
        "--only", nargs="+", choices=[variant.name for variant in VARIANTS], metavar="VARIANT"
    )
    asked = parser.parse_args()
    projects, pools = size_of(asked.size)
    organizations = [
        generate(Dials(projects, pools, seed=seed, binding=binding))  # type: ignore[arg-type]
        for binding in BINDING
        for seed in range(1, asked.seeds + 1)
    ]
    variants = [variant for variant in VARIANTS if asked.only is None or variant.name in asked.only]
    rows = measure(organizations, variants, asked.time, lambda line: print(line, file=sys.stderr, flush=True))
    print("| variant | gap | on average | plan below the best | bound above the best |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, *figures in rows:
        print(f"| {name} | " + " | ".join(f"{figure:.3f}%" for figure in figures) + " |")


if __name__ == "__main__":
    main()
