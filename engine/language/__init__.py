"""TEXT -> BOOK: what an analyst wrote becomes a checked book, or diagnostics."""

from engine.language.compiler import Compiled, compile_book

__all__ = ["Compiled", "compile_book"]
