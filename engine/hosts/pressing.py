"""Documents in few bytes, for visitors who have left or are silent.

Documents are alike: the same names in the same order, with other numbers. Compressed alone they
are half as large, beside a text that has the names already a third, and that in half the time. The
texts are numbered by the first byte of what was pressed. They never change: another one would get
another number, and this one stay for what is stored.
"""

from __future__ import annotations

import zlib
from typing import Final

_NUMBER: Final = b"\x01"
_KNOWN: Final = (
    rb'"},"reason":"","group":"","every_page":true,"epoch":1,"connected":{"":{"":""}},"outbox":{"":['
    rb'{"offset":1,"page":"","ids":["/1"],"payload":"[{\"page\": \"\", \"channel\": \"gpe.'
    rb'appendContent\", \"data\": {\"url\": \"/.html\"}}]","expires":17,"strategy":true,"left":'
    rb'false,"taken":false,"waits_for":[]}]},"sends":[{"id":"/1","time":17,"order":1,"visit":"",'
    rb'"page":"","strategy":"","group":null,"message":"","waiting":false,"shown":true,"counts":'
    rb'true,"attach":{},"valid_for":30000,"every_page":false,"agents":{"chat":1},"pacing":{},"draw"'
    rb':null}],"sum max min average count times latest  of ":[[17,{"value":"pages":[["":{"name":'
    rb'"PageEntered","name":"AddToCart","time":17,"visit":"","page":"","id":null,"url":"https://",'
    rb'"title":"","language":"en","category":null,"data":{"price":},"agents":{"chat":1},"pacing":{}'
    rb',"draw":null},null],null]},"sent":{}},"sends":[],"memory":{"times ":[17,17]},"timers":[]}}'
    rb'{"format":2,"now":17,"seen":"","offset":1,"visitor":{"id":"","now":17,"events":1,'
    rb'"version":"","facts":{},"visits":{"":{"started":17,"last":17,"opened":1,"state":'
    rb'"anonymous","entered":1,"facts":{},"pages":[],"memory":{},"sent":{}}},"sends":[],"memory":{},"timers":'
    rb"[]}}"
)
_BITS: Final = -12
"""A window of 4 kB, without head and checksum: the usual document is in it as a whole."""
_LEVEL: Final = 3
_MEMORY: Final = 5
_PRESS: Final = zlib.compressobj(_LEVEL, zlib.DEFLATED, _BITS, _MEMORY, 0, _KNOWN)
_ZLIB: Final = b"\x78"
"""How compressed bytes began before; plain ones begin with a brace."""


def pressed(raw: bytes) -> bytes:
    """The bytes of a document as few bytes."""
    press = _PRESS.copy()  # it has read the known text, which is most of the work
    return b"".join((_NUMBER, press.compress(raw), press.flush()))


def unpressed(raw: bytes) -> bytes:
    """The bytes of a document however they were stored. Raises zlib.error."""
    if raw.startswith(_NUMBER):
        press = zlib.decompressobj(_BITS, _KNOWN)
        plain = press.decompress(raw[1:])
        if not press.eof or press.unused_data:
            raise zlib.error("the bytes are cut short, or too many")
        return plain
    return zlib.decompress(raw) if raw.startswith(_ZLIB) else raw
