"""Import path of version 0.1, kept for one release: import from fashion_ddpm instead."""

from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline

__all__ = ["FashionDDPMPipeline", "load_pipeline"]
