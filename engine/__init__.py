"""Overture: the open engine for proactive web engagement."""

__version__ = "0.1.0"
