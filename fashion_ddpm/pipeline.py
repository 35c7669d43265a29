"""Where the pipeline was before version 0.2; programs should import it from fashion_ddpm."""

from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline

__all__ = ["FashionDDPMPipeline", "load_pipeline"]
