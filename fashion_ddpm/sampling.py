"""Import path of version 0.1, kept for one release: import from fashion_ddpm instead."""

from fashion_ddpm.diffusion.sampling import SamplingSettings

__all__ = ["SamplingSettings"]
