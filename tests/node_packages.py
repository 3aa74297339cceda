"""Packages of other projects that tests run in the browser, installed once beside the sources."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "build" / "node"


def node_package(name: str, version: str) -> Path:
    """The folder of a package in exactly this version; the test is skipped where npm is missing."""
    folder = FOLDER / f"{name.replace('/', '_')}-{version}"
    found = folder / "node_modules" / name
    if (folder / "whole").is_file():
        return found
    npm = shutil.which("npm")
    if npm is None:
        assert "CI" not in os.environ, "npm is not installed"
        pytest.skip("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").is_file():
            # An installation that was cut off is nothing to go on from.
            shutil.rmtree(folder / "node_modules", ignore_errors=True)
            options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
            command = [npm, "install", "--prefix", str(folder), *options, f"{name}@{version}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=240)
            assert done.returncode == 0, done.stderr
            (folder / "whole").touch()
    return found
