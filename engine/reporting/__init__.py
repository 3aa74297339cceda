"""What came of the strategies, in figures: from qualified to answered."""
