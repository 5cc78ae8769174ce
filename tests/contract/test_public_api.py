"""What ``import gpu_opt`` promises: its names, their types, their pages."""

from __future__ import annotations

import doctest
import importlib
import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import gpu_opt
from gpu_opt import errors

PACKAGE = Path(gpu_opt.__file__).parent
FOREIGN = ("pulp", "networkx", "numpy", "sqlalchemy")

FUNCTIONS = [name for name in gpu_opt.__all__ if inspect.isfunction(getattr(gpu_opt, name))]
CLASSES = [name for name in gpu_opt.__all__ if inspect.isclass(getattr(gpu_opt, name))]


def test_the_names_are_these() -> None:
    assert set(FUNCTIONS) == {
        "allocate",
        "apply",
        "check",
        "conflicts",
        "compare",
        "derive_requests",
        "dump",
        "explain",
        "find",
        "load",
        "prices",
        "load_grid",
        "load_scenario",
        "read",
        "reallocate",
        "sweep",
        "verify",
        "what_if",
    }
    assert {*FUNCTIONS, *CLASSES, "__version__"} == set(gpu_opt.__all__) == set(dir(gpu_opt))
    assert gpu_opt.__version__[0].isdigit()


def test_every_error_is_public() -> None:
    tree = {
        name
        for name, each in vars(errors).items()
        if inspect.isclass(each) and issubclass(each, errors.GpuOptError)
    }
    assert tree <= set(gpu_opt.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'gpu_opt' has no attribute 'optimise'"):
        getattr(gpu_opt, "optimise")  # noqa: B009


def test_verify_is_the_function_whatever_was_imported_before() -> None:
    code = "import gpu_opt.checker, gpu_opt.allocation; from gpu_opt import *; print(verify.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "verify\n"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_signature_has_no_type_of_a_library_that_is_a_detail(name: str) -> None:
    function = getattr(gpu_opt, name)
    hints = typing.get_type_hints(function)
    assert set(inspect.signature(function).parameters) | {"return"} == set(hints), "everything is typed"
    for hint in hints.values():
        assert not {origin.split(".")[0] for origin in origins(hint)} & set(FOREIGN)


def origins(hint: object) -> set[str]:
    """The modules of all types that a type is made of."""
    found = {getattr(hint, "__module__", "builtins")}
    for part in typing.get_args(hint):
        found |= origins(part)
    return found


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_every_public_name_has_its_page(name: str) -> None:
    assert inspect.getdoc(getattr(gpu_opt, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_raises_or_that_it_does_not(name: str) -> None:
    page = inspect.getdoc(getattr(gpu_opt, name)) or ""
    assert name == "check" or "Raises" in page


def names_of_modules() -> list[str]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return [
        ".".join(("gpu_opt", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in paths
        if ">>>" in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", names_of_modules())
def test_the_examples_in_docstrings_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
