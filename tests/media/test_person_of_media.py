"""What callbacks and webhooks store of a person can be read, and removed to the last byte."""

from __future__ import annotations

import asyncio
from pathlib import Path

from media_room import Room

from engine.media import person
from engine.media.deliveries import Deliveries, Receiver

PHONE = "+49 30 5550123"
OTHER = "+49 30 5550999"


def lived(room: Room) -> None:
    """Two visitors, each with a callback and a delivery; then the server stops."""
    for visit, phone in (("V1", PHONE), ("V2", OTHER)):
        body = {"phone": phone, "visitID": visit}
        assert room.client.post("/media/callback", json=body).status_code == 201
        to = Receiver(url="https://receiver.example", secret=b"secret")
        told = {"type": "engagement.accepted", "data": {"visitID": visit, "phone": phone}}
        asyncio.run(Deliveries(room.store, to).add(visit, told, None))
    room.close()


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def test_everything_is_exported_and_no_secret(room: Room) -> None:
    lived(room)
    try:
        found = person.exported(room.path, ["V1"])
        (called,) = found["conversations"]
        assert called["callback"] == {"phone": PHONE, "slot": None, "note": ""}
        (delivery,) = found["deliveries"]
        assert delivery["body"]["data"] == {"visitID": "V1", "phone": PHONE}
        assert delivery["state"] == "waiting"
        assert OTHER not in str(found)
        assert "key" not in called
        assert "key" not in delivery
    finally:
        room.open()


def test_erased_is_gone_and_nobody_else_is_touched(room: Room) -> None:
    lived(room)
    try:
        before = person.exported(room.path, ["V2"])
        assert PHONE.encode() in files(room.path.parent)
        removed = person.erased(room.path, ["V1"])
        assert (removed["callbacks"], removed["deliveries to other media"]) == (1, 1)
        assert PHONE.encode() not in files(room.path.parent)
        assert person.exported(room.path, ["V2"]) == before
    finally:
        room.open()
