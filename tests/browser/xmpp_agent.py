"""The third party's agent: tells on its output what it hears, and answers each message once."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import slixmpp

NAMESPACE = "{urn:overture:engagement:0}engagement"


class Agent(slixmpp.ClientXMPP):  # type: ignore[misc]
    def __init__(self, jid: str, password: str) -> None:
        super().__init__(jid, password)
        # On this machine alone, and without TLS: SCRAM does not send the password.
        self.enable_starttls = self.enable_direct_tls = False
        self.enable_plaintext = True
        self.plugin["feature_mechanisms"].unencrypted_scram = True
        self.add_event_handler("session_start", self._begin)
        self.add_event_handler("message", self._hear)

    async def _begin(self, _: Any) -> None:
        self.send_presence()
        print(json.dumps({"ready": True}), flush=True)

    def _hear(self, message: Any) -> None:
        if message["type"] not in ("chat", "normal") or not message["body"]:
            return
        said = message.xml.find(NAMESPACE)
        told = {
            "from": str(message["from"]),
            "body": message["body"],
            "token": None if said is None else said.get("token"),
        }
        print(json.dumps(told), flush=True)
        message.reply(f"Good day. You said: {message['body']}").send()


async def main(jid: str, password: str, port: str) -> None:
    agent = Agent(jid, password)
    agent.connect("127.0.0.1", int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
