"""axe-core looks at a page and its frames: nothing that it calls serious may be there."""

from __future__ import annotations

import importlib.resources
import os
from typing import Any

import pytest
from playwright.sync_api import Frame, Page

_GRAVE = {"serious", "critical"}
_ASK = """async () => (await axe.run(document, {
    resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
})).violations.map(
    ({id, impact, nodes}) => ({id, impact, where: nodes.map((node) => node.html)}),
)"""


_ARRIVED = """() => Promise.all(
    document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().endTime < Infinity)
        .map((one) => one.finished.catch(() => null)),
).then(() => null)"""


def assert_accessible(place: Page | Frame) -> None:
    """Fail with what axe-core finds serious or critical in this document."""
    if "CI" not in os.environ:
        pytest.importorskip("axe_playwright_python")
    # Evaluated by the debugger, which a strict policy of the page does not bind.
    script = importlib.resources.files("axe_playwright_python") / "axe.min.js"
    place.evaluate(_ARRIVED)  # what is half shown has half its contrast
    place.evaluate(f"() => {{ {script.read_text('utf-8')} }}")
    found: list[dict[str, Any]] = place.evaluate(_ASK)
    assert not [one for one in found if one["impact"] in _GRAVE], found
