"""What is wrong with a file, in few words."""

from __future__ import annotations

from pathlib import Path

from gpu_opt.files import read

HEAD = "name: lab\nas_of: 2026-11-23\n"
WHOLE = """\
name: frontier-lab
as_of: 2026-11-23
gpu_types:
  h100: {vendor: nvidia, speed: 1.0}
  4090: {vendor: nvidia, speed: 0.5}
pools:
  - {name: no, gpu_type: h100, site: iowa, gpus: 64, unit: 8}
  - {name: yes, gpu_type: '4090', site: 北京, gpus: 32}
deliveries:
  - {pool: no, gpus: 8, on: 2026-12-08}
teams:
  - {name: lab, owner: ceo}
  - {name: on, parent: lab, guarantee: 5%, cap: 7e1, limits: {h100: {cap: 70 %}}}
projects:
  - name: orion
    team: on
    demand: 40
    minimum: .5
    speeds: {h100: 1, 4090: 0.25}
    sites: [iowa, 北京]
    one_pool: yes
    starts: 2026-09-01
    ends: "2026-12-12"
    holds: {no: 8, yes: 0}
    pinned: False
policy:
  value: [[0.5, 1.0], [0.5, 0.6]]
  max_moves: ~
"""


def put(folder: Path, text: str | bytes, name: str = "lab.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def complaints(folder: Path, text: str | bytes, name: str = "lab.yaml") -> list[str]:
    """All that is wrong with a file of this text."""
    organization, problems = read(put(folder, text, name))
    assert organization is None
    return [str(problem) for problem in problems]


def complaint(folder: Path, text: str | bytes, name: str = "lab.yaml") -> str:
    """The only thing that is wrong with a file of this text."""
    (only,) = complaints(folder, text, name)
    return only
