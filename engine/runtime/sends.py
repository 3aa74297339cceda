"""Aggregates over sends: ``count(sent Invitations, last 24 h)`` reads the visitor's log."""

from __future__ import annotations

from collections.abc import Callable

from engine.language import syntax
from engine.runtime.aggregates import NEVER, Evaluate
from engine.runtime.scene import Scene, send_event
from engine.runtime.visitor import Sent


def sent_reader(node: syntax.Aggregate, where: Callable[[Scene], bool] | None) -> Evaluate:
    """How a condition reads an aggregate over ``sent NAME``."""
    name = node.atom.name
    window = node.window or syntax.Window(reach="ever")

    def times(scene: Scene) -> list[int]:
        return [
            sent.time
            for sent in scene.visitor.sends
            if sent.counts
            and sent.named(name)
            and _in_window(window, scene, sent)
            and (where is None or where(_as_event(scene, sent)))
        ]

    match node.function:
        case "count":
            return lambda scene: len(times(scene))
        case "seen":
            return lambda scene: bool(times(scene))
        case _:
            return lambda scene: scene.now - max(times(scene), default=-NEVER)


def _in_window(window: syntax.Window, scene: Scene, sent: Sent) -> bool:
    match window.reach:
        case "ever":
            return True
        case "last":
            return scene.now - sent.time < window.duration
        case _:
            visit = scene.visit
            if visit is None or sent.visit != scene.event.visit or not sent.during(visit):
                return False
            if window.reach == "visit":
                return True
            page = visit.pages.get(scene.event.page)
            if page is None or sent.order < page.opened:
                return False
            return sent.every_page or sent.page == scene.event.page


def _as_event(scene: Scene, sent: Sent) -> Scene:
    """A send as the event that ``where`` of ``sent NAME`` tests."""
    event = send_event(sent, scene.visitor.id)
    return Scene(scene.plan, event, sent.time, scene.visitor, scene.visit, scene.before)
