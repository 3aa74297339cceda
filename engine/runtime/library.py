"""The library: the live plan, and the plans that inputs under way were stamped with.

Reload is one assignment of an immutable plan, so a reader sees the old book or the new one.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from engine.runtime.plan import Plan

KEPT: Final = 32


class Library:
    """Holds the live plan and the last ``KEPT`` ones by version."""

    def __init__(self, live: Plan) -> None:
        self._plans: OrderedDict[str, Plan] = OrderedDict({live.version: live})
        self._live = live

    @property
    def live(self) -> Plan:
        """The plan that new inputs are stamped with."""
        return self._live

    def swap(self, plan: Plan) -> None:
        """Make ``plan`` the live one."""
        self._plans[plan.version] = plan
        self._plans.move_to_end(plan.version)
        while len(self._plans) > KEPT:
            self._plans.popitem(last=False)
        self._live = plan

    def plan_of(self, version: str) -> Plan:
        """The plan of a version; the live one when that version is no longer kept."""
        return self._plans.get(version, self._live)
