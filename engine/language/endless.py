"""Rules that could go on for ever: begun by a send, completed by a silence, and they send again.

Everything else needs an event of the visitor each time; such a rule needs none, so it must have a
limit that a silent visitor reaches.
"""

from __future__ import annotations

from collections.abc import Container

from engine.language import syntax
from engine.language.diagnostics import Findings
from engine.language.names import Names


def check_ends(names: Names, mended: Container[syntax.Span], findings: Findings) -> None:
    """Note every rule that could send without end; ``mended`` are blocks that lost clauses."""
    for strategy in names.strategies.values():
        group = names.groups.get(strategy.group or "")
        # What could not be read may be the limit.
        known = strategy.span not in mended and (group is not None or strategy.group is None)
        known = known and (group is None or group.span not in mended)
        limits = (*strategy.limits, *(group.limits if group else ()))
        if known and all(limit.duration is not None for limit in limits):
            for rule in strategy.rules:
                if rule.sends and _goes_on_by_itself(rule.pattern):
                    findings.add("P316", rule.pattern.span)


def _goes_on_by_itself(pattern: syntax.Pattern) -> bool:
    if not pattern.parts or not isinstance(pattern.parts[-1], syntax.Absent):
        return False
    atoms = (atom for part in pattern.parts[:-1] for atom in _atoms(part))
    return any(atom.what == "sent" for atom in atoms)


def _atoms(part: syntax.Part) -> tuple[syntax.Atom, ...]:
    match part:
        case syntax.AllOf(atoms=atoms) | syntax.AnyOf(atoms=atoms):
            return atoms
        case syntax.Absent():
            return ()
        case syntax.Atom():
            return (part,)
        case syntax.Times(atom=atom):
            return (atom,)
