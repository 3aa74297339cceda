"""Measured figures beside their claims: ``python -m tests.benchmarks``."""
