"""The server on the faster loop and parser, where they are: it must not be another server."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from serving import GREETING, Serving, eventually, new_id, written

FAST = Path(__file__).parents[1] / ".fast"
pytestmark = pytest.mark.skipif(
    not FAST.is_dir(), reason="uvloop and httptools: pip install --target .fast uvloop httptools"
)


def served(tmp_path: Path) -> Serving:
    path = os.pathsep.join(filter(None, (str(FAST), os.environ.get("PYTHONPATH"))))
    folder = written(tmp_path / "book", greeting=GREETING)
    return Serving(folder, tmp_path / "data", PYTHONPATH=path)


def version(serving: Serving) -> str:
    found: str = serving.get("/api/book").json()["version"]
    return found


def sent(serving: Serving, raw: bytes) -> bytes:
    parts = urlsplit(serving.address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 30) as client:
        client.sendall(raw)
        return client.recv(65_536)


def test_they_are_used_and_an_edit_becomes_live(tmp_path: Path) -> None:
    with served(tmp_path) as serving:
        if Path("/proc").is_dir():
            maps = Path(f"/proc/{serving.process.pid}/maps").read_text("utf-8")
            assert "uvloop" in maps
            assert "httptools" in maps
        before = version(serving)
        written(serving.book, greeting=GREETING.replace("inviteGMS", "inviteChat"))
        eventually(lambda: version(serving) != before)
        serving.event("PageEntered", new_id(), "P", url="/a")


def test_a_head_without_end_is_refused(tmp_path: Path) -> None:
    with served(tmp_path) as serving:
        large = b"GET / HTTP/1.1\r\nHost: here\r\nName: " + b"x" * 64 * 1024
        assert sent(serving, large).startswith(b"HTTP/1.1 400")
        assert sent(serving, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
        assert serving.get("/api/book").status_code == 200
