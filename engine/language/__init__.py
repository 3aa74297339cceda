"""TEXT -> BOOK: what an analyst wrote becomes a checked book, or diagnostics."""
