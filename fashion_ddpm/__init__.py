"""Class-conditional diffusion on Fashion-MNIST: train it, sample it, judge it."""
