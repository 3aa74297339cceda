"""The property that the tester's page shows is one that runs and holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def test_the_property_of_the_page_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {"__name__": "shown"}
    exec(compile(blocks[-1], "tests/README.md", "exec"), names)  # the page's own words
    names["test_at_most_three_invitations_in_a_week"]()
