"""What the site knows beside its networks: site.json and gallery.json."""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from diffusers import DDPMScheduler
from PIL import Image
from torch import Tensor

from fashion_ddpm.checkpoints.locate import read_run, total_images_seen
from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind, label_prompts, quality_prompts
from fashion_ddpm.core.images import png_url
from fashion_ddpm.core.requests import (
    MAX_GUIDANCE,
    MAX_SEED,
    PAGE_LABELS,
    SETTING_NAMES,
)
from fashion_ddpm.demo.engine import Demo, default_request, offered_schedules, presets
from fashion_ddpm.demo.gallery import (
    BROKEN,
    REPAIRED,
    ROW_SETTINGS,
    STORY_CLASS,
    STORY_SEEDS,
    first_images,
    load_story,
)
from fashion_ddpm.demo.quality import (
    MEASURED_SCHEDULE,
    Measurements,
    enough_steps,
    measurements_of,
)
from fashion_ddpm.demo.share import LINK_DEFAULTS, OLD_WORDS
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, weights_hash
from fashion_ddpm.diffusion.schedule_check import MAX_TERMINAL_ALPHA_BAR
from fashion_ddpm.diffusion.schedules import (
    KARRAS_RHO,
    MAX_SIGMA,
    MIN_ALPHA_BAR,
    SIGMA_SPACED,
    alpha_bars,
    schedule_alpha_bars,
)
from fashion_ddpm.scoring.clip import ClipScorer
from fashion_ddpm.scoring.clip_baseline import Baseline, load_real_sample
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES, PAGE_MAX_STEPS

NUM_MISTAKES = 4
"""Images with the student's schedule, and as many with cosine."""

SITE_FILE = "data/site.json.gz"
GALLERY_FILE = "data/gallery.json.gz"
UNET_FILE = "models/unet.onnx.gz"
TURBO_FILE = "models/turbo.onnx.gz"
CLIP_FILE = "models/clip.onnx.gz"


def describe_site(demo: Demo, demo_url: str = "") -> dict[str, Any]:
    """Return the content of site.json.

    Args:
        demo: the checkpoint, its distilled network and its scorer.
        demo_url: address of the page with a server; "" if there is none.
    """
    kind, scheduler = demo.kind, demo.pipeline.scheduler
    scorer, baseline = demo.scorer(demo.scorers[0])
    run = read_run(demo.pipeline.name_or_path)
    return {
        "checkpoint": {
            "name": Path(demo.pipeline.name_or_path.partition("@")[0]).name,
            "images_seen": total_images_seen(run) or None,
        },
        "kind": _describe_kind(kind),
        "networks": _describe_networks(demo),
        "alpha_bars": alpha_bars(scheduler).tolist(),
        "schedules": {name: _schedule(name, scheduler) for name in SCHEDULES},
        "offered_schedules": offered_schedules(demo),
        "constants": {
            "min_alpha_bar": MIN_ALPHA_BAR,
            "max_sigma": MAX_SIGMA,
            "karras_rho": KARRAS_RHO,
            "max_terminal_alpha_bar": MAX_TERMINAL_ALPHA_BAR,
        },
        "samplers": [*SAMPLERS, *[TURBO] * demo.has_turbo],
        "limits": {
            "max_images": PAGE_MAX_IMAGES,
            "max_steps": PAGE_MAX_STEPS,
            "max_guidance": MAX_GUIDANCE,
            "max_seed": MAX_SEED,
        },
        "setting_names": SETTING_NAMES,
        "old_words": OLD_WORDS,
        "labels": PAGE_LABELS,
        "page_defaults": default_request(demo).as_settings(),
        "link_defaults": LINK_DEFAULTS,
        "presets": _describe_presets(demo),
        "quality": describe_quality(measurements_of(demo.model)),
        "scorer": describe_scorer(scorer, kind) if isinstance(scorer, ClipScorer) else None,
        "baseline": _describe_baseline(baseline) if baseline else None,
        "class_pictures": _class_pictures() if kind == FASHION_MNIST else None,
        "mistake": describe_mistake(demo),
        "links": {"demo": demo_url},
    }


def describe_gallery(demo: Demo) -> dict[str, Any] | None:
    """Return the content of gallery.json: the images that the page opens with, or None."""
    result = first_images(demo)
    if result is None:
        return None
    return {
        "request": result.request.as_settings(),
        "model": result.model,
        "alpha_bar": result.alpha_bar.tolist(),
        "noisy": base64.b64encode(result.noisy.numpy().tobytes()).decode(),
        "clean": base64.b64encode(result.clean.numpy().tobytes()).decode(),
        "label_scores": [_numbers(_label_scores(demo, clean)) for clean in result.clean],
        "quality_scores": _numbers(result.quality_scores),
    }


def _label_scores(demo: Demo, images: Tensor) -> Tensor:
    scorer, _ = demo.scorer(demo.scorers[0])
    return scorer.label_scores(images)


def network_files(demo: Demo) -> dict[str, FashionDDPMPipeline]:
    """Return the site's file of each network; a distilled network alone is both of them."""
    pipelines = [pipeline for pipeline, _ in demo.networks]
    return dict(zip((UNET_FILE, TURBO_FILE), pipelines, strict=False))


def _describe_networks(demo: Demo) -> dict[str, Any]:
    described = [
        {
            "file": file,
            "model": demo.short_weights_hash(pipeline),
            "prediction_type": pipeline.scheduler.config["prediction_type"],
        }
        for file, pipeline in network_files(demo).items()
    ]
    return {"base": described[0]} | ({TURBO: described[-1]} if demo.has_turbo else {})


def _describe_kind(kind: ImageKind) -> dict[str, Any]:
    names = (
        *("class_names", "image_size", "channels", "null_label", "class_noun", "class_nouns"),
        *("image_nouns", "is_fashion_mnist"),
    )
    return {name: getattr(kind, name) for name in names}


def _schedule(name: str, scheduler: DDPMScheduler) -> list[float] | None:
    """Return the levels of a noise schedule; None for one that is spaced by sigma."""
    if name in SIGMA_SPACED:
        return None
    levels: list[float] = schedule_alpha_bars(name, scheduler).tolist()
    return levels


def _describe_presets(demo: Demo) -> list[dict[str, Any]]:
    names = ("schedule", "sampler", "num_inference_steps")
    return [
        {"name": name, **{field: getattr(settings, field) for field in names}}
        for name, settings in presets(demo).items()
    ]


def describe_quality(measurements: Measurements | None) -> dict[str, Any] | None:
    """Return how many steps are enough for each measured sampler; None of other networks."""
    if measurements is None:
        return None
    enough = {name: enough_steps(measurements, name) for name in measurements.samplers}
    return {
        "schedule": MEASURED_SCHEDULE,
        "most_steps": measurements.steps[-1],
        "enough_steps": enough,
    }


def describe_scorer(scorer: ClipScorer, kind: ImageKind) -> dict[str, Any]:
    """Return the entry of a scorer: how images are prepared for it, and its prompts as vectors."""
    processor = scorer.processor.image_processor
    labels = label_prompts(kind.class_names)
    quality = [quality_prompts(name, kind) for name in kind.class_names]
    return {
        "name": scorer.name,
        "file": CLIP_FILE,
        "image_size": scorer.model.config.vision_config.image_size,
        "mean": list(processor.image_mean),
        "std": list(processor.image_std),
        "scale": scorer.model.logit_scale.exp().item(),
        "label_prompts": labels,
        "label_features": _numbers(scorer.text_features(labels)),
        "quality_prompts": quality,
        "quality_features": [_numbers(scorer.text_features(prompts)) for prompts in quality],
    }


def _describe_baseline(baseline: Baseline) -> dict[str, Any]:
    return {
        "labels": _numbers(baseline.labels),
        "quality": _numbers(baseline.quality),
    }


def describe_mistake(demo: Demo) -> dict[str, Any] | None:
    """Return ready-made images with the student's schedule and with cosine; None of other networks.

    They differ in the schedule alone; the key is its name.
    """
    story = load_story() if demo.kind == FASHION_MNIST else None
    if story is None or story.about["weights"] != weights_hash(demo.pipeline):
        return None
    settings, images = ROW_SETTINGS[REPAIRED], {}
    for row in (BROKEN, REPAIRED):
        pixels = story.rows[row][:NUM_MISTAKES].tobytes()
        images[ROW_SETTINGS[row].schedule] = base64.b64encode(pixels).decode()
    return {
        "class_name": STORY_CLASS,
        "num_images": NUM_MISTAKES,
        "sampler": settings.sampler,
        "num_inference_steps": settings.num_inference_steps,
        "seed": STORY_SEEDS[0],
        "images": images,
    }


def _class_pictures() -> list[str]:
    """Return a real image of each class of Fashion-MNIST as a URL that holds it."""
    real = load_real_sample()
    images = [real.select_class(label)[0].numpy() for label in range(FASHION_MNIST.null_label)]
    return [png_url(Image.fromarray(image)) for image in images]


def _numbers(values: Tensor) -> list[Any]:
    """Return float32 numbers as nested lists, each with the nine digits that identify it."""

    def shorten(value: Any) -> Any:
        return [*map(shorten, value)] if isinstance(value, Iterable) else float(f"{value:.9g}")

    return list(map(shorten, values.tolist()))
