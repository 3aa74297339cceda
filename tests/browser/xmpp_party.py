"""A real third party on this machine: Prosody with Converse in front of it, and one agent."""

from __future__ import annotations

import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from node_packages import node_package
from serving import free_port

ROOT = Path(__file__).parents[2]
AGENT, PASSWORD = "agent1", "agent-of-a-test"

CONFIGURATION = """
run_as_root = true
pidfile = "{folder}/prosody.pid"; data_path = "{folder}/data"; log = {{ info = "{folder}/log" }}
interfaces = {{ "127.0.0.1" }}; c2s_ports = {{ {c2s} }}
http_ports = {{ {http} }}; http_interfaces = {{ "127.0.0.1" }}; https_ports = {{}}; s2s_ports = {{}}
c2s_require_encryption = false          -- this machine only
allow_unencrypted_plain_auth = false    -- SCRAM only
consider_bosh_secure = true
http_default_host = "visitors.test"
http_files_dir = "{folder}/pages"
modules_enabled = {{ "saslauth"; "roster"; "disco"; "presence"; "message"; "iq"; "blocklist";
                    "smacks"; "bosh"; "ping"; "http_files" }}
modules_disabled = {{ "s2s"; "offline" }}
limits = {{ c2s = {{ rate = "100kb/s"; burst = "2s" }} }}
VirtualHost "agents.test"
  authentication = "internal_hashed"
VirtualHost "visitors.test"
  authentication = "anonymous"
"""


class XmppParty:
    """Both processes, and what the agent heard; ``url`` is where visitors chat."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("prosody") is None:
            assert "CI" not in os.environ, "prosody is not installed"
            pytest.skip("Prosody is not installed")
        if "CI" not in os.environ:
            pytest.importorskip("slixmpp")
        self._folder = folder
        self._c2s, self._http = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._http}/files/index.html"
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()

    def __enter__(self) -> XmppParty:
        self._publish()
        file = self._folder / "prosody.cfg.lua"
        ports = {"c2s": self._c2s, "http": self._http}
        file.write_text(CONFIGURATION.format(folder=self._folder, **ports), "utf-8")
        (self._folder / "data").mkdir()
        register = ["register", AGENT, "agents.test", PASSWORD]
        command = ["prosodyctl", "--root", "--config", str(file), *register]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        self._server = subprocess.Popen(["prosody", "-F", "--config", str(file)])
        listening(self._c2s)
        listening(self._http)
        script = str(Path(__file__).with_name("xmpp_agent.py"))
        self._agent = subprocess.Popen(
            [sys.executable, script, f"{AGENT}@agents.test/desk", PASSWORD, str(self._c2s)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self.heard() == {"ready": True}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._agent, self._server):
            process.terminate()
            process.wait(20)
        self._reader.join(10)
        assert self._agent.stdout is not None
        self._agent.stdout.close()

    def heard(self) -> dict[str, Any]:
        """What the agent heard next."""
        return self._said.get(timeout=30)

    def is_quiet(self) -> bool:
        return self._said.empty()

    def _publish(self) -> None:
        pages = self._folder / "pages"
        shutil.copytree(ROOT / "widgets" / "media" / "converse", pages)
        converse = node_package("converse.js", "14.0.0") / "dist"
        shutil.copytree(converse, pages / "dist", ignore=shutil.ignore_patterns("*.map"))

    def _read(self) -> None:
        assert self._agent.stdout is not None
        for line in self._agent.stdout:
            self._said.put(json.loads(line))


def listening(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "it does not listen"
            time.sleep(0.05)
        else:
            return
