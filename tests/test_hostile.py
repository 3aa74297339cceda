"""The whole server against what nobody sends or saves by accident."""

import contextlib
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from serving import GREETING, Serving, eventually, overture, written


def raw(serving: Serving, *pieces: bytes) -> bytes:
    """What the server says to bytes that are no proper request, until it closes."""
    address = urlsplit(serving.address)
    with socket.create_connection((address.hostname, address.port), timeout=60) as peer:
        answer = b""
        with contextlib.suppress(ConnectionError):  # it closes while we still send
            for piece in pieces:
                peer.sendall(piece)
        with contextlib.suppress(ConnectionError):
            while part := peer.recv(4096):
                answer += part
        return answer


def test_a_head_without_end_is_cut_off(tmp_path: Path) -> None:
    with Serving(written(tmp_path / "book", greeting=GREETING), tmp_path / "data") as serving:
        raw(serving, b"GET / HTTP/1.1\r\nHost: here\r\nName: ", *[b"x" * 50_000] * 40)
        raw(serving, b"GET / HTTP/1.1\r\nHost: here\r\n", *[b"a: b\r\n" * 5_000] * 40)
        assert serving.get("/").status_code == 200
        assert serving.get("/", headers={"Name": "x" * 20_000}).status_code == 200


def test_a_pipe_and_a_folder_among_the_files(tmp_path: Path) -> None:
    book = written(tmp_path / "book", greeting=GREETING)
    with Serving(book, tmp_path / "data") as serving:
        (book / "folder.strategy").mkdir()
        (book / "loop.strategy").symlink_to(book)
        os.mkfifo(book / "pipe.strategy")
        problems = eventually(lambda: serving.get("/api/book").json()["problems"])
        assert problems[0]["message"] == "pipe.strategy is no file that can be read; take it away."
        (book / "pipe.strategy").unlink()
        eventually(lambda: not serving.get("/api/book").json()["problems"])


def test_the_watch_outlives_numbers_beyond_measure(tmp_path: Path) -> None:
    book = written(tmp_path / "book", greeting=GREETING)
    with Serving(book, tmp_path / "data") as serving:
        long = "9" * 5_000
        (book / "huge.strategy").write_text(f"group G\n  limit {long} in {long} d\n")
        problems = eventually(lambda: serving.get("/api/book").json()["problems"])
        assert [one["code"] for one in problems] == ["P312", "P312"]
        (book / "huge.strategy").unlink()
        eventually(lambda: not serving.get("/api/book").json()["problems"])


def test_a_pipe_does_not_keep_a_command_waiting(tmp_path: Path) -> None:
    book = written(tmp_path / "book", greeting=GREETING)
    os.mkfifo(book / "pipe.strategy")
    process = overture("check", str(book))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said == "overture: pipe.strategy is no file that can be read; take it away.\n"
