"""Tests of the names that programs import, by the paths of today and of version 0.1."""

import importlib
import subprocess
import sys

import pytest

import fashion_ddpm
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings


def test_the_package_has_its_public_names() -> None:
    assert fashion_ddpm.FashionDDPMPipeline is FashionDDPMPipeline
    assert fashion_ddpm.load_pipeline is load_pipeline
    assert fashion_ddpm.SamplingSettings is SamplingSettings
    for name in fashion_ddpm.__all__:
        assert hasattr(fashion_ddpm, name)


def test_another_name_is_refused_as_python_does_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        fashion_ddpm.Pipelin  # noqa: B018


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fashion_ddpm.pipeline", "FashionDDPMPipeline"),
        ("fashion_ddpm.pipeline", "load_pipeline"),
        ("fashion_ddpm.sampling", "SamplingSettings"),
    ],
)
def test_a_path_of_before_still_works(path: str, name: str) -> None:
    assert getattr(importlib.import_module(path), name) is getattr(fashion_ddpm, name)


def test_the_package_alone_loads_no_torch() -> None:
    program = "import sys, fashion_ddpm; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
