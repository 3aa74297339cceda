"""The native part of this room, where it was built; where not, all is done in Python alike."""

from __future__ import annotations

try:
    from engine.hosts import _rows as native
except ImportError:
    IS_NATIVE = False
else:
    IS_NATIVE = True
"""Was it built? What is stored is the same without it."""

__all__ = ["IS_NATIVE", "native"]
