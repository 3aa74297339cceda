"""The native module for marks and rows; ``native/README.md`` says what it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.hosts.contract import Input

def run_of(inputs: list[Input], start: int, seen: str, /) -> tuple[list[Mapping[str, Any]], str]:
    """``marks.run_in``."""

def rows_of(
    offset: int,
    before: int,
    visitor: str,
    inputs: list[Input],
    texts: list[str],
    decisions: tuple[Sequence[Mapping[str, Any]] | None, ...],
    /,
) -> list[Any]:
    """``rows.rows_in``, raising what that raises."""
