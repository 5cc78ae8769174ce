"""The commands of ``gpu-opt``, one function each. They return the exit code."""

from __future__ import annotations

from enum import StrEnum
from importlib.metadata import version
from typing import Annotated

import typer

from gpu_opt.cli import arguments as args
from gpu_opt.cli.failures import EXIT_CODES, Code, problems
from gpu_opt.cli.output import say, write, write_json
from gpu_opt.cli.session import Settings, present, solving, with_report, with_settings
from gpu_opt.errors import StoreUnusable

app = typer.Typer(
    help=f"Who gets which GPUs: tonight's allocation, and the handovers of the coming weeks.\n\n{EXIT_CODES}",
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich's panels would take longer than everything else
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        write(f"gpu-opt {version('gpu-opt')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def gpu_opt(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Answer ``gpu-opt`` without a command."""
    if context.invoked_subcommand is None:
        say(context.get_help())
        raise typer.Exit(Code.INPUT)


@app.command()
@with_report
def nightly(
    how: Settings,
    file: args.File,
    store: args.Store = "sqlite:///gpu-opt.db",
    horizon: args.Horizon = "90d",
    every_project: args.All = False,
) -> int:
    """Compute, publish and show tonight's plans.

    The allocation for today, the reallocation over the horizon, and what changed since the night before.
    A night that is interrupted is shown, but not published.
    """
    until = args.parse_horizon(horizon)
    failure = None
    with solving(how, file) as (organization, options):
        from gpu_opt.nightly import NotPublished, run_night

        days = (args.last_day(until, organization.as_of) - organization.as_of).days
        try:
            report = run_night(organization, horizon_days=days, options=options, store_url=store)
        except StoreUnusable as error:
            raise StoreUnusable(f"--store: {error}") from error
        except NotPublished as error:  # what was computed is shown all the same
            failure, report = error, error.report
    from gpu_opt.report.night import night

    code = present(report, lambda: night(report, every_project=every_project), how, options)
    if failure is not None:
        say(f"gpu-opt: {failure}")
        return Code.INTERNAL
    if report.night is None:
        say("gpu-opt: interrupted: the night is not published")
    return code


@app.command()
@with_settings
def check(how: Settings, file: args.File) -> int:
    """Say what is wrong or unwise in the input."""
    from gpu_opt import files

    organization, found = files.read(file)
    valid = organization is not None
    if how.as_json:
        from gpu_opt.cli.documents import checked

        write_json(checked(file, found, valid=valid).model_dump_json(indent=2))
    else:
        write(problems(found, file))
    return Code.PLAN if valid else Code.INPUT


@app.command()
@with_report
def allocate(how: Settings, file: args.File, date: args.Date = None, every_project: args.All = False) -> int:
    """Decide who holds which GPUs on a day."""
    day = None if date is None else args.parse_day(date, "--date")
    with solving(how, file) as (organization, options):
        from gpu_opt.allocation import allocate as solve

        plan = solve(organization, date=day, options=options)
    from gpu_opt.report.allocation import allocation

    return present(plan, lambda: allocation(plan, every_project=every_project), how, options)


@app.command()
@with_report
def reallocate(how: Settings, file: args.File, horizon: args.Horizon = "90d") -> int:
    """Decide who hands which GPUs to whom, and when.

    What is held today is what the file says; nightly starts from tonight's allocation instead.
    """
    length = args.parse_horizon(horizon)
    with solving(how, file) as (organization, options):
        from gpu_opt.reallocation import reallocate as solve

        plan = solve(organization, until=args.last_day(length, organization.as_of), options=options)
    from gpu_opt.report.reallocation import reallocation

    return present(plan, lambda: reallocation(plan), how, options)


@app.command()
@with_report
def find(
    how: Settings,
    gpus: args.Needed,
    file: args.File,
    team: args.ForTeam,
    by: args.By,
    gpu_types: args.Types = None,
    sites: args.Sites = None,
    priority: args.Priority = 1.0,
    all_or_nothing: args.AllOrNothing = False,
) -> int:
    """Find N more GPUs: from whom, and when.

    Ending projects, deliveries and idle GPUs supply them; what is held today is what the file says. Where a
    cap is in the way, the answer says whose, and who may raise it.
    """
    needed_by, asking = args.parse_day(by, "--by"), args.parse_name(team, "--team")
    types, places = args.parse_names(gpu_types, "--type"), args.parse_names(sites, "--site")
    with solving(how, file) as (organization, options):
        from gpu_opt.cli.finding import answer

        found = answer(
            organization,
            team=asking,
            gpus=gpus,
            gpu_types=types,
            sites=places,
            by=args.last_day(needed_by, organization.as_of, "--by"),
            priority=priority,
            all_or_nothing=all_or_nothing,
            options=options,
        )
    from gpu_opt.report.finding import finding

    code = Code.PLAN if found.in_time else Code.NO_PLAN
    return present(found, lambda: finding(found), how, options, code)


@app.command()
@with_report
def why(how: Settings, subject: args.Subject, file: args.File, date: args.Date = None) -> int:
    """Say why a project or a team has what it has, and what would give it what it lacks."""
    day = None if date is None else args.parse_day(date, "--date")
    with solving(how, file) as (organization, options):
        from gpu_opt.cli.explaining import answer

        found = answer(organization, subject, date=day, options=options)
    from gpu_opt.report.explanation import explanation

    return present(found, lambda: explanation(found), how, options)


@app.command()
@with_report
def prices(how: Settings, file: args.File, date: args.Date = None, top: args.Top = 3) -> int:
    """Say where the next GPUs should go, and which budget hurts most."""
    day = None if date is None else args.parse_day(date, "--date")
    with solving(how, file) as (organization, options):
        from gpu_opt.explanation import prices as price

        found = price(organization, date=day, top=top, options=options)
    from gpu_opt.report.prices import prices as tables

    return present(found, lambda: tables(found, top=top), how, options)


@app.command()
@with_report
def conflicts(how: Settings, file: args.File, date: args.Date = None) -> int:
    """Say what is stated that cannot all be had, and what would resolve it."""
    day = None if date is None else args.parse_day(date, "--date")
    with solving(how, file) as (organization, options):
        from gpu_opt.explanation import conflicts as look_for

        found = look_for(organization, date=day, options=options)
    from gpu_opt.report.conflicts import conflicts as tables

    return present(found, lambda: tables(found), how, options)


@app.command("what-if")
@with_report
def what_if(
    how: Settings, file: args.File, scenarios: args.Scenarios, every_project: args.All = False
) -> int:
    """Show what scenarios would change.

    The base and every scenario side by side, who gains, who loses, and because of which change. Every plan
    stays as near to the base as it can.
    """
    with solving(how, file) as (organization, options):
        from gpu_opt.cli.scenarios import read_scenarios
        from gpu_opt.scenario import what_if as solve

        found = solve(organization, read_scenarios(scenarios, organization), options=options)
    from gpu_opt.report.what_if import what_if as tables

    return present(found, lambda: tables(found, every_project=every_project), how, options)


@app.command()
@with_report
def sweep(
    how: Settings,
    file: args.File,
    grid: args.GridFile,
    workers: args.Workers = None,
    cluster: args.Cluster = None,
) -> int:
    """Solve a grid of scenarios side by side.

    One scenario for every combination of values; where a budget begins to bind, or ceases to, is named. The
    time limit holds for the base and for each scenario. Interrupted, it shows what has arrived.
    """
    if workers is not None and cluster is not None:
        raise typer.BadParameter("is for this machine; a cluster has its own workers", param_hint="--workers")
    with solving(how, file) as (organization, options):
        from gpu_opt.cli.scenarios import read_grid
        from gpu_opt.cli.sweeping import cluster_executor
        from gpu_opt.scenario import sweep as solve

        points = read_grid(grid, organization)
        with cluster_executor(cluster) as executor:
            found = solve(organization, points, executor=executor, workers=workers, options=options)
    from gpu_opt.report.sweep import sweep as tables

    return present(found, lambda: tables(found), how, options)


class Document(StrEnum):
    """What `schema` can describe: the files that are read, and what each command prints with ``--json``."""

    ORGANIZATION = "organization"
    SCENARIO = "scenario"
    ALLOCATION = "allocation"
    REALLOCATION = "reallocation"
    NIGHT = "night"
    FINDING = "finding"
    EXPLANATION = "explanation"
    PRICES = "prices"
    CONFLICTS = "conflicts"
    WHAT_IF = "what-if"
    SWEEP = "sweep"
    CHECK = "check"
    ERROR = "error"


@app.command()
@with_settings
def schema(
    how: Settings,  # noqa: ARG001 - a schema is JSON anyway
    document: Annotated[
        Document, typer.Argument(help="A file that is read, or what a command prints with --json.")
    ] = Document.ORGANIZATION,
) -> int:
    """Print the JSON Schema of input or results."""
    from gpu_opt.cli.documents import json_schema

    write_json(json_schema(document))
    return Code.PLAN
