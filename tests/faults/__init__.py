"""Random faults against the real server, and what must hold after each of them."""
