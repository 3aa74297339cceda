"""The machine that measures: what it is, and whether it is idle."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

_STATISTICS: Final = Path("/proc/stat")
_BUSY: Final = 0.2
"""The share of all processors above which others are at work."""


def described() -> dict[str, str]:
    """Its kind and the versions that matter, without anything that names this one machine."""
    found = {
        "processor": f"{os.cpu_count()} cores of {_processor()}",
        "system": platform.system(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    java = shutil.which("java")
    if java:
        said = subprocess.run(
            [java, "-version"], capture_output=True, text=True, check=False
        ).stderr
        version = re.search(r'version "([^"]+)"', said)
        found["Java"] = version.group(1) if version else "unknown"
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.machine()
    name = re.search(r"model name\s*: (.+)", text)
    return name.group(1).strip() if name else platform.machine()


def wait_until_idle(patience: float) -> None:
    """Return when nobody else is at work, or after so many seconds."""
    end = time.monotonic() + patience
    while _STATISTICS.is_file() and time.monotonic() < end:
        before = _times()
        time.sleep(0.25)
        idle, total = (new - old for new, old in zip(_times(), before, strict=True))
        if total and 1 - idle / total < _BUSY:
            return


def _times() -> tuple[int, int]:
    ticks = [int(word) for word in _STATISTICS.read_text("ascii").split("\n", 1)[0].split()[1:]]
    return ticks[3] + ticks[4], sum(ticks)
