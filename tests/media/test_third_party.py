"""Tokens for a third party: whose they are, how long they hold, and what opens none."""

from __future__ import annotations

import base64
import json

import pytest
from media_room import Room

from engine.media.third_party import VALID_FOR, claims_of, signed

SECRET = b"a secret that both sides share"


def test_a_token_says_what_was_signed_until_it_is_over() -> None:
    token = signed({"visitID": "V1", "exp": 100}, SECRET)
    assert claims_of(token, SECRET, 99_999) == {"visitID": "V1", "exp": 100}
    assert claims_of(token, SECRET, 100_000) is None
    assert VALID_FOR == 600


def test_it_is_a_json_web_token() -> None:
    header, body, _ = signed({"exp": 1}, SECRET).split(".")
    unpacked = [base64.urlsafe_b64decode(part + "==") for part in (header, body)]
    assert [json.loads(part) for part in unpacked] == [{"alg": "HS256", "typ": "JWT"}, {"exp": 1}]


@pytest.mark.parametrize("how", ["another secret", "changed", "no mark", "empty", "letters"])
def test_what_is_not_ours_says_nothing(how: str) -> None:
    token = signed({"visitID": "V1", "exp": 100}, SECRET)
    other = signed({"visitID": "V2", "exp": 100}, b"another secret")
    header, body, mark = token.split(".")
    forged = {
        "another secret": other,
        "changed": ".".join((header, other.split(".")[1], mark)),
        "no mark": f"{header}.{body}.",
        "empty": "",
        "letters": "é.é.é",
    }[how]
    assert claims_of(forged, SECRET, 0) is None


def test_without_a_third_party_it_is_said(room: Room) -> None:
    body = {"visitID": "V1", "pageID": "P1", "invitation": "V1/S/1"}
    answer = room.client.post("/media/third-party", json=body)
    assert answer.json() == {"error": "No third party is set on this server.", "code": "not-set"}
