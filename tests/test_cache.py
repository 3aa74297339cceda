"""The cache on disk: whatever happens to its files, a book is what its text says."""

from __future__ import annotations

import os
import random
import zoneinfo
from collections.abc import Callable
from pathlib import Path

import pytest
from serving import GREETING

from engine.cache import Cache, cache_of
from engine.cli import main
from engine.language.compiler import compile_book
from engine.language.lints import lint
from engine.language.source import Source, read_folder

SAMPLE = Path(__file__).parents[1] / "strategies"
SOURCES = read_folder(SAMPLE)
FRESH = compile_book(SOURCES)
assert FRESH.book is not None
WARNINGS = lint(FRESH.book, SOURCES)


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def compiled_with(folder: Path) -> None:
    """Compile the sample book with a cache; it must be what it is without."""
    cache = Cache(folder)
    found = compile_book(SOURCES, cache)
    assert found.book == FRESH.book
    assert found.book is not None
    assert lint(found.book, SOURCES, cache) == WARNINGS


def test_what_is_kept_is_found_by_the_next_process_alone_under_its_key(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").put("one", b"data")
    later = Cache(tmp_path / "cache")
    assert later.get("one") == b"data"
    assert later.get("two") is None


def test_a_book_is_kept_file_by_file_and_read_again(tmp_path: Path) -> None:
    compiled_with(tmp_path / "cache")
    written = {path: path.stat().st_mtime_ns for path in entries(tmp_path / "cache")}
    assert len(written) == len(SOURCES) + 2, "each file, that all is well, and the warnings"
    compiled_with(tmp_path / "cache")
    assert {path: path.stat().st_mtime_ns for path in entries(tmp_path / "cache")} == written


def test_other_time_zones_are_another_world(tmp_path: Path) -> None:
    """A book that was good may name a zone that an update of the machine has taken away."""
    Cache(tmp_path / "cache").put("book", b"good")
    usual = zoneinfo.TZPATH
    try:
        zoneinfo.reset_tzpath(to=[str(tmp_path)])
        assert Cache(tmp_path / "cache").get("book") is None
    finally:
        zoneinfo.reset_tzpath(to=usual)
    assert Cache(tmp_path / "cache").get("book") == b"good"


def test_only_the_owner_can_look_into_it(tmp_path: Path) -> None:
    compiled_with(tmp_path / "above" / "cache")
    assert (tmp_path / "above" / "cache").stat().st_mode & 0o777 == 0o700
    for path in entries(tmp_path / "above" / "cache"):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_is_open_to_others_is_not_used(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    assert cache_of({"OVERTURE_CACHE": str(tmp_path)}) is None
    tmp_path.chmod(0o700)
    assert cache_of({"OVERTURE_CACHE": str(tmp_path)}) is not None


def test_a_link_is_no_folder_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert cache_of({"OVERTURE_CACHE": str(tmp_path / "link")}) is None


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives files away")
def test_what_belongs_to_somebody_else_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    Cache(folder).put("one", b"data")
    (entry,) = entries(folder)
    os.chown(entry, 12_345, -1)
    assert Cache(folder).get("one") is None
    os.chown(folder, 12_345, -1)
    assert cache_of({"OVERTURE_CACHE": str(folder)}) is None


def test_it_can_be_switched_off_and_has_a_place_of_its_own(tmp_path: Path) -> None:
    for word in ("off", "OFF", "no", "0"):
        assert cache_of({"OVERTURE_CACHE": word, "XDG_CACHE_HOME": str(tmp_path)}) is None
    assert not list(tmp_path.iterdir())
    assert cache_of({"XDG_CACHE_HOME": str(tmp_path)}) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["overture"]


def test_where_nothing_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert cache_of({"OVERTURE_CACHE": str(tmp_path / "file")}) is None
    assert cache_of({"OVERTURE_CACHE": str(tmp_path / "file" / "below")}) is None
    cache = Cache(tmp_path / "cache")
    (tmp_path / "cache").rmdir()
    cache.put("one", b"data")
    assert cache.get("one") is None


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first = Cache(folder)
    for number in range(20):
        first.put(f"{number}", bytes(10_000))
        path = max(entries(folder), key=lambda entry: entry.stat().st_ctime_ns)
        os.utime(path, (1_000 + number, 1_000 + number))
    first.get("0")  # used: it is young again
    next_run = Cache(folder, most=100_000)
    next_run.put("new", b"data")
    assert sum(path.stat().st_size for path in entries(folder)) <= 60_000
    kept = [key for key in ("0", "1", "19", "new") if next_run.get(key) is not None]
    assert kept == ["0", "19", "new"]


def test_files_of_other_names_never_go(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    Cache(folder).put("one", bytes(10_000))
    (entry,) = entries(folder)
    half_written = entry.with_suffix(".12.3")
    half_written.write_bytes(b"half")
    novel = folder / "novel.txt"
    novel.write_bytes(bytes(50_000))
    for path in (entry, half_written, novel):
        os.utime(path, (1_000, 1_000))
    Cache(folder, most=10_000).put("new", b"data")
    assert novel.exists()
    assert not entry.exists()
    assert not half_written.exists()


def _flipped(raw: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 1 << draw.randrange(8)]) + raw[place + 1 :]


HARM: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "empty": lambda _, __: b"",
    "cut off": lambda raw, draw: raw[: draw.randrange(len(raw))],
    "a bit": _flipped,
    "noise": lambda _, draw: draw.randbytes(5_000),
    "noise behind the head": lambda raw, draw: raw[:49] + draw.randbytes(5_000),
    "more": lambda raw, _: raw + b" ",
    "deep": lambda raw, _: raw[:49] + b"[" * 1_000_000,
    "another version": lambda raw, _: raw.replace(b"cache 1", b"cache 0", 1),
}


@pytest.mark.parametrize("harm", HARM)
def test_harmed_entries_are_as_if_they_were_not_there(tmp_path: Path, harm: str) -> None:
    folder, draw = tmp_path / "cache", random.Random(7)
    compiled_with(folder)
    for path in entries(folder):
        path.write_bytes(HARM[harm](path.read_bytes(), draw))
    compiled_with(folder)
    compiled_with(folder)


def test_entries_of_other_keys_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    compiled_with(folder)
    there = entries(folder)
    contents = [path.read_bytes() for path in there]
    for path, raw in zip(there, contents[1:] + contents[:1], strict=True):
        path.write_bytes(raw)
    compiled_with(folder)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "endless"])
def test_what_is_no_file_of_ours_is_not_read(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "cache"
    compiled_with(folder)
    for number, path in enumerate(entries(folder)):
        there = tmp_path / f"there{number}"
        path.rename(there)
        match kind:
            case "folder":
                path.mkdir()
            case "pipe":
                os.mkfifo(path)
            case "link":
                path.symlink_to(there)
            case _:
                with open(path, "wb") as file:
                    file.truncate(1 << 40)
    compiled_with(folder)


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[1]", b'[["00", [57]]]', b'[["zz", []]]', b"[" * 100_000, b"\xff"]
)
def test_data_of_another_form_under_the_right_key_is_not_taken(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / "cache"

    class Harmed(Cache):
        """Keeps the wrong thing, under a digest that is right."""

        def put(self, key: str, _: bytes) -> None:
            super().put(key, data)

    assert FRESH.book is not None
    compile_book(SOURCES, Harmed(folder))
    lint(FRESH.book, SOURCES, Harmed(folder))
    compiled_with(folder)


def test_a_book_with_a_mistake_is_told_the_same_with_a_cache(tmp_path: Path) -> None:
    for text in (GREETING.replace("Hello", "Helo", 1), GREETING.replace("send", "sent"), GREETING):
        sources = [*SOURCES, Source(name="new.strategy", text=text)]
        fresh = compile_book(sources)
        for _ in range(2):
            found = compile_book(sources, Cache(tmp_path / "cache"))
            assert (found.book, found.found) == (fresh.book, fresh.found)


def test_commands_say_the_same_with_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for setting in ("off", str(tmp_path / "cache"), str(tmp_path / "cache")):
        monkeypatch.setenv("OVERTURE_CACHE", setting)
        for command in ("check", "test"):
            assert main([command, str(SAMPLE), "--json"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] == said[2]
    assert len(entries(tmp_path / "cache")) == len(SOURCES) + 2
