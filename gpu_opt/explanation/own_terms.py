"""The single changes of a project's own terms: its rank, its minimum, its single pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gpu_opt.explanation.contenders import donors
from gpu_opt.explanation.levers import CONTESTED, Lever, frames_of, make_lever
from gpu_opt.explanation.wish import Case
from gpu_opt.organization import MAX_WEIGHT, Project
from gpu_opt.plan import Cause, Reason, RemedyKind
from gpu_opt.scenario.changes import ReprioritizeProject, ResizeProject
from gpu_opt.validation.wording import number

PRIORITY_GRAIN, DECIMALS = 0.1, 6
"""Smallest step of a priority that is tried, and the digits with which it is told."""

HIGHEST = 10
"""How many times what would outrank all who have what it lacks a priority may become."""


def own_levers(case: Case, project: Project, reasons: Sequence[Reason]) -> Iterator[Lever]:
    """Levers of a project that lacks something, the likeliest to help first."""
    causes = {each.cause for each in reasons}
    if Cause.ONE_POOL in causes:
        yield _one_pool(case, project)
    if Cause.MINIMUM_UNREACHABLE in causes and project.minimum:
        yield _minimum(case, project)
    if case.arcs and causes & CONTESTED:
        yield from _rank(case, project)


def _one_pool(case: Case, project: Project) -> Lever:
    organization = case.seen.organization
    changed = project.model_copy(update={"one_pool": False})
    projects = tuple(changed if each.name == project.name else each for each in organization.projects)
    made = organization.model_copy(update={"projects": projects})
    text = f"let {project.name} run in several pools"
    frames = frames_of(case, anywhere=True)
    return Lever(RemedyKind.ONE_POOL, None, 1, 1, 1, lambda _: text, lambda _: None, lambda _: made, frames)


def _minimum(case: Case, project: Project) -> Lever:
    name, now = project.name, project.minimum

    def lowered(n: int) -> float:
        return max(0.0, round(now - n, 3))

    return make_lever(
        case,
        RemedyKind.MINIMUM,
        None,
        frames_of(case),
        lambda n: f"lower {name}.minimum from {number(now)} to {number(lowered(n))}",
        lambda n: ResizeProject(project=name, minimum=lowered(n)),
        guess=now,
        most=now,
    )


def _rank(case: Case, project: Project) -> Iterator[Lever]:
    """A higher tier, and a priority that outranks those who have what it lacks in the highest of theirs."""
    name, now, tier = project.name, project.priority, project.tier
    owner, frames = case.speech.owner_of(project.team), frames_of(case)
    if tier > 1:
        yield make_lever(
            case,
            RemedyKind.TIER,
            owner,
            frames,
            lambda n: f"move {name} from tier {tier} to tier {tier - n}",
            lambda n: ReprioritizeProject(project=name, tier=tier - n),
            most=tier - 1,
        )
    highest = min((each.tier for each in donors(case) if each.tier <= tier), default=None)
    if highest is None:
        return
    outranking = _outranking(case, highest)
    told = f"raise {name}.priority"
    if highest < tier:
        told = f"move {name} from tier {tier} to tier {highest} and raise its priority"

    def raised(n: int) -> float:
        return round(now + n * PRIORITY_GRAIN, DECIMALS)

    def change(n: int) -> ReprioritizeProject:
        if highest == tier:
            return ReprioritizeProject(project=name, priority=raised(n))
        return ReprioritizeProject(project=name, tier=highest, priority=raised(n))

    yield make_lever(
        case,
        RemedyKind.PRIORITY if highest == tier else RemedyKind.RANK,
        owner,
        frames,
        lambda n: f"{told} from {number(now, DECIMALS)} to {number(raised(n), DECIMALS)}",
        change,
        grain=PRIORITY_GRAIN,
        guess=1.02 * outranking - now,
        most=min(float(MAX_WEIGHT), HIGHEST * max(outranking, now)) - now,
    )


def _outranking(case: Case, tier: int) -> float:
    """The priority at which its last unit is worth more than any that its donors of a tier have."""
    projects, segments = case.instance.projects, case.instance.segments
    best = max(float(worth) for _, worth in segments)
    least = min(float(worth) for _, worth in segments if worth)
    rate = min(case.own(a) / case.counted(a) for a in case.arcs)
    worths = [
        projects.priority[each.project] * best * case.own(each.arc) / case.counted(each.arc) + each.move_cost
        for each in donors(case)
        if each.tier == tier
    ]
    return max(worths, default=0.0) / (least * rate)
