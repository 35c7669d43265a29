"""Where the settings were before version 0.2; programs should import them from fashion_ddpm."""

from fashion_ddpm.diffusion.sampling import SamplingSettings

__all__ = ["SamplingSettings"]
