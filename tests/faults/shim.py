"""The disk, the clock and the power switch of a server that runs: `shim.c`, compiled and held."""

from __future__ import annotations

import errno
import mmap
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("shim.c")
POINTS: Final = (
    "nowhere",
    "before write",
    "in write",
    "before sync",
    "after sync",
    "before send",
    "after send",
    "after receive",
)
"""Where a process can die, in the order of `enum point`."""
CUTS: Final = ("keep", "lose all", "lose some")
"""What happens to bytes that were not synced, in the order of `enum cut`."""

FULL, READ_ONLY, BROKEN = errno.ENOSPC, errno.EROFS, errno.EIO

_FIELDS: Final = (
    "clock_ms",
    "room",
    "write_error",
    "sync_error",
    "sync_us",
    "point",
    "countdown",
    "cut",
    "chance",
    "linger_us",
    "died",
)
_LAYOUT: Final = struct.Struct("=qqiiiiiiIii")
_HEALTHY: Final = dict.fromkeys(_FIELDS, 0) | {"room": -1}


def compiler() -> str | None:
    """The C compiler of this machine, if it has one."""
    return shutil.which("gcc") or shutil.which("cc")


def compiled(folder: Path) -> Path | None:
    """Compile the shim into a folder; None where there is no compiler."""
    found = compiler()
    if found is None:
        return None
    library = folder / "shim.so"
    if not library.exists():
        command = [found, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl", "-lpthread"]
        subprocess.run(command, check=True, timeout=60)
    return library


class Shim:
    """What the server feels of its machine, from now on and across restarts."""

    def __init__(self, folder: Path, data: Path) -> None:
        library = compiled(folder)
        self.environment: dict[str, str] = {}
        self.works = library is not None
        control = folder / "control"
        control.write_bytes(bytes(mmap.PAGESIZE))
        with control.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._values = dict(_HEALTHY)
        self._write()
        if library is not None:
            self.environment = {
                "LD_PRELOAD": str(library),
                "FAULTS_CONTROL": str(control),
                "FAULTS_DATA": f"{data}/",
            }

    @property
    def died(self) -> bool:
        """Whether a process died at the point that was set."""
        return bool(_LAYOUT.unpack_from(self._page)[-1])

    @property
    def clock_ms(self) -> int:
        """How far the server's clock is ahead of ours."""
        return self._values["clock_ms"]

    def set(self, **values: int) -> None:
        """Change some of what the server feels."""
        assert values.keys() <= _HEALTHY.keys(), values
        self._values |= values
        self._write()

    def heal(self) -> None:
        """Everything works again; the clock stays where it is."""
        self._values = _HEALTHY | {"clock_ms": self.clock_ms}
        self._write()

    def _write(self) -> None:
        _LAYOUT.pack_into(self._page, 0, *(self._values[name] for name in _FIELDS))
