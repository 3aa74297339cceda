"""BEFORE IT IS LIVE: scenarios and replays over the same step that decides live."""
