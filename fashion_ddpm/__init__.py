"""Class-conditional diffusion on Fashion-MNIST: train it, sample it, judge it."""

__version__ = "0.1.0"
