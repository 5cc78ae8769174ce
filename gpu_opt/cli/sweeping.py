"""Where a sweep's scenarios are solved: by threads of this process, or by a Dask cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor

from gpu_opt.errors import InvalidInput, Problem

PATIENCE = 10
"""Seconds to wait for the cluster's scheduler."""


@contextlib.contextmanager
def cluster_executor(url: str | None) -> Iterator[Executor | None]:
    """An executor on the Dask cluster at the URL, for the length of the block; None without a URL.

    Raises InvalidInput if Dask is not installed, or no scheduler answers.
    """
    if url is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        told = "needs Dask, which the extra gpu-opt[dask] brings: install that"
        raise InvalidInput((Problem("--cluster", told),)) from None
    try:
        client = Client(url, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        told = f"no scheduler answers at {url!r} ({type(error).__name__}); check the URL, as tcp://host:8786"
        raise InvalidInput((Problem("--cluster", told),)) from None
    with client:
        yield client.get_executor(pure=False)
