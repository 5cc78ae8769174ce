"""The store: organizations, nights and their plans, in SQL.

It is named by a URL: any that SQLAlchemy knows, or the path of a SQLite file. SQLite and PostgreSQL are
tested (the latter needs ``gpu-opt[postgres]``).

Importing this imports SQLAlchemy, so import it where it is used.
"""

from __future__ import annotations

from gpu_opt.store.publish import ensure_writable, publish
from gpu_opt.store.read import Night, NightSummary, export_night, history, last_night

__all__ = ["Night", "NightSummary", "ensure_writable", "export_night", "history", "last_night", "publish"]
