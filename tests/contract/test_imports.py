"""Imports run one way, and heavy libraries stay where they are needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "gpu_opt"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"cli"}),
    frozenset({"nightly", "progress"}),
    frozenset({"report", "store"}),
    frozenset({"explanation"}),
    frozenset({"scenario"}),
    frozenset({"reallocation"}),
    frozenset({"allocation"}),
    frozenset({"clock"}),
    frozenset({"solver"}),
    frozenset({"cbc_process", "indexing"}),
    frozenset({"cbc_output"}),
    frozenset({"derivation"}),
    frozenset({"offers"}),
    frozenset({"budgets", "instance", "files"}),
    frozenset({"validation", "checker"}),
    frozenset({"options"}),
    frozenset({"plan"}),
    frozenset({"organization"}),
    frozenset({"errors"}),
)
"""From the top down: a module imports only from layers below its own, at whatever place in its code."""

ONLY = {
    "checker": {"organization", "plan", "errors"},
    "plan": {"organization"},
    "organization": {"errors"},
    "errors": set[str](),
}
"""Modules that may import nothing else: the checker knows input and plan, and not how plans are made."""

LIBRARIES = {
    "pulp": {
        "solver",
        "allocation.constraints",
        "allocation.formulation",
        "allocation.start",
        "allocation.strategy.columns",
        "allocation.strategy.probing",
        "allocation.strategy.relaxation",
        "allocation.strategy.rows",
        "allocation.strategy.whole",
        "allocation.variables",
        "reallocation.flow",
        "reallocation.program",
    },
    "cbcbox": {"solver"},
    "networkx": set[str](),
    "distributed": {"cli.sweeping"},
    "sqlalchemy": {"store"},
    "plotly": {
        "report.page.comparison",
        "report.page.frame",
        "report.plots.bars",
        "report.plots.budgets",
        "report.plots.handovers",
        "report.plots.matrix",
        "report.plots.outcomes",
        "report.plots.style",
        "report.plots.sweep",
    },
    "rich": {"cli", "progress", "report"},
    "typer": {"cli"},
    "yaml": {"files"},
    "numpy": {
        "allocation",
        "explanation",
        "reallocation",
        "indexing",
        "derivation",
        "offers",
        "instance",
    },
}
"""Who may import a library: a module, or all modules of a package."""


def modules() -> dict[str, ast.Module]:
    """Every module but the one with the public names, without the package's own name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__":
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported, at the top or in a function, for types only or for real."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (
                [f"gpu_opt.{alias.name}" for alias in node.names]
                if node.module == "gpu_opt"
                else [str(node.module)]
            )


def own(tree: ast.Module) -> set[str]:
    """The parts of the package that are imported."""
    return {name.split(".")[1] for name in imported(tree) if name.startswith("gpu_opt.")}


def part_of(module: str) -> str:
    """The module, or the package that it is in."""
    return module.partition(".")[0]


def layer(part: str) -> int:
    return next(place for place, parts in enumerate(LAYERS) if part in parts)


def test_every_module_has_a_layer() -> None:
    assert {part_of(name) for name in MODULES} == set().union(*LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_below(module: str) -> None:
    part = part_of(module)
    for other in own(MODULES[module]) - {part}:
        assert layer(other) > layer(part), f"{module} imports {other}, which is not below it"


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) in ONLY])
def test_some_import_next_to_nothing(module: str) -> None:
    part = part_of(module)
    assert own(MODULES[module]) - {part} <= ONLY[part]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_imported_only_where_it_is_needed(library: str) -> None:
    users = {name for name, tree in MODULES.items() if library in {part_of(each) for each in imported(tree)}}
    needed = {
        home
        for home in LIBRARIES[library]
        if any(name == home or name.startswith(f"{home}.") for name in users)
    }
    assert needed == LIBRARIES[library], "the table has who does not need it"
    assert {name for name in users if name not in needed and part_of(name) not in needed} == set()


LIGHT = """
import sys
{statement}
print(*sorted(name for name in sys.modules if name in {libraries}))
"""


def loaded_by(statement: str) -> list[str]:
    """The libraries that a fresh interpreter has loaded after a statement."""
    code = LIGHT.format(statement=statement, libraries=set(LIBRARIES))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_to_import_the_package_loads_no_library() -> None:
    assert loaded_by("import gpu_opt") == []


def test_to_read_a_file_loads_what_reads_it() -> None:
    assert loaded_by("import gpu_opt; gpu_opt.load") == ["yaml"]


def test_to_verify_a_plan_loads_nothing_that_makes_one() -> None:
    assert loaded_by("import gpu_opt; gpu_opt.verify; gpu_opt.Organization; gpu_opt.Allocation") == []


def test_the_command_line_waits_for_no_solver_and_no_database() -> None:
    assert not {"pulp", "cbcbox", "networkx", "sqlalchemy", "numpy"} & set(
        loaded_by("import gpu_opt.cli.commands")
    )
