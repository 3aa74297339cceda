"""A proxy that buffers, as its own process: streams open and nothing of them comes through.

``python buffering_proxy.py PORT REFUSED`` stands before ``127.0.0.1:PORT``, prints its own port,
and then a line for each ``stream`` that it keeps back and each ``socket`` that it refuses: the
first REFUSED of them. Everything else goes through.
"""

from __future__ import annotations

import asyncio
import re
import sys

_STREAM = re.compile(rb"GET \S*/push/sse\?")
_SOCKET = re.compile(rb"\r\nupgrade: *websocket\r\n", re.IGNORECASE)
_KEPT = re.compile(rb"\r\nconnection: [^\r]*", re.IGNORECASE)
_OPEN = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nAccess-Control-Allow-Origin: *\r\n\r\n"
)
_NO = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def passed(source: asyncio.StreamReader, target: asyncio.StreamWriter | None) -> None:
    """Hand on what comes, or keep it where there is no ``target``, until the source ends."""
    while part := await source.read(65_536):
        if target is not None:
            target.write(part)
            await target.drain()
    if target is not None:
        target.close()


class Proxy:
    """The way to one server."""

    def __init__(self, port: int, refused: int) -> None:
        self._port = port
        self._left = refused

    async def serve(self, browser: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection of a browser, which carries one request or one socket."""
        try:
            await self._carry(browser, answer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of the two has gone
        finally:
            answer.close()

    async def _carry(self, browser: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        head = await browser.readuntil(b"\r\n\r\n")
        if _SOCKET.search(head):
            if self._left > 0:
                self._left -= 1
                print("socket", flush=True)
                answer.write(_NO)
                return
        else:  # its next request shall come over another connection
            head = _KEPT.sub(b"", head).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        server, ask = await asyncio.open_connection("127.0.0.1", self._port)
        ask.write(head)
        stream = _STREAM.match(head) is not None
        if stream:
            print("stream", flush=True)
            answer.write(_OPEN)
        up = asyncio.create_task(passed(browser, ask))
        await passed(server, None if stream else answer)
        up.cancel()


async def main(port: int, refused: int) -> None:
    proxy = Proxy(port, refused)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
