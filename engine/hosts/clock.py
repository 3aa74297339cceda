"""The clock of this room: wake-ups are stamped with it, nothing is decided by it."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Return the wall clock in whole milliseconds since 1970."""
    return time.time_ns() // 1_000_000
