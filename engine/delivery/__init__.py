"""TO THE PAGE: events in over HTTP, notifications out over WebSocket and SSE."""
