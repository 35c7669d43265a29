"""What the tests and the measurements need beside the library."""

from pathlib import Path

MINI_DATA = Path(__file__).parent.parent / "fashion-mnist-mini"
"""A small real subset of Fashion-MNIST, in the official format."""
