"""Continue a trajectory from one of its steps, on another schedule and as each class."""

from dataclasses import dataclass, replace

import torch
from PIL import Image

from fashion_ddpm.core.images import enlarge, to_uint8
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.wording import format_number, whole_percent
from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.demo.results import IMAGE_SCALE, Result
from fashion_ddpm.demo.trajectory import SETTLED_SCORE
from fashion_ddpm.diffusion.sampling import DenoisingStep, PartialTrajectory, SamplingSettings
from fashion_ddpm.scoring.clip import select_scores

MAX_ENDINGS = 16
"""Maximum number of classes, the first ones: more would keep other visitors waiting."""


@dataclass(frozen=True)
class Ending:
    """The end of a trajectory that was continued as one class.

    Attributes:
        class_name: the class.
        picture: the image, enlarged.
        score: probability that the scorer gives to that class; None without a scorer.
    """

    class_name: str
    picture: Image.Image
    score: float | None

    @property
    def caption(self) -> str:
        """The class, and its score where there is one."""
        return (
            self.class_name
            if self.score is None
            else f"{self.class_name}: {whole_percent(self.score)}"
        )


@dataclass(frozen=True)
class Continuation:
    """All endings of a trajectory that was continued from one step.

    Attributes:
        image: class and seed of the image whose trajectory it was.
        step: the step, counted from 1.
        sigma: noise-to-signal ratio σ at that step.
        endings: one for each class.
        nouns: plural of what the classes are, such as "garments".
    """

    image: str
    step: int
    sigma: float
    endings: list[Ending]
    nouns: str

    def sentence(self) -> str:
        """Return whose endings they are and how many classes could still be reached."""
        sigma = format_number(self.sigma)
        start = f"Endings of {self.image}, branched at step {self.step} (σ = {sigma})"
        scores = [ending.score for ending in self.endings if ending.score is not None]
        if not scores:
            return f"{start}."
        reached = sum(score > SETTLED_SCORE for score in scores)
        return f"{start}: {reached} of {len(scores)} {self.nouns} still reachable."


def continue_trajectory(
    demo: Demo, result: Result, index: int, step: int, schedule: str, wrap_steps: StepWrapper = iter
) -> Continuation:
    """Continue one image's trajectory from a step, once as each class.

    Args:
        demo: the loaded model.
        result: the images that the visitor sees.
        index: index of the image.
        step: the step, counted from 0; clipped to the trajectory.
        schedule: schedule from there on.
        wrap_steps: raises when the request must end.

    Raises:
        RequestError: there is no such schedule.
    """
    request = result.request.select_image(index)
    settings = SamplingSettings.from_request(replace(request, schedule=schedule))
    state = _state_at(demo, request, step, wrap_steps)
    names = demo.kind.class_names[:MAX_ENDINGS]
    labels = list(range(len(names)))
    start = PartialTrajectory(state.noisy.expand(len(labels), -1, -1, -1), state.alpha_bar)
    seeds = [request.seed] * len(labels)
    *_, last = wrap_steps(demo.pipeline.stream(labels, seeds, settings, start))
    images = to_uint8(last.clean).cpu()
    label_scores = demo.scorer(result.scorer)[0].label_scores(images)
    class_scores = select_scores(label_scores, torch.tensor(labels))
    scores = [None] * len(labels) if class_scores is None else class_scores.tolist()
    endings = [
        Ending(name, enlarge(image, IMAGE_SCALE), score)
        for name, image, score in zip(names, images, scores, strict=True)
    ]
    sigma = (1 / state.alpha_bar - 1) ** 0.5
    return Continuation(
        result.caption(index), state.index + 1, sigma, endings, demo.kind.class_nouns
    )


def _state_at(
    demo: Demo, request: GenerateRequest, step: int, wrap_steps: StepWrapper
) -> DenoisingStep:
    """Return one image's state at a step, drawn again because a result is rounded to uint8."""
    last = request.num_inference_steps - 1
    steps = wrap_steps(demo.pipeline.stream_request(request))
    return next(state for state in steps if state.index >= min(step, last))
