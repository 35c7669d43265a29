"""A trajectory that is left at one step: where would it end on another schedule, as what?"""

from dataclasses import dataclass, replace

import torch
from PIL import Image

from fashion_ddpm.core.images import enlarge, to_uint8
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.wording import format_number
from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.demo.results import IMAGE_SCALE, Result
from fashion_ddpm.diffusion.sampling import DenoisingStep, PartialTrajectory, SamplingSettings
from fashion_ddpm.scoring.clip import select_scores

MAX_ENDINGS = 16
"""Classes that a trajectory goes on as, the first ones: more would keep other visitors waiting."""


@dataclass(frozen=True)
class Ending:
    """Where the trajectory ends when it goes on as one class.

    Attributes:
        class_name: what it was asked to become.
        picture: what it became, enlarged.
        score: probability that the scorer gives to that class; None without one.
    """

    class_name: str
    picture: Image.Image
    score: float | None

    @property
    def caption(self) -> str:
        """The class, and its score where there is one."""
        return self.class_name if self.score is None else f"{self.class_name}: {self.score:.0%}"


@dataclass(frozen=True)
class Continuation:
    """All endings of a trajectory that is left at one step.

    Attributes:
        step: the last step that was taken as it was, 1 up.
        sigma: noise over signal where the trajectory is left.
        endings: one for each class.
        nouns: what the classes are called.
    """

    step: int
    sigma: float
    endings: list[Ending]
    nouns: str

    def sentence(self) -> str:
        """Say how much was still open."""
        start = f"Left at step {self.step}, where noise over signal is {format_number(self.sigma)}"
        scores = [ending.score for ending in self.endings if ending.score is not None]
        if not scores:
            return f"{start}."
        open_to = sum(score > 0.5 for score in scores)
        return f"{start}: {open_to} of {len(scores)} {self.nouns} can still be made of it."


def continue_trajectory(
    demo: Demo, result: Result, index: int, step: int, schedule: str, wrap_steps: StepWrapper = iter
) -> Continuation:
    """Go on from a step of one image's trajectory, once as each class.

    Args:
        demo: the loaded model.
        result: what the visitor sees.
        index: which of its images.
        step: where the trajectory is left, counted from 0; beyond the ends means the ends.
        schedule: which noise levels are visited from there on.
        wrap_steps: ends the request when it must not go on.

    Raises:
        RequestError: there is no such schedule.
    """
    request = result.request.select_image(index)
    new = replace(request, schedule=schedule)
    left = _state_at(demo, request, step, wrap_steps)
    names = demo.kind.class_names[:MAX_ENDINGS]
    labels = list(range(len(names)))
    start = PartialTrajectory(left.noisy.expand(len(labels), -1, -1, -1), left.alpha_bar)
    seeds = [request.seed] * len(labels)
    *_, last = wrap_steps(demo.pipeline.stream(labels, seeds, SamplingSettings.of(new), start))
    images = to_uint8(last.clean).cpu()
    asked = torch.tensor(labels)
    scores = select_scores(demo.scorer(result.scorer)[0].label_scores(images), asked)
    shown = [None] * len(labels) if scores is None else scores.tolist()
    endings = [
        Ending(name, enlarge(image, IMAGE_SCALE), score)
        for name, image, score in zip(names, images, shown, strict=True)
    ]
    return Continuation(
        left.index + 1, (1 / left.alpha_bar - 1) ** 0.5, endings, demo.kind.class_nouns
    )


def _state_at(
    demo: Demo, request: GenerateRequest, step: int, wrap_steps: StepWrapper
) -> DenoisingStep:
    """Return one image's state at a step, drawn again: what a result keeps is rounded."""
    wanted = min(step, request.num_inference_steps - 1)
    steps = wrap_steps(demo.pipeline.stream_request(request))
    return next(state for state in steps if state.index >= wanted)
