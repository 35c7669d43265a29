"""Deprecated path: import from fashion_ddpm."""

from fashion_ddpm.diffusion.sampling import SamplingSettings

__all__ = ["SamplingSettings"]
