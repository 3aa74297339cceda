"""The site of the campaign: one data folder and one book, served by one process after another."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Final

from serving import Serving, overture

from faults.books import Editor
from faults.shim import Shim

SOON: Final = 60.0
"""Seconds after which a machine that works again is taken for broken."""
SORRY: Final = frozenset({429, 503})
"""Statuses that say: nothing was stored, come back later."""
GONE: Final = (OSError, http.client.HTTPException)


class Site:
    """The server that is up now, if one is; ``address`` changes with each start."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.data.mkdir(mode=0o700, parents=True)
        self.store = self.data / "visits.sqlite3"
        self.editor = Editor(folder / "book")
        self.shim = Shim(folder, self.data)
        self.up = threading.Event()
        self.starts = 0
        self.address = ""
        self._logged: list[str] = []
        self.start()

    def start(self) -> None:
        """Start a server on what is there; the book is a good one then."""
        self._serving = Serving(self.editor.folder, self.data, **self.shim.environment)
        with self.editor.resting():
            self._serving.__enter__()
        self.starts += 1
        self.address = self._serving.address.removeprefix("http://")
        self.up.set()

    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._serving.process.poll() is None

    def ended(self, number: int = signal.SIGKILL) -> int:
        """End the process, if it has not died by itself, and give its exit code."""
        self.up.clear()
        code = self._serving.stop(number)
        for stream in (self._serving.process.stdout, self._serving.process.stderr):
            if stream is not None:
                stream.close()
        self._logged += self._serving.logged
        return code

    def refused_start(self) -> str:
        """What a start says that must not succeed: one sentence, no trace of Python."""
        with self.editor.resting():
            return self._refused_start()

    def killed_start(self, seconds: float, data: Path | None = None) -> None:
        """Start a server that is killed so soon, if it has not died by itself before."""
        with self.editor.resting():
            process = self._process(data)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
            _, said = process.communicate(timeout=30)
            assert process.returncode == -signal.SIGKILL, said

    def starts_on(self, data: Path) -> None:
        """Start and stop a server on another data folder."""
        serving = Serving(self.editor.folder, data, **self.shim.environment)
        with self.editor.resting(), serving:
            pass

    def _process(self, data: Path | None = None) -> subprocess.Popen[str]:
        words = ("serve", str(self.editor.folder), "--port", "0", "--data", str(data or self.data))
        return overture(*words, **self.shim.environment)

    def _refused_start(self) -> str:
        process = self._process()
        try:
            out, said = process.communicate(timeout=60)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        assert process.returncode == 2, f"exit code {process.returncode}: {out}{said}"
        assert out == "", out
        assert said.startswith("overture: "), said
        assert "Traceback" not in said, said
        return said

    def examined(self) -> tuple[int, dict[str, Any]]:
        """What `overture doctor` gives and says of the data, decided again with the book of now."""
        with self.editor.resting():
            words = ("--data", str(self.data), "--book", str(self.editor.folder))
            process = overture("doctor", *words, "--sample", "all", "--json")
            said, mistakes = process.communicate(timeout=60)
        return process.returncode, json.loads(said) if said else {"sentence": mistakes}

    def is_well(self) -> None:
        """Wait until an event is accepted again without a restart."""
        deadline = time.monotonic() + SOON
        probe = {"eventName": "Probe", "visitID": "PROBE"}
        while True:
            found = "no answer"
            with contextlib.suppress(*GONE), contextlib.closing(Talk(self)) as talk:
                status, answer = talk.post("/server/data/events", probe)
                if status == 200:
                    return
                found = f"{status} {answer}"
            assert time.monotonic() < deadline, f"the server did not recover: {found}"
            time.sleep(0.05)

    def said(self) -> list[str]:
        """The lines of the logs of all processes."""
        return self._logged + (self._serving.logged if self.is_alive() else [])

    def logged_faults(self) -> list[str]:
        """Lines of the logs of all processes that a person should never see."""
        return [line for line in self.said() if "Traceback" in line or " CRITICAL " in line]


class Talk:
    """Requests in JSON, over one connection as long as the server that it leads to."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._address = ""
        self._connection = http.client.HTTPConnection("")

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """The status and the answer. A refusal has a sentence, a code, and says when to come.

        Raises one of GONE when there is no answer.
        """
        if self._address != self._site.address:
            self.close()
            self._address = self._site.address
            self._connection = http.client.HTTPConnection(self._address, timeout=20)
        sent = {"Content-Type": "application/json", **headers}
        try:
            self._connection.request("POST", path, json.dumps(body), sent)
            answer = self._connection.getresponse()
            found = json.loads(answer.read())
        except BaseException:
            self.close()
            raise
        if answer.status in SORRY:
            assert int(answer.headers["Retry-After"]) >= 1
            assert found["code"] in ("busy", "store", "rate"), found
            assert found["error"], found
        else:
            assert answer.status == 200, f"{answer.status} {found}"
        return answer.status, found
