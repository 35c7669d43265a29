"""Tools shared by tests and benchmarks."""

from pathlib import Path

TIMEOUT_S = 300.0
"""Seconds after which a test assumes a hang, even on a busy machine; no test may use less."""

MINI_DATA = Path(__file__).parent.parent / "fashion-mnist-mini"
"""A small real subset of Fashion-MNIST, in the official format."""
