"""DisplayMenu: a service that asks first, the steps behind its choices, and how it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from media_room import CHAT_NOW, SERVER, RelayRoom, Room

from engine.media import gms_menus
from engine.media.gms_bodies import SCENARIOS
from engine.media.gms_menus import menus

ROOMS = (Room, RelayRoom)

SERVICE = "/genesys/1/service"
SUPPORT = f"{SERVICE}/callback/support"
NUMBER = "+34 600 123 456"
VISIT = {"visitID": "V1", "pageID": "P2", "first_name": "Zoë", "color": "red"}
CALL = {**SCENARIOS["VOICE-NOW-USERTERM"], "_customer_number": NUMBER} | VISIT


def shown(room: Room, values: dict[str, str] | None = None) -> dict[str, Any]:
    answer = room.client.post(SUPPORT, data=values or CALL)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def urls(dialog: dict[str, Any]) -> dict[str, str]:
    groups = [group["_group_content"] for group in dialog["_content"]]
    return {one["_label"]: one["_user_action_url"] for group in groups for one in group}


def chosen(room: Room, url: str, status: int = 200) -> dict[str, Any]:
    answer = room.client.post(url.removeprefix(SERVER))
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def test_a_menu_is_shown_and_nothing_is_started(room: Room) -> None:
    dialog = shown(room)
    assert (dialog["_action"], dialog["_label"]) == ("DisplayMenu", "How can we help?")
    labels = {
        group["_group_name"]: [one["_label"] for one in group["_group_content"]]
        for group in dialog["_content"]
    }
    assert labels == {
        "Write": ["Chat now", "Chat when somebody is free"],
        "Talk": ["Call me", "I call you"],
    }
    for url in urls(dialog).values():
        assert url.startswith(f"{SERVER}{SERVICE}/{dialog['_id']}/")
    assert room.client.get("/desk/api/interactions").json() == []
    assert room.client.post(f"{SERVICE}/{dialog['_id']}/StartChat").status_code == 404
    assert room.desk("interactions") == []
    assert room.around.happenings == []


def test_a_chat_that_was_chosen_is_one_like_any_other(room: Room) -> None:
    dialog = shown(room)
    begun = chosen(room, urls(dialog)["Chat now"])
    assert (begun["_action"], begun["_id"]) == ("StartChat", dialog["_id"])
    assert begun["_chat_parameters"] == {"subject": "support"}
    assert room.chat(begun["_id"])["transcriptToShow"][0][1] == "Zoë"
    (here,) = room.client.get("/desk/api/interactions").json()
    assert here["medium"] in ("chat", "gms")
    details = room.desk(f"interactions/{room.newest()}")
    assert details["attached"] == {"visitID": "V1", "pageID": "P2"}
    assert details["customer"]["color"] == "red"
    assert [event for _, _, event, _ in room.around.happenings] == ["InteractionStarted"]


def test_who_chose_to_wait_goes_on_when_an_agent_is_there(room: Room) -> None:
    begun = chosen(room, urls(shown(room))["Chat when somebody is free"])
    assert (begun["_action"], "_chat_parameters" in begun) == ("ConfirmationDialog", True)
    room.desk(f"interactions/{room.newest()}/accept", {"agent": "Ana"})
    ready = room.client.get(f"{SERVICE}/{begun['_id']}/StartChat").json()
    assert ready["_action"] == "StartChat"


def test_a_call_that_was_chosen_is_on_the_list(room: Room) -> None:
    begun = chosen(room, urls(shown(room))["Call me"])
    assert NUMBER in begun["_text"]
    (found,) = room.desk("callbacks")["callbacks"]
    assert (found["phone"], found["state"]) == (NUMBER, "waiting")
    (record,) = room.client.get(f"{SERVICE}/callback", params={"_id": begun["_id"]}).json()
    assert record["_service_name"] == "support"


def test_a_number_that_was_chosen_is_dialled(room: Room) -> None:
    begun = chosen(room, urls(shown(room))["I call you"])
    assert (begun["_action"], begun["_tel_url"]) == ("DialNumber", "tel:+4930123456")


def test_a_call_may_be_chosen_by_who_asked_for_a_chat(room: Room) -> None:
    choices = urls(shown(room, CHAT_NOW | {"_customer_number": NUMBER}))
    assert chosen(room, choices["I call you"])["_action"] == "DialNumber"
    (here,) = room.client.get("/desk/api/interactions").json()
    assert here["medium"] in ("callback", "gms_callback")


def test_what_needs_a_number_is_offered_to_who_gave_one(room: Room) -> None:
    dialog = shown(room, CHAT_NOW)
    assert list(urls(dialog)) == ["Chat now", "Chat when somebody is free"]
    url = next(iter(urls(dialog).values()))
    refused = chosen(room, url.replace("choice=1", "choice=3"), 415)
    assert refused["message"] == "_customer_number is missing."
    assert chosen(room, url)["_action"] == "StartChat"


def test_twice_is_once_and_something_else_is_refused(room: Room) -> None:
    choices = urls(shown(room))
    assert chosen(room, choices["Chat now"]) == chosen(room, choices["Chat now"])
    assert len(room.desk("interactions")) == 1
    refused = chosen(room, choices["Call me"], 415)
    assert refused["message"] == "Something else has been chosen already."


def test_a_code_that_was_told_stays_the_same(room: Room) -> None:
    choices = urls(shown(room, CALL | {"_provide_code": "true"}))
    codes = {chosen(room, choices["I call you"])["_access_code"] for _ in range(4)}
    details = room.desk(f"interactions/{room.newest()}")
    assert codes == {details["customer"]["_access_code"]}


def test_what_could_not_be_started_leaves_the_menu_open(room: Room) -> None:
    choices = urls(shown(room, CALL | {"_desired_time": "2001-01-01T10:00:00.000Z"}))
    assert "choose one that is offered" in chosen(room, choices["Call me"], 415)["message"]
    assert chosen(room, choices["Chat now"])["_action"] == "StartChat"


@pytest.mark.parametrize("choice", ["", "0", "5", "x", "9" * 30])
def test_a_choice_is_one_of_those_shown(room: Room, choice: str) -> None:
    url = urls(shown(room))["Chat now"].replace("choice=1", f"choice={choice}")
    chosen(room, url, 415)
    assert room.desk("interactions") == []


def test_a_menu_is_open_for_ten_minutes(room: Room) -> None:
    choices = urls(shown(room))
    room.clock.now += gms_menus.WAITS
    chosen(room, choices["Chat now"], 404)
    assert room.desk("interactions") == []


def test_one_address_does_not_take_the_room_of_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gms_menus, "OF_ADDRESS_AT_MOST", 2)
    first, second, third = (urls(shown(room))["Chat now"] for _ in range(3))
    chosen(room, first, 404)
    for url in (second, third):
        assert chosen(room, url)["_action"] == "StartChat"


GOOD = """
[support]
label = "How can we help?"
[[support.choices]]
group = "Talk"
label = "Call me"
scenario = "VOICE-NOW-USERTERM"
"""


def test_a_file_of_menus(tmp_path: Path) -> None:
    file = tmp_path / "menus.toml"
    file.write_text(GOOD, "utf-8")
    (choice,) = menus(file, number="")["support"].choices
    assert (choice.group, choice.label, choice.scenario) == (
        "Talk",
        "Call me",
        "VOICE-NOW-USERTERM",
    )


WRONG = {
    "no TOML": (GOOD.replace("[support]", "[support"), "is not TOML"),
    "no table": ('support = "x"', "support: write a table"),
    "no choices": ('[support]\nlabel = "x"', "support.choices: it is missing"),
    "empty": ('[support]\nlabel = "x"\nchoices = []', "write 1 to 20 choices"),
    "no label": (GOOD.replace('"Call me"', '""'), "support.choices.1.label: write a text of 1"),
    "a number": (GOOD.replace('"Call me"', "7"), "support.choices.1.label: write a text in quotes"),
    "a slip": (GOOD.replace("scenario", "scenari"), "support.choices.1.scenario: it is missing"),
    "one key more": (GOOD + 'url = "x"', "support.choices.1.url: there is no such key"),
    "scenario": (GOOD.replace("VOICE-NOW-USERTERM", "VOICE"), "write one of VOICE-NOW-USERORIG"),
    "time": (GOOD.replace("-NOW-", "-SCHEDULED-"), "write VOICE-WAIT-USERTERM"),
    "nobody to call": (GOOD.replace("USERTERM", "USERORIG"), "set OVERTURE_CALLBACK_NUMBER"),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_mistake_in_the_file_is_a_sentence(tmp_path: Path, how: str) -> None:
    text, part = WRONG[how]
    file = tmp_path / "menus.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=re.escape(part)):
        menus(file, number="")
