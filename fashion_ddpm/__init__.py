"""Class-conditional diffusion on Fashion-MNIST: train it, sample it, measure it.

What programs need lies here by name; torch is loaded when a name is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
    from fashion_ddpm.diffusion.sampling import SamplingSettings

__version__ = "0.2.0.dev0"
__all__ = ["FashionDDPMPipeline", "SamplingSettings", "__version__", "load_pipeline"]

_MODULES = {
    "FashionDDPMPipeline": "fashion_ddpm.diffusion.pipeline",
    "load_pipeline": "fashion_ddpm.diffusion.pipeline",
    "SamplingSettings": "fashion_ddpm.diffusion.sampling",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
