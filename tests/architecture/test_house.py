"""The house stands: format, lint, types and who may import whom."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 600
FUNCTION_P90 = 30


def run(*command: str) -> None:
    path = shutil.which(command[0], path=f"{Path(sys.executable).parent}")
    assert path, f"{command[0]} is not installed: pip install -e '.[test]'"
    done = subprocess.run([path, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy",),
        ("lint-imports",),
    ],
    ids=["format", "lint", "types", "imports"],
)
def test_tool_is_content(command: tuple[str, ...]) -> None:
    run(*command)


def sources() -> list[Path]:
    return sorted(path for room in ("engine", "tests") for path in (ROOT / room).rglob("*.py"))


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in sources()
        if (count := len(path.read_text("utf-8").splitlines())) > LONGEST_FILE
    }
    assert not long


def test_functions_are_short() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in (ROOT / "engine").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[int(len(lengths) * 0.9)] < FUNCTION_P90


def test_no_drawers() -> None:
    drawers = {"utils", "helpers", "common", "base", "manager", "misc"}
    assert not [path for path in sources() if path.stem in drawers]


def test_every_module_opens_with_a_sentence() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "engine").rglob("*.py")
        if not (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").strip()
    ]
    assert not silent


def test_top_level_is_fixed() -> None:
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("not a checkout")
    top = {line.split("/")[0] for line in done.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    rooms = {"engine", "strategies", "widgets", "tests"}
    files = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    assert visible <= rooms | files, visible - rooms - files


def test_names_of_test_files_are_unique() -> None:
    """Two of one name cannot be collected together."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
