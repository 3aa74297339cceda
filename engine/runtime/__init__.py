"""DECIDING: a pure step from memory and an event to memory, sends and reasons."""
