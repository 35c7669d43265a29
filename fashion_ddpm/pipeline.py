"""Deprecated path of published model cards: import from fashion_ddpm."""

from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline

__all__ = ["FashionDDPMPipeline", "load_pipeline"]
