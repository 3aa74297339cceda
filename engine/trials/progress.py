"""How far a pattern has come: what of it was seen, what it waits for, and what set it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.language import syntax
from engine.language.render import atom_written, duration, part_written
from engine.runtime.scene import Scene
from engine.runtime.visitor import Timer
from engine.runtime.watchers import Automaton, names_of
from engine.runtime.witness import Look
from engine.trials.lacks import Change, Explainer, Lack, clock, ordinal, roughly, spoken, too_late
from engine.vocabulary.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a pattern remembers at one moment: chains, silences that run, atoms of ``all of``.

    ``gathered`` are the atoms that were seen, oldest first, with the time when their chain began.
    """

    chains: tuple[Any, ...]
    silences: dict[int, Timer]
    gathered: dict[int, dict[int, int]]

    @property
    def reached(self) -> int:
        """How many positions are behind, silences that run not counted."""
        last = max((k for k, chain in enumerate(self.chains) if chain is not None), default=-1)
        return max(last, max(self.silences, default=0) - 1) + 1


def remembered(look: Look, automaton: Automaton, event: Event) -> Memory:
    """What the pattern remembers where this event belongs."""
    place = automaton.place(event)
    memory = look.memory(place) or {}
    return Memory(
        chains=automaton.chains(memory),
        silences={
            key[2]: timer
            for key, timer in look.visitor.timers.items()
            if key[0] == place and key[1] == automaton.key
        },
        gathered={
            k: {atom: chain[0] for atom, chain in memory.get(automaton.part_key(k)) or ()}
            for k, position in enumerate(automaton.positions)
            if position.all_of
        },
    )


def knowing(scene: Scene, before: Memory, k: int) -> Scene:
    """The scene with the names that the chain before position k has bound."""
    chain = before.chains[k - 1] if k > 0 else None
    if k in before.silences:
        chain = before.silences[k][1]
    return scene if chain is None else scene.knowing(names_of(chain, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Why a pattern was not complete; ``touched`` when the event was about it at all."""

    sentence: str
    touched: bool
    condition: str = ""
    seen: Any = None
    change: Change | None = None


def unrolled(pattern: syntax.Pattern) -> list[syntax.Part]:
    """A part for each position: ``N times A`` is N of A."""
    parts: list[syntax.Part] = []
    for part in pattern.parts:
        parts += [part.atom] * part.count if isinstance(part, syntax.Times) else [part]
    return parts


def atoms_of(part: syntax.Part) -> tuple[syntax.Atom, ...]:
    """The atoms of a part."""
    match part:
        case syntax.AllOf(atoms=atoms) | syntax.AnyOf(atoms=atoms):
            return atoms
        case syntax.Times(atom=atom) | syntax.Absent(atom=atom):
            return (atom,)
        case syntax.Atom():
            return (part,)


class Progress:
    """Explains why one pattern is not complete after one event."""

    def __init__(
        self,
        explainer: Explainer,
        pattern: syntax.Pattern,
        automaton: Automaton,
        scene: Scene,
        before: Memory,
    ) -> None:
        self._explainer = explainer
        self._pattern = pattern
        self._parts = unrolled(pattern)
        self._automaton = automaton
        self._scene = scene
        self._before = before
        # Now, while the scene is as the pattern sees it.
        self._fits = [self._fitting(k) for k in range(len(self._parts))]

    # ------------------------------------------------------------ does the event fit?

    def _fitting(self, k: int) -> Lack | bool:
        """True when the event fits position k, False when it is another event, else the lack."""
        known = knowing(self._scene, self._before, k)
        lacks = [self._atom(atom, known) for atom in atoms_of(self._parts[k])]
        if any(lack is True for lack in lacks):
            return True
        return next((lack for lack in lacks if lack is not False), False)

    def _atom(self, atom: syntax.Atom, scene: Scene) -> Lack | bool:
        event = scene.event
        if atom.what == "sent" or (atom.what == "event" and atom.name != event.name):
            return False
        if atom.categories and not any(scene.in_category(name) for name in atom.categories):
            node = syntax.InCategories(categories=atom.categories)
            lack = self._explainer.lack(node, scene)
            where = "" if event.url is None else f" at {spoken(event.url)}"
            return Lack(
                condition=f"{atom.name} in {' or '.join(atom.categories)}",
                seen=lack.seen,
                sentence=lack.sentence.replace("the event", f"{event.name}{where}", 1),
            )
        if atom.where is None:
            return True
        holds = scene.plan.holds(atom.where)(scene)
        return True if holds else self._explainer.lack(atom.where, scene)

    # ------------------------------------------------------------ what follows from it

    def silence(self, after: Memory) -> Silence:
        """Why it is not complete, given what it remembers after the event."""
        return (
            self._cancelled(after)
            or self._too_late(after)
            or self._moved(after)
            or self._unfit()
            or Silence(sentence=self._waiting(after), touched=False)
        )

    def _cancelled(self, after: Memory) -> Silence | None:
        for k, (due, _) in self._before.silences.items():
            part = self._parts[k]
            if self._fits[k] is not True or not isinstance(part, syntax.Absent):
                continue
            if after.silences.get(k) == self._before.silences[k]:
                continue
            began = due - part.duration
            name, now = self._scene.event.name, self._scene.now
            return Silence(
                touched=True,
                condition=self._said(part),
                seen=now - began,
                sentence=(
                    f"{name} came after {roughly(now - began)}, {roughly(due - now)} too early: "
                    f"needed {self._said(part)}"
                ),
                change=Change(what=f"{name} later by", needed=due - now),
            )
        return None

    def _too_late(self, after: Memory) -> Silence | None:
        within = self._pattern.within
        if within is None:
            return None
        for k in range(len(self._parts) - 1, 0, -1):
            chain = self._before.chains[k - 1]
            if self._fits[k] is not True or chain is None:
                continue
            if isinstance(self._parts[k], syntax.Absent):
                continue
            late = self._scene.now - chain[0] - within
            if late < 0 or after.reached > k:
                continue
            change = Change(what=f"{self._scene.event.name} earlier by", needed=late + 1)
            return Silence(
                touched=True,
                condition=f"within {duration(within)}",
                seen=self._scene.now - chain[0],
                sentence=self._late_sentence(k, late, after),
                change=change,
            )
        return None

    def _late_sentence(self, k: int, late: int, after: Memory) -> str:
        if len(self._pattern.parts) == 1:
            return f"{self._counted(after)}; the {ordinal(k + 1)} came {too_late(late)} too late"
        within = duration(self._pattern.within or 0)
        return (
            f"{part_written(self._parts[k])} came {too_late(late)} too late: "
            f"needed within {within} of the first; {self._waiting(after)}"
        )

    def _moved(self, after: Memory) -> Silence | None:
        if after == self._before and not any(fit is True for fit in self._fits):
            return None
        return Silence(sentence=self._waiting(after), touched=True)

    def _unfit(self) -> Silence | None:
        """The event has the right name, and something else about it did not fit."""
        start = min(self._before.reached, len(self._fits) - 1)
        order = [*range(start, len(self._fits)), *range(start)]
        for k in order:
            fit = self._fits[k]
            if isinstance(fit, Lack) and not isinstance(self._parts[k], syntax.Absent):
                return Silence(
                    sentence=fit.sentence,
                    touched=True,
                    condition=fit.condition,
                    seen=fit.seen,
                    change=fit.change,
                )
        return None

    # ------------------------------------------------------------ words

    def _counted(self, after: Memory) -> str:
        """``needed 3 PageEntered in Products within 10 min, saw 2``."""
        atom, within = atoms_of(self._parts[0])[0], self._pattern.within
        span = f" within {duration(within)}" if within is not None else ""
        return f"needed {len(self._parts)} {atom_written(atom)}{span}, saw {after.reached}"

    def _waiting(self, after: Memory) -> str:
        if len(self._pattern.parts) == 1 and isinstance(self._pattern.parts[0], syntax.Times):
            return self._counted(after)
        reached, total = after.reached, len(self._parts)
        k = min(reached, total - 1)
        part = self._parts[k]
        if k in after.silences and isinstance(part, syntax.Absent):
            due = after.silences[k][0]
            said = f"waits until {clock(due)}, {self._said(part)}"
        else:
            said = f"waits for {self._said(part)}{self._missing(k, after)}"
        if reached == 0:
            return said
        return f"came {reached} of {total} parts far; {said}{self._until(k, after)}"

    def _missing(self, k: int, after: Memory) -> str:
        part, gathered = self._parts[k], after.gathered.get(k)
        if not isinstance(part, syntax.AllOf) or not gathered:
            return ""
        still = [atom_written(atom) for n, atom in enumerate(part.atoms) if n not in gathered]
        return f", still without {' and '.join(still)}" if still else ""

    def _until(self, k: int, after: Memory) -> str:
        chain = after.chains[k - 1] if k > 0 else None
        if self._pattern.within is None or chain is None:
            return ""
        return f" before {clock(chain[0] + self._pattern.within)}"

    def _said(self, part: syntax.Part) -> str:
        if isinstance(part, syntax.Absent) and part.same_page:
            return f"no PageExited of that page for {duration(part.duration)}"
        return part_written(part)
