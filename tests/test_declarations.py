"""The types of the tracker's queue: current, complete, and what TypeScript makes of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WIDGETS = Path(__file__).parents[1] / "widgets"
TRACKER = WIDGETS / "tracker"
GUIDE = (WIDGETS / "README.md").read_text("utf-8")
SOURCE = (TRACKER / "gt.js").read_text("utf-8")
DECLARED = (TRACKER / "gt.d.ts").read_text("utf-8")
ANEW = "Write it anew: npm run declarations, in widgets/ after npm install"

SITE = """
_gt.push(['event', 'AddToCart', {data: {price: 749, tags: ['a', {b: 1}]}}]);
_gt.push(['event', {eventName: 'AddToCart', price: 749}], ['sendSignIn', {userId: 'eva'}]);
_gt.push(['getIDs', (ids) => { const visit: string = ids.visitID; visit.trim(); }]);
_gt.push(['on', 'shop.banner', (data, notice) => { data.text; notice.channel.trim(); }]);
_gt.push(['config', {consent: 'none', allowedOrigins: ['https://a.example']}]);
_gt.push(['consent', 'full'], (queue) => queue.push(['event', 'Late']));
window._gt.push(['event', 'Also']);
"""
WRONG = (
    "_gt.push(['evnt', 'AddToCart']);",
    "_gt.push(['consent', 'maybe']);",
    "_gt.push(['config', {debugg: true}]);",
    "_gt.push(['getIDs', (ids) => ids.pageId]);",
    "_gt.push(['on', 'shop.banner']);",
)


def tsc() -> str:
    own = WIDGETS / "node_modules" / ".bin"
    found = shutil.which("tsc", path=str(own)) or shutil.which("tsc")
    if found is None:
        assert "CI" not in os.environ, "the gate installs TypeScript"
        pytest.skip("TypeScript is not installed: npm install, in widgets/")
    return found


def checked(*words: str, folder: Path = WIDGETS) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tsc(), *words], cwd=folder, capture_output=True, text=True)


def test_the_declarations_are_those_of_the_source() -> None:
    said = SOURCE[: SOURCE.index("*/") + 2]
    assert DECLARED.startswith(said), ANEW
    assert DECLARED.rstrip().endswith("declare var _gt: GtQueue;"), ANEW


def test_every_command_and_setting_of_the_tracker_is_declared_and_in_the_guide() -> None:
    source = (TRACKER / "tracker.js").read_text("utf-8")
    commands = source[source.index("function createCommands(") :]
    commands = commands[commands.index("return {") : commands.index("\n}\n")]
    taken = set(re.findall(r"^    (\w+)\(.*\{", commands, re.MULTILINE))
    union = SOURCE[SOURCE.index("['event', string") : SOURCE.index("} GtCommand")]
    declared = {word for part in re.findall(r"\[('['|\w]+)", union) for word in part.split("|")}
    assert {f"'{word}'" for word in taken} == declared
    for word in taken:
        assert word in GUIDE

    settings = set(re.findall(r"@property \{[^}]+\} \[(\w+)\]", SOURCE))
    body = source[source.index("function configure(") : source.index("function createCommands(")]
    assert set(re.findall(r"options\.(\w+)", body)) == settings
    table = GUIDE[GUIDE.index("### Settings") :]
    assert {word for word in settings if f"`{word}`" in table[: table.index("\n## ")]} == settings


def test_typescript_makes_the_same_declarations(tmp_path: Path) -> None:
    (tmp_path / "gt.js").write_text(SOURCE)
    words = "--ignoreConfig --allowJs --strict --declaration --emitDeclarationOnly"
    done = checked(
        *words.split(), "--target", "es2022", "--lib", "es2022,dom", "gt.js", folder=tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "gt.d.ts").read_text() == DECLARED, ANEW


def test_the_scripts_keep_to_their_own_types() -> None:
    done = checked("-p", "tracker")
    assert done.returncode == 0, done.stdout


def test_a_site_in_typescript_is_helped_and_not_hindered(tmp_path: Path) -> None:
    (tmp_path / "gt.d.ts").write_text(DECLARED)
    words = ["--ignoreConfig", "--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"]
    (tmp_path / "site.ts").write_text(SITE)
    done = checked(*words, "gt.d.ts", "site.ts", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    (tmp_path / "site.ts").write_text("\n".join(WRONG))
    done = checked(*words, "gt.d.ts", "site.ts", folder=tmp_path)
    lines = {int(line) for line in re.findall(r"site\.ts\((\d+),", done.stdout)}
    assert lines == set(range(1, len(WRONG) + 1)), done.stdout
