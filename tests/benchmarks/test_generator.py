"""The generator makes what it says: valid organizations, the same ones again, where the named rows bind."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.generator import SIZES, Binding, Dials, generate
from gpu_opt.instance import MILLI
from gpu_opt.validation import check
from tests.searching import relaxed


@pytest.mark.parametrize("binding", ["caps", "pools", "limits", "moves"])
def test_the_generator_makes_valid_organizations_and_the_same_ones_again(binding: str) -> None:
    dials = Dials(projects=40, pools=6, seed=3, binding=binding)  # type: ignore[arg-type]
    organization = generate(dials)
    assert not [problem for problem in check(organization) if problem.severity == "error"]
    assert generate(dials) == organization
    assert len(organization.projects) == 40


@pytest.mark.parametrize("binding", ["caps", "pools", "limits", "moves"])
def test_what_the_generator_says_binds_does(binding: Binding) -> None:
    """Its prices earn some of the bound, and nothing where something else binds; but for pools."""
    kinds: tuple[Binding, ...] = ("caps", "pools", "limits", "moves")
    earned = {each: _earned_by(each, binding) for each in kinds}
    assert earned.pop(binding) > 0.01
    assert binding == "pools" or set(earned.values()) == {0.0}


def _earned_by(binds: Binding, binding: Binding) -> float:
    """What share of the bound rows of a kind earn in a lab where something else, or the same, binds."""
    stage = relaxed(Dials(projects=60, pools=8, seed=1, binding=binds))
    assert stage.guide is not None
    instance, prices = stage.incumbent.instance, stage.guide.prices
    caps = [0 if cap is None else cap / MILLI for cap in instance.teams.cap]
    limits = [limit.gpus for limit in instance.limits]
    earned = {
        "caps": float(prices.cap @ np.array(caps)),
        "pools": float(prices.pool @ np.array(instance.pools.units)),
        "limits": float(prices.limit @ np.array(limits)),
        "moves": prices.budget * (instance.max_moves or 0),
    }
    return earned[binding] / stage.guide.bound


def test_the_named_sizes_say_what_they_are() -> None:
    assert {f"{projects}x{pools}" for projects, pools in SIZES.values()} == set(SIZES)
