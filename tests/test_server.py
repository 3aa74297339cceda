"""The whole server in its own process: start, mistakes at start, hot reload, stop, restart."""

import os
import re
import signal
import socket
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import GREETING, Serving, connected, eventually, overture, streaming, written
from websockets.exceptions import ConnectionClosed

from engine.garbage import FullSearch
from engine.shelf import GRACE, QUIET

OTHER = GREETING.replace("Greeting", "Farewell").replace("Hello", "Bye")
BROKEN = GREETING.replace("send Hello", "send Helo")


def failed(*arguments: str, **environment: str) -> str:
    """What a start that fails says; its exit code is 2 and there is no trace of Python."""
    process = overture("serve", *arguments, **environment)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 2, out + said
    assert out == ""
    assert "Traceback" not in said
    assert said.startswith("overture: ")
    return said


def book(serving: Serving) -> dict[str, Any]:
    found: dict[str, Any] = serving.get("/api/book").json()
    return found


def live(serving: Serving, *strategies: str) -> None:
    """Wait until exactly these strategies are live and nothing is wrong."""
    wanted = sorted(strategies)
    eventually(
        lambda: sorted(book(serving)["strategies"]) == wanted and not book(serving)["problems"]
    )


def children(process: int) -> list[int]:
    """The processes that a process has started, from any of its threads."""
    found = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for path in found for number in path.read_text("ascii").split()]


# ---------------------------------------------------------------- start


def test_a_missing_folder(tmp_path: Path) -> None:
    said = failed(str(tmp_path / "nowhere"))
    assert "nowhere is not there" in said


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "no .strategy file" in failed(str(tmp_path))


def test_a_broken_book_shows_every_mistake_with_its_place(tmp_path: Path) -> None:
    written(tmp_path, one=BROKEN, two=OTHER.replace("send Bye", "send By"))
    said = failed(str(tmp_path), "--port", "0", "--data", str(tmp_path / "data"))
    for place, name in (("one.strategy:6:", "`Helo`"), ("two.strategy:6:", "`By`")):
        assert place in said
        assert name in said
    assert "Did you mean" in said
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.strategy").write_bytes(b"# fine\n\xff\xfe\n")
    assert "a.strategy:2:1: The file is not UTF-8 here" in failed(str(tmp_path))


def test_another_address_needs_a_token(tmp_path: Path) -> None:
    written(tmp_path, one=GREETING)
    said = failed(str(tmp_path), "--host", "0.0.0.0", "--port", "0")
    assert "OVERTURE_API_TOKEN" in said


def test_the_preview_is_for_this_machine_alone(tmp_path: Path) -> None:
    book = written(tmp_path / "book", one=GREETING)
    with Serving(book, tmp_path / "data") as near:
        assert near.get("/preview/").status_code == 200
        assert "/preview/" in near.get("/").text
        assert any(line.startswith("preview ") for line in near.said)
    token = {"OVERTURE_API_TOKEN": "a-token-of-many-letters", "OVERTURE_HOST": "0.0.0.0"}
    with Serving(book, tmp_path / "data", **token) as public:
        public.address = public.address.replace("0.0.0.0", "127.0.0.1")
        assert public.get("/preview/").status_code == 404
        assert "/preview/" not in public.get("/").text


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    written(tmp_path / "book", one=GREETING)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = failed(str(tmp_path / "book"), "--port", port, "--data", str(tmp_path / "data"))
    assert port in said
    assert "--port 0" in said


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    written(tmp_path / "book", one=GREETING)
    (tmp_path / "file").write_text("")
    said = failed(str(tmp_path / "book"), "--port", "0", "--data", str(tmp_path / "file" / "data"))
    assert "--data" in said


def test_a_data_folder_in_use(tmp_path: Path) -> None:
    with Serving(written(tmp_path / "book", one=GREETING), tmp_path / "data"):
        said = failed(str(tmp_path / "book"), "--port", "0", "--data", str(tmp_path / "data"))
    assert "visits.sqlite3" in said


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("OVERTURE_PORT", "many", "OVERTURE_PORT cannot be used"),
        ("OVERTURE_PORT", "70000", "OVERTURE_PORT cannot be used"),
        ("OVERTURE_ORIGINS", "shop.example.com", "https://shop.example.com"),
        ("OVERTURE_ORIGINS", "https://shop.example.com/path", "OVERTURE_ORIGINS"),
        ("OVERTURE_API_TOKEN", "short", "at least 16 characters"),
        ("OVERTURE_JOURNAL_DAYS", "0", "a number above 0"),
        ("OVERTURE_JOURNAL_GB", "plenty", "a number above 0"),
        ("OVERTURE_VISIT_HOURS", "0", "a number of hours from 0.01"),
        ("OVERTURE_CALLBACK_MINUTES", "1", "a whole number from 5 to 240"),
        ("OVERTURE_CHATS_PER_ADDRESS", "0", "a whole number from 1 to 5000"),
        ("OVERTURE_WEBHOOK_URL", "http://receiver.example/in", "an address like https://"),
        ("OVERTURE_WEBHOOK_SECRET", "short", "at least 16 characters"),
        ("OVERTURE_WEBHOOK_URL", "https://receiver.example/in", "needs OVERTURE_WEBHOOK_SECRET"),
        ("OVERTURE_CALLBACK_ZONE", "Mars/Base", "there is no zone"),
        ("OVERTURE_CALLBACK_HOURS", "always", "write it like Mon-Fri"),
        ("OVERTURE_CALLBACK_NUMBER", "ask-us", "digits alone"),
        ("OVERTURE_GMS_MENUS", "missing.toml", "No such file"),
        ("OVERTURE_GMS_URL", "gms.example.com", "https://gms.example.com/genesys"),
        ("OVERTURE_GMS_URL", "https://me:secret@gms.example.com", "OVERTURE_GMS_URL"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, name: str, value: str, part: str) -> None:
    written(tmp_path, one=GREETING)
    said = failed(str(tmp_path), **{"OVERTURE_PORT": "0", name: value})
    assert part in said
    assert name == "OVERTURE_PORT" or value == "shop.example.com" or value not in said.split()


def test_menus_are_of_our_own_services_or_of_the_gms_elsewhere(tmp_path: Path) -> None:
    written(tmp_path, one=GREETING)
    both = {"OVERTURE_GMS_MENUS": "menus.toml", "OVERTURE_GMS_URL": "https://gms.example/genesys"}
    assert "exclude each other" in failed(str(tmp_path), **both)


def test_the_addresses_are_printed_and_answer(tmp_path: Path) -> None:
    with Serving(written(tmp_path / "book", one=GREETING), tmp_path / "data") as serving:
        said = "".join(serving.said)
        found = dict(re.findall(r"^(shop|desk|api) +(http://127\.0\.0\.1:\d+/\S*)$", said, re.M))
        assert set(found) == {"shop", "desk", "api"}
        eventually(lambda: any("WARNING" in line and "open" in line for line in serving.said))
        for address in found.values():
            assert httpx.get(address).status_code == 200
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_with_a_token_nothing_is_said_loudly_and_no_secret_is_logged(tmp_path: Path) -> None:
    token = "a-token-that-must-stay-secret"
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data", OVERTURE_API_TOKEN=token) as serving:
        visit = serving.visit()
        serving.event("PageEntered", visit["visitID"], "P1")
        with streaming(serving, visit, "P1"):
            pass
        query = {"token": visit["token"]}
        httpx.post(serving.address + "/server/data/events", json=[1], params=query)
        httpx.get(serving.address + "/api/book", headers={"Authorization": "Bearer wrong-one"})
    everything = "".join(serving.said + serving.logged)
    assert "WARNING" not in everything
    for secret in (token, visit["token"], "wrong-one"):
        assert secret not in everything


# ---------------------------------------------------------------- one time zone


def zone_of_callbacks(serving: Serving) -> str:
    return str(serving.get("/media/callback/slots").json()["zone"])


def test_callbacks_are_in_the_zone_of_the_live_book(tmp_path: Path) -> None:
    book = written(tmp_path / "book", one=f'zone "Asia/Tokyo"\n{GREETING}')
    with Serving(book, tmp_path / "data") as serving:
        assert zone_of_callbacks(serving) == "Asia/Tokyo"
        written(book, one=f'zone "Europe/Madrid"\n{GREETING}')
        eventually(lambda: zone_of_callbacks(serving) == "Europe/Madrid")


def test_the_setting_overrides_the_zone_of_the_book(tmp_path: Path) -> None:
    book = written(tmp_path / "book", one=f'zone "Asia/Tokyo"\n{GREETING}')
    with Serving(book, tmp_path / "data", OVERTURE_CALLBACK_ZONE="America/Lima") as serving:
        assert zone_of_callbacks(serving) == "America/Lima"


# ---------------------------------------------------------------- hot reload


def in_place(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def in_halves(path: Path, text: str) -> None:
    """Emptied first, then written in two parts, each on the disk before the next."""
    middle = len(text) // 2
    with path.open("w", encoding="utf-8") as file:
        for part in ("", text[:middle], text[middle:]):
            file.write(part)
            file.flush()
            os.fsync(file.fileno())
            _pause()


def by_rename(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.tmp")
    new.write_text(text, "utf-8")
    _pause()
    new.replace(path)


def by_delete(path: Path, text: str) -> None:
    path.unlink()
    _pause()
    path.write_text(text, "utf-8")


def _pause() -> None:
    """Longer than the folder has to be quiet: each part of a save is seen on its own."""

    time.sleep(0.08)


@pytest.mark.parametrize("save", [in_place, in_halves, by_rename, by_delete])
def test_a_saved_file_is_live_and_never_in_parts(tmp_path: Path, save: Any) -> None:
    assert any(is_live_and_never_in_parts(tmp_path / str(number), save) for number in range(20))


def is_live_and_never_in_parts(place: Path, save: Any) -> bool:
    """False when the machine made the save take longer than the middle of a save may."""
    folder = written(place / "book", one=GREETING)
    with Serving(folder, place / "data") as serving:
        before = book(serving)
        assert before["strategies"] == ["Greeting"]
        begun = time.monotonic()
        save(folder / "one.strategy", GREETING + OTHER)
        if time.monotonic() - begun >= GRACE:
            return False
        live(serving, "Farewell", "Greeting")
        after = book(serving)
        assert after["version"] != before["version"]
        assert after["live_since"] > before["live_since"]
        # One swap, from the old book to the new one; the parts of a save are no mistakes.
        lives = [line for line in serving.logged if "is live" in line]
        assert len(lives) == 1
        assert not any("mistake" in line for line in serving.logged)
    return True


def test_an_emptied_file_is_long_the_middle_of_a_save(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING, two=OTHER)
    with Serving(folder, tmp_path / "data") as serving:
        (folder / "one.strategy").write_text("")
        begun = time.monotonic()
        live(serving, "Farewell")  # in the end it is meant
        assert time.monotonic() - begun > 4 * GRACE


def test_a_burst_over_many_files_is_one_swap(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        names = [f"S{number}" for number in range(50)]
        begun = time.monotonic()
        for name in names:
            text = GREETING.replace("Greeting", name).replace("Hello", f"Say{name}")
            (folder / f"{name}.strategy").write_text(text)
        took = time.monotonic() - begun
        live(serving, "Greeting", *names)
        # Each look finds what was saved before it; on a machine that stands still there are more.
        assert len([line for line in serving.logged if "is live" in line]) <= 3 + took / QUIET


def test_a_mistake_changes_nothing_and_is_shown(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        visit = serving.visit()
        before = book(serving)
        written(folder, one=BROKEN)
        problems = eventually(lambda: book(serving)["problems"])
        (problem,) = problems
        assert (problem["file"], problem["line"]) == ("one.strategy", 6)
        assert "Helo" in problem["message"]
        assert problem["code"]
        assert book(serving)["version"] == before["version"]
        with connected(serving, visit, "P1") as page:
            serving.event("PageEntered", visit["visitID"], "P1")
            assert page.urls() == ["/frontend/resources/inviteGMS.html"]
        os.utime(folder / "one.strategy")
        written(folder, one=GREETING)
        live(serving, "Greeting")
        assert book(serving)["version"] == before["version"]
        assert len([line for line in serving.logged if "last good book" in line]) == 1


def test_a_book_is_compiled_though_the_process_that_compiles_was_killed(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        for strategies in (GREETING + OTHER, GREETING, GREETING + OTHER):
            written(folder, one=strategies)
            live(serving, "Greeting", *(["Farewell"] if OTHER in strategies else []))
            (child,) = children(serving.process.pid)
            os.kill(child, signal.SIGKILL)


def test_warnings_are_about_the_live_book(tmp_path: Path) -> None:
    odd = GREETING.replace("on PageEntered", "on PageEntered where 1 > 2")
    assert odd != GREETING
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        before = [one["code"] for one in book(serving)["warnings"]]
        assert "L401" not in before
        written(folder, one=odd)
        found = eventually(lambda: [w for w in book(serving)["warnings"] if w["code"] == "L401"])
        assert "never" in found[0]["message"]
        assert book(serving)["problems"] == []


def test_a_server_reads_what_an_earlier_one_compiled_and_starts_without_it(tmp_path: Path) -> None:
    folder, cache = written(tmp_path / "book", one=GREETING), tmp_path / "cache"
    versions = []
    for _ in range(2):
        with Serving(folder, tmp_path / "data", OVERTURE_CACHE=str(cache)) as serving:
            versions.append(book(serving)["version"])
        there = sorted(cache.iterdir())
        assert there
    for path in there:
        path.write_bytes(b"{}")
    with Serving(folder, tmp_path / "data", OVERTURE_CACHE=str(cache)) as serving:
        versions.append(book(serving)["version"])
    assert len(set(versions)) == 1
    assert any(path.read_bytes() != b"{}" for path in there), "what was harmed is kept anew"


def test_warnings_about_the_book_of_the_start_come_by_themselves(tmp_path: Path) -> None:
    odd = GREETING.replace("on PageEntered", "on PageEntered where 1 > 2")
    with Serving(written(tmp_path / "book", one=odd), tmp_path / "data") as serving:
        found = eventually(lambda: [w["code"] for w in book(serving)["warnings"]])
        assert "L401" in found


def test_a_new_message_reaches_pages_that_are_connected(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        visit = serving.visit()
        with connected(serving, visit, "P1") as page:
            serving.event("PageEntered", visit["visitID"], "P1")
            assert page.urls() == ["/frontend/resources/inviteGMS.html"]
            version = book(serving)["version"]
            written(folder, one=GREETING.replace("inviteGMS.html", "other.html"))
            eventually(lambda: book(serving)["version"] != version)
            serving.event("PageEntered", visit["visitID"], "P1")
            assert page.urls() == ["/frontend/resources/other.html"]


def test_files_come_and_go(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        written(folder / "deeper", two=OTHER)
        live(serving, "Farewell", "Greeting")
        (folder / "deeper" / "two.strategy").unlink()
        live(serving, "Greeting")
        (folder / "one.strategy").unlink()
        assert eventually(lambda: book(serving)["problems"])
        assert book(serving)["strategies"] == ["Greeting"]


def test_a_folder_that_is_moved_away_and_back(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        folder.rename(tmp_path / "away")
        assert eventually(lambda: book(serving)["problems"])
        assert book(serving)["strategies"] == ["Greeting"]
        (tmp_path / "away").rename(folder)
        live(serving, "Greeting")
        written(folder, one=OTHER)
        live(serving, "Farewell")


# ---------------------------------------------------------------- stop and restart


def test_garbage_is_searched_in_full_when_nobody_asks() -> None:
    search = FullSearch(now=0)
    assert not search.is_due(10, 10), "not so soon"
    assert not search.is_due(20, 2_000), "events come"
    assert search.is_due(20, 2_010), "none came since"
    assert not search.is_due(20, 9_000), "nothing happened that could have left anything"
    assert not search.is_due(30, 9_010), "events come"
    assert search.is_due(30, 9_020)
    assert not search.is_due(40, 95_000)
    assert search.is_due(50, 95_500), "a day is long enough, whoever asks"


def test_a_stop_drains_and_says_so_to_pages(tmp_path: Path) -> None:
    with Serving(written(tmp_path / "book", one=GREETING), tmp_path / "data") as serving:
        visit = serving.visit()
        with connected(serving, visit, "P1") as page, streaming(serving, visit, "P1"):
            assert serving.stop() == 0
            with pytest.raises(ConnectionClosed) as closed:
                page.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


def test_a_server_that_has_just_said_its_address_stops_as_any_other(tmp_path: Path) -> None:
    with Serving(written(tmp_path / "book", one=GREETING), tmp_path / "data") as serving:
        assert serving.stop() == 0


def test_a_page_goes_on_after_a_restart(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data") as serving:
        visit = serving.visit()
        with connected(serving, visit, "P1") as page:
            serving.event("PageEntered", visit["visitID"], "P1")
            serving.notify(visit["visitID"], "/second", page="P1")
            assert page.urls() == ["/frontend/resources/inviteGMS.html"]
            cursor = page.cursor
    with Serving(folder, tmp_path / "data") as serving:
        serving.notify(visit["visitID"], "/third", page="P1")
        with connected(serving, visit, "P1", cursor) as page:
            assert (page.urls(), page.urls()) == (["/second"], ["/third"])
            assert page.is_quiet()


def test_the_process_that_is_killed_lost_nothing_that_it_answered(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    serving = Serving(folder, tmp_path / "data")
    with serving:
        visit = serving.visit()
        serving.event("PageEntered", visit["visitID"], "P1")
        serving.process.kill()
        serving.process.wait()
        serving.process.returncode = 0  # what the end of the block expects of a polite stop
    with Serving(folder, tmp_path / "data") as again:
        with connected(again, visit, "P1") as page:
            assert page.urls() == ["/frontend/resources/inviteGMS.html"]
        events = again.get(f"/server/data/visits/{visit['visitID']}/events").json()
        assert [one["eventName"] for one in events] == ["PageEntered"]
