"""The input: an organization, as its planners describe it.

Everything here is immutable and says only what *shape* the input has; whether the pieces fit
together (names, tree, dates, units) is the business of :mod:`gpu_opt.validation`.

Units, throughout the package: *GPUs* are whole devices; *compute* is GPUs times the speed of
their type and is counted in reference GPUs (a type of speed 1 is the reference); an *allocation
unit* is the smallest number of GPUs of a pool that is granted together (8 for an HGX node).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

MAX_GPUS = 100_000_000
"""Largest number of GPUs that any one field may hold: beyond it, doubles could not tell units apart."""

MAX_DECIMALS = 3
"""Decimals that a speed may have. All compute is then a multiple of 0.001 reference GPUs, far above
the tolerance of a linear program, so that a rounded plan meets every cap exactly."""

MIN_WEIGHT, MAX_WEIGHT = 0.001, 1_000_000
"""Bounds of priorities, and of values and prices that are not 0: a solver adds them up in doubles, to within
its tolerances."""

DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
PERCENTAGE = re.compile(r"^\s*(\d{1,9}(?:\.\d{1,9})?)\s*%\s*$", re.ASCII)


def _check_decimals(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value):
        exact = Fraction(str(value)) * 10**MAX_DECIMALS
        if exact.denominator != 1:
            nearest = round(value, MAX_DECIMALS) or 10**-MAX_DECIMALS  # a speed of 0 would be refused, too
            raise ValueError(f"has more than {MAX_DECIMALS} decimals; write {nearest}")
    return value


def _check_weight(value: float) -> float:
    if 0 < value < MIN_WEIGHT:
        raise ValueError(f"must be 0, or at least {MIN_WEIGHT}")
    return value


def _check_amount(value: Any) -> Any:
    if isinstance(value, str):
        match = PERCENTAGE.match(value)
        if not match:
            raise ValueError(f"{value!r} is neither a number of reference GPUs nor a percentage like '55%'")
        return f"{match.group(1)}%"
    return value


def _check_day(value: Any) -> Any:
    """Refuse what pydantic would read as a time stamp: a number, or a text of digits."""
    is_day = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if is_day or (isinstance(value, str) and DAY.match(value)):
        return value
    kind = "the text" if isinstance(value, str) else "the number"
    raise ValueError(f"must be a date like 2026-12-31, not {kind} {value!r}")


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
"""A name: any text without leading or trailing blanks and without line breaks."""

Day = Annotated[dt.date, BeforeValidator(_check_day)]
Gpus = Annotated[int, Field(strict=True, ge=0, le=MAX_GPUS)]
Compute = Annotated[
    float, Field(strict=True, ge=0, le=MAX_GPUS, allow_inf_nan=False), BeforeValidator(_check_decimals)
]
Speed = Annotated[
    float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False), BeforeValidator(_check_decimals)
]
Price = Annotated[
    float, Field(strict=True, ge=0, le=MAX_WEIGHT, allow_inf_nan=False), AfterValidator(_check_weight)
]
Priority = Annotated[float, Field(strict=True, ge=MIN_WEIGHT, le=MAX_WEIGHT, allow_inf_nan=False)]
Percentage = Annotated[str, WithJsonSchema({"type": "string", "pattern": PERCENTAGE.pattern})]
Amount = Annotated[Compute | Percentage, BeforeValidator(_check_amount)]
"""Compute in reference GPUs, or a percentage of the nearest cap above (of the fleet, where there is none)."""


class Record(BaseModel):
    """Base of every input record: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class GpuType(Record):
    """A kind of GPU, such as H100 or MI355X."""

    vendor: Name
    speed: Speed = 1.0
    """Compute of one GPU, in reference GPUs."""


class Pool(Record):
    """The GPUs of one type at one site that are interchangeable."""

    name: Name
    gpu_type: Name
    site: Name
    gpus: Gpus
    unit: Annotated[int, Field(strict=True, ge=1, le=MAX_GPUS)] = 1
    """GPUs that are granted together; every number of GPUs of this pool is a multiple of it."""


class Delivery(Record):
    """GPUs that join a pool on a date."""

    pool: Name
    gpus: Annotated[int, Field(strict=True, ge=1, le=MAX_GPUS)]
    on: Day


class Limit(Record):
    """What a team may hold of one GPU type."""

    cap: Amount
    """In GPUs of that type (not in compute), or a percentage of the nearest limit on the type above
    the team, else of the fleet's GPUs of the type."""


class Team(Record):
    """A node of the budget tree, at any level: the lab, a division, a team."""

    name: Name
    parent: Name | None = None
    owner: Name | None = None
    """Who may decide the budgets of this team's children."""
    guarantee: Amount | None = None
    """Compute promised: met before anything else, as far as it can be."""
    cap: Amount | None = None
    """Compute that may not be exceeded."""
    limits: dict[Name, Limit] = {}
    """Caps by GPU type."""


class Project(Record):
    """Work that holds or wants GPUs."""

    name: Name
    team: Name
    tier: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    """Tiers are strict: everything that tier 1 can gain comes before anything for tier 2."""
    priority: Priority = 1.0
    """Weight within the tier."""
    demand: Compute
    """Compute asked for, at the project's own speeds."""
    minimum: Compute = 0.0
    """Compute below which the project wants nothing at all."""
    speeds: dict[Name, Speed] | None = None
    """GPU types that it runs on, with its own speed on each; default: every type at the type's speed."""
    sites: tuple[Name, ...] | None = None
    """Sites where it can run; default: all."""
    pools: tuple[Name, ...] | None = None
    """Pools where it can run; default: every pool of its types at its sites."""
    one_pool: bool = False
    """True: all of it in a single pool."""
    starts: Day | None = None
    """First day on which it wants GPUs; default: it is running already."""
    ends: Day | None = None
    """The day on which its GPUs are free again; default: it goes on."""
    holds: dict[Name, Gpus] = {}
    """GPUs that it has now, by pool."""
    pinned: bool = False
    """True: its holdings may not be touched while it runs, that is from its start to its end."""


class ReallocationPrices(Record):
    """What the reallocation avoids, as a price for each GPU; only their ratios matter."""

    idle: Annotated[Price, BeforeValidator(_check_decimals)] = 0.1
    """Each day that a GPU waits, free, for its next project."""
    less_preferred: Annotated[Price, BeforeValidator(_check_decimals)] = 5.0
    """Each step down the request's list of GPU types, and each step down its list of sites."""
    other_division: Annotated[Price, BeforeValidator(_check_decimals)] = 2.0
    """A GPU released by a project of another division."""


class Policy(Record):
    """How gains and disruptions are weighed."""

    value: Annotated[
        tuple[tuple[Annotated[float, Field(strict=True, gt=0, le=1)], Price], ...],
        Field(min_length=1),
    ] = ((1.0, 1.0),)
    """Value of compute, concave: (share of the demand, value per reference GPU); the shares add up to 1."""
    move_cost: Price = 0.0
    """Cost of taking one GPU from a holder that still wants it, in units of value."""
    max_moves: Gpus | None = None
    """GPUs that may be taken from holders in all; default: no limit."""
    reallocation: ReallocationPrices = ReallocationPrices()


class Organization(Record):
    """Everything the solver is told."""

    name: Name
    as_of: Day
    """The day that the holdings and the pools' sizes describe."""
    gpu_types: dict[Name, GpuType] = {}
    pools: tuple[Pool, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    teams: tuple[Team, ...] = ()
    projects: tuple[Project, ...] = ()
    policy: Policy = Policy()


class Request(Record):
    """GPUs asked of the reallocation."""

    name: Annotated[str, Field(min_length=1, max_length=500)]
    """Longer than other names may be: requests are named for a project and a place."""
    team: Name
    gpus: Annotated[int, Field(strict=True, ge=1, le=MAX_GPUS)]
    """Rounded up to whole allocation units of the pools that it accepts."""
    gpu_types: tuple[Name, ...] | None = None
    """Types accepted, the preferred one first; default: all, equally."""
    sites: tuple[Name, ...] | None = None
    """Sites accepted, the preferred one first; default: all, equally."""
    pools: tuple[Name, ...] | None = None
    """Only these pools; default: every pool of an accepted type at an accepted site."""
    starts: Day | None = None
    """First day on which it can use GPUs; default: today."""
    by: Day
    """The day by which it needs them; later is late."""
    tier: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    priority: Priority = 1.0
    all_or_nothing: bool = False
    """True: fewer than all of them are of no use."""


def runs_in(project: Project, pool: Pool) -> bool:
    """Whether a project can run in a pool at all: its GPU types, its sites and its pools allow it."""
    return (
        (project.speeds is None or pool.gpu_type in project.speeds)
        and (project.sites is None or pool.site in project.sites)
        and (project.pools is None or pool.name in project.pools)
    )


@lru_cache(maxsize=1 << 16)
def exact(number: float) -> Fraction:
    """The number as it was written: 0.1 is one tenth, not the nearest double.

    >>> exact(0.1)
    Fraction(1, 10)
    """
    return Fraction(str(number))


def resolve(amount: float | str, whole: Fraction) -> Fraction:
    """An amount as a number; a percentage is taken of `whole`.

    >>> resolve("55%", Fraction(200))
    Fraction(110, 1)
    """
    if isinstance(amount, str):
        return Fraction(amount.removesuffix("%")) / 100 * whole
    return exact(amount)


def content_hash(organization: Organization) -> str:
    """SHA-256, in hexadecimal, of what an organization says.

    Equal organizations have equal hashes: neither the order of names in a mapping nor a field written
    at its default changes it.
    """
    text = json.dumps(plain_values(organization), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def plain_values(organization: Organization) -> dict[str, Any]:
    """What an organization says: the fields that are not at their default, whole numbers without a point."""
    values: dict[str, Any] = _tidy(organization.model_dump(exclude_defaults=True))
    return values


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tidy(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
