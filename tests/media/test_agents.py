"""Readiness: heard of within 30 s, ready, and with a free place."""

from __future__ import annotations

from media_room import Clock

from engine.media.agents import CAPACITY, SILENCE, Agents


def test_a_medium_without_agents_is_known_with_zero() -> None:
    assert Agents(Clock()).free() == {"callback": 0, "chat": 0}


def test_ready_is_the_number_of_ready_agents_with_a_free_place() -> None:
    agents = Agents(Clock())
    agents.heard("Ana", ready=True, media=["chat", "callback"])
    agents.heard("Bo", ready=False, media=["chat"])
    agents.heard("Cy", ready=True, media=["callback"])
    assert agents.free() == {"callback": 2, "chat": 1}


def test_an_agent_not_heard_of_for_30_seconds_is_not_ready() -> None:
    clock = Clock()
    agents = Agents(clock)
    agents.heard("Ana", ready=True, media=["chat"])
    clock.now += SILENCE - 1
    assert agents.ready("chat") == 1
    clock.now += 1
    assert agents.ready("chat") == 0
    assert agents.everyone() == []
    assert agents.heard("Ana", ready=True, media=["chat"]).ready
    assert agents.ready("chat") == 1


def test_places_are_taken_and_given_back() -> None:
    agents = Agents(Clock())
    agents.heard("Ana", ready=True, media=["chat"])
    assert all(agents.hold("Ana", f"chat {n}") for n in range(CAPACITY))
    assert agents.hold("Ana", "chat 0"), "a chat that is held already takes no second place"
    assert not agents.hold("Ana", "one more")
    assert agents.ready("chat") == 0
    agents.release("chat 0")
    assert agents.ready("chat") == 1


def test_leaving_counts_at_once() -> None:
    agents = Agents(Clock())
    agents.heard("Ana", ready=True, media=["chat"])
    agents.forget("Ana")
    agents.forget("Ana")
    assert agents.free() == {"callback": 0, "chat": 0}


def test_names_of_the_past_are_not_kept() -> None:
    clock = Clock()
    agents = Agents(clock)
    for n in range(1_000):
        clock.now += SILENCE
        agents.heard(f"agent {n}", ready=True, media=["chat"])
    assert [one.name for one in agents.everyone()] == ["agent 999"]
