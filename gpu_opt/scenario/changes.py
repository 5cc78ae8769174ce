"""The changes that a scenario is made of: one frozen record for each kind, told apart by `change`.

Fields have the names and units of the input (:mod:`gpu_opt.organization`). What a change does to an
organization is in :mod:`gpu_opt.scenario.application`.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from gpu_opt.organization import (
    Amount,
    Compute,
    Day,
    Delivery,
    Name,
    Policy,
    Pool,
    Priority,
    Project,
    Record,
    Speed,
)


class AddProject(Project):
    """A project that is not there today; its fields are a project's."""

    change: Literal["add_project"] = "add_project"


class EndProject(Record):
    """A project ends; one that would end before it starts is never begun."""

    change: Literal["end_project"] = "end_project"
    project: Name
    on: Day | None = None
    """The day on which its GPUs are free again; default: the organization's `as_of`."""


class ResizeProject(Record):
    """A project asks for more, or for less."""

    change: Literal["resize_project"] = "resize_project"
    project: Name
    demand: Compute | None = None
    """Compute asked for, at the project's own speeds; default: as before."""
    minimum: Compute | None = None
    """Compute below which it wants nothing at all; default: as before."""


class ReprioritizeProject(Record):
    """A project becomes more, or less, important."""

    change: Literal["reprioritize_project"] = "reprioritize_project"
    project: Name
    tier: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    """Default: as before."""
    priority: Priority | None = None
    """Weight within the tier; default: as before."""


class PinProject(Record):
    """The holdings of a project may not be touched, or may be again."""

    change: Literal["pin_project"] = "pin_project"
    project: Name
    pinned: bool = True


class Allow(Record):
    """A project may run in one more pool, on one more GPU type or at one more site: one of the three."""

    change: Literal["allow"] = "allow"
    project: Name
    pool: Name | None = None
    gpu_type: Name | None = None
    speed: Speed | None = None
    """Its own speed on the type; default: the type's."""
    site: Name | None = None


class Forbid(Record):
    """A project may no longer run in a pool, on a GPU type or at a site: exactly one of the three.

    What it holds there is given up, which is no move.
    """

    change: Literal["forbid"] = "forbid"
    project: Name
    pool: Name | None = None
    gpu_type: Name | None = None
    site: Name | None = None


class SetGuarantee(Record):
    """A team is promised another amount."""

    change: Literal["set_guarantee"] = "set_guarantee"
    team: Name
    guarantee: Amount | None
    """Compute, or a percentage; null: nothing is promised."""


class SetCap(Record):
    """A team may have another amount."""

    change: Literal["set_cap"] = "set_cap"
    team: Name
    cap: Amount | None
    """Compute, or a percentage; null: no cap."""


class SetLimit(Record):
    """A team may have another number of GPUs of a type."""

    change: Literal["set_limit"] = "set_limit"
    team: Name
    gpu_type: Name
    cap: Amount | None
    """GPUs of the type, or a percentage; null: no limit."""


class AddDelivery(Delivery):
    """A delivery that is not planned today; its fields are a delivery's."""

    change: Literal["add_delivery"] = "add_delivery"


class DelayDelivery(Record):
    """A delivery comes on another day, later or earlier."""

    change: Literal["delay_delivery"] = "delay_delivery"
    pool: Name
    on: Day | None = None
    """The day on which it is planned; default: that of the pool's only delivery."""
    to: Day


class LoseDelivery(Record):
    """A delivery does not come."""

    change: Literal["lose_delivery"] = "lose_delivery"
    pool: Name
    on: Day | None = None
    """The day on which it is planned; default: that of the pool's only delivery."""


class AddPool(Pool):
    """A pool that is not there today, at a site of today or at a new one; its fields are a pool's."""

    change: Literal["add_pool"] = "add_pool"


class DelayPool(Record):
    """No GPU of a pool can be used before a day; what is held there is given up."""

    change: Literal["delay_pool"] = "delay_pool"
    pool: Name
    to: Day


class LosePool(Record):
    """All GPUs of a pool are lost, and its deliveries; what is held there is given up."""

    change: Literal["lose_pool"] = "lose_pool"
    pool: Name


class DelaySite(Record):
    """No GPU of a site can be used before a day: `delay_pool` for every pool there."""

    change: Literal["delay_site"] = "delay_site"
    site: Name
    to: Day


class LoseSite(Record):
    """A site is lost: `lose_pool` for every pool there."""

    change: Literal["lose_site"] = "lose_site"
    site: Name


class SetPolicy(Policy):
    """Other rules for all; its fields are the policy's, and those that are left out stay as they are."""

    change: Literal["set_policy"] = "set_policy"


class MoveDate(Record):
    """It is a later day: deliveries up to it have come, and projects that end by then hold nothing."""

    change: Literal["move_date"] = "move_date"
    to: Day


type Change = (
    AddProject
    | EndProject
    | ResizeProject
    | ReprioritizeProject
    | PinProject
    | Allow
    | Forbid
    | SetGuarantee
    | SetCap
    | SetLimit
    | AddDelivery
    | DelayDelivery
    | LoseDelivery
    | AddPool
    | DelayPool
    | LosePool
    | DelaySite
    | LoseSite
    | SetPolicy
    | MoveDate
)

CHANGES: dict[str, type[Record]] = {
    kind.model_fields["change"].default: kind for kind in get_args(Change.__value__)
}
"""Every kind of change by its name, as a file writes it."""


class Scenario(Record):
    """A what-if: changes that are made to an organization together."""

    name: Name
    description: str = ""
    """What is asked, in words."""
    changes: tuple[Annotated[Change, Field(discriminator="change")], ...] = ()
