"""Ctrl-C and SIGTERM: the first asks for the best plan so far, the second abandons it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

from gpu_opt.options import Cancel

STOPPING = b"gpu-opt: stopping with the best plan so far; interrupt again to abandon it\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C; cron and systemd; the terminal that goes away. Each may stop a solve, never orphan CBC."""


@contextlib.contextmanager
def interruptible(cancel: Cancel, *, announce: bool) -> Iterator[None]:
    """Turn the first signal into `cancel`, and any further one into KeyboardInterrupt.

    With `announce`, the first one is answered on stderr. A signal that is ignored stays ignored:
    `nohup` means it.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        if announce:
            with contextlib.suppress(OSError):  # nobody reads stderr: the signal counts all the same
                os.write(2, STOPPING)  # a buffered write may not be re-entered from a signal

    before = {number: signal.getsignal(number) for number in SIGNALS}
    ours = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    for number in ours:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
