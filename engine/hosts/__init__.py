"""WHO CALLS IT: order, timers, durability and outbox, behind one contract."""
