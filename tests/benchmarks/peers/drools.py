"""Native Drools: the harness beside this file, compiled against the jar of drools_jpy."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from .engines import Missing, Slice, Task
from .workload import TIMES

_SOURCE: Final = Path(__file__).parent / "DroolsHarness.java"
_WARM_UP: Final = 6.0
"""Seconds until the just-in-time compiler has done its work; before, it is several times slower."""
_OPENED: Final = ("java.util", "java.lang", "java.time")


class Drools:
    """A virtual machine of its own that runs the harness."""

    exact = False

    def __init__(self, task: Task, events: Path, telling: int) -> None:
        jar = _jar()
        version, jackson = _versions(jar)
        self.version = f"{version}, Jackson {jackson}" if task.form == "line" else version
        classes = _compiled(jar, task.folder)
        name = f"{task.workload}-{task.count}-{task.form}"
        rules, self._told = task.folder / f"{name}.rules.json", task.folder / f"{name}.told"
        rows = [asdict(rule) | _extras(rule) for rule in task.rules]
        rules.write_text(json.dumps(rows), "utf-8")
        words = [task.workload, task.form, rules, events, _WARM_UP, telling, self._told]
        opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
        self._machine = subprocess.Popen(
            [
                *(
                    _tool("java"),
                    "-Xmx4g",
                    *opened,
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                ),
                *("-cp", f"{jar}:{classes}", "DroolsHarness", *map(str, words)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear("ready")

    def _hear(self, wanted: str = "") -> str:
        assert self._machine.stdout is not None
        for line in self._machine.stdout:
            # Loggers of the virtual machine may speak too.
            if line.startswith(wanted or "{"):
                return line
        raise RuntimeError("the virtual machine ended")

    def told(self, count: int) -> list[list[str]]:
        lines = self._told.read_text("utf-8").splitlines()
        return [sorted(line.split()) for line in lines[:count]]

    def warm_up(self) -> None:
        """The harness is warm when it says that it is ready."""

    def measure(self, seconds: float) -> Slice:
        assert self._machine.stdin is not None
        self._machine.stdin.write(f"{seconds}\n")
        self._machine.stdin.flush()
        return Slice(**json.loads(self._hear()))


def _extras(rule: object) -> dict[str, object]:
    extras: dict[str, object] = {"kind": type(rule).__name__, "times": TIMES}
    prefix = getattr(rule, "prefix", None)
    return extras | ({"prefix": prefix} if prefix else {})


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(name)
    return found


def _jar() -> Path:
    try:
        files = distribution("drools-jpy").files or ()
    except PackageNotFoundError:
        raise Missing("drools-jpy") from None
    for file in files:
        if file.suffix == ".jar":
            return Path(str(file.locate()))
    raise Missing("the jar of drools-jpy")


def _versions(jar: Path) -> tuple[str, str]:
    parts = ("org.drools/drools-core", "com.fasterxml.jackson.core/jackson-databind")
    found = []
    with zipfile.ZipFile(jar) as archive:
        for part in parts:
            text = archive.read(f"META-INF/maven/{part}/pom.properties").decode()
            found.append(text.split("version=")[1].split()[0])
    return found[0], found[1]


def _compiled(jar: Path, folder: Path) -> Path:
    """The compiled harness, once for a run."""
    classes = folder / "classes"
    if not (classes / "DroolsHarness.class").is_file():
        command = [_tool("javac"), "-nowarn", "-d", str(classes), "-cp", str(jar), str(_SOURCE)]
        subprocess.run(command, check=True, capture_output=True)
    return classes
