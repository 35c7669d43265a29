"""What the tests and the measurements need beside the library."""

from pathlib import Path

TIMEOUT_S = 300.0
"""Seconds after which a test gives up waiting: whatever takes so long, on however busy a machine,
hangs. No result may depend on a shorter limit."""

MINI_DATA = Path(__file__).parent.parent / "fashion-mnist-mini"
"""A small real subset of Fashion-MNIST, in the official format."""
