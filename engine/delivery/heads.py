"""The head of a request: bounded in size and time before anything else looks at it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD: Final = 64 * 1024
"""Bytes of the request line and all headers; the other parser of uvicorn has this limit too."""
PATIENCE: Final = 20.0
"""Seconds in which a head must arrive."""


class BoundedHeads(HttpToolsProtocol):
    """One connection whose peer can neither fill memory nor hold it open with half a head."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._size = 0
        self._waiting = True
        self._alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse a head that is too large though it is not complete."""
        super().data_received(data)
        if not self._waiting or self.transport.is_closing():
            return
        self._size += len(data)
        if self._size > HEAD:
            self.send_400_response("The headers are larger than 64 kB.")
        elif self._alarm is None:
            self._arm()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._size, self._waiting = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete; what follows is bounded by its reader."""
        self._waiting = False
        self._disarm()
        super().on_headers_complete()

    def _arm(self) -> None:
        self._alarm = asyncio.get_running_loop().call_later(PATIENCE, self._late)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _late(self) -> None:
        self._alarm = None
        if self._waiting and not self.transport.is_closing():
            self.send_400_response("The headers did not arrive in time.")
