"""While much is made that stays: without the collector of cycles, which would walk over it in vain,
and with a word for who shares the machine."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Breathe = Callable[[], None]
"""Called again and again by what takes long, for who shares the machine with others."""


def onward() -> None:
    """Go on: nobody else wants the machine."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let nothing be looked through for cycles meanwhile; what is read holds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
