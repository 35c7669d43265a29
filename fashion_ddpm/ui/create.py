"""The first tab: choose, watch, see the scores, and follow an image back to its noise."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.clip_scores import EMBEDDED, SCORERS, load_real_sample
from fashion_ddpm.config import SAMPLERS, SCHEDULES
from fashion_ddpm.demo import (
    MAX_IMAGES,
    MAX_STEPS,
    PRESETS,
    Demo,
    Preview,
    Result,
    Scores,
    schedule_note,
)
from fashion_ddpm.errors import UserError
from fashion_ddpm.gallery import load_gallery
from fashion_ddpm.images import enlarge
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.request import ALL_CLASSES, MAX_GUIDANCE, MAX_SEED, GenerateRequest
from fashion_ddpm.trajectory import Trajectory, decision, filmstrip, frame
from fashion_ddpm.ui.parts import (
    MODEL,
    NOW,
    picture,
    score_plot,
    score_table,
    told,
    whole,
)

DEFAULT = GenerateRequest(class_name=CLASS_NAMES[-1], num_inference_steps=PRESETS["Balanced"])
SCORE_TITLES = ("Selected image", "Mean of all", "Real images")
WAIT = "Press Generate."


@dataclass(frozen=True)
class Controls:
    """What a visitor chooses."""

    class_name: gr.Radio
    schedule: gr.Radio
    steps: gr.Slider
    sampler: gr.Dropdown
    guidance: gr.Slider
    num_images: gr.Slider
    seed: gr.Number
    random_seed: gr.Checkbox
    scorer: gr.Dropdown
    generate: gr.Button
    stop: gr.Button
    note: gr.Markdown

    def inputs(self) -> list[Any]:
        """Returns the components in the order of Handlers.generate."""
        settings = [self.class_name, self.schedule, self.steps, self.sampler, self.guidance]
        return [*settings, self.num_images, self.seed, self.random_seed, self.scorer]

    def settings(self) -> list[Any]:
        """Returns the components in the order of shown_settings."""
        return self.inputs()[:-1]

    def costly(self) -> list[Any]:
        """Returns the components in the order of Handlers.note."""
        return [self.schedule, self.steps, self.sampler, self.guidance, self.num_images]


@dataclass(frozen=True)
class Way:
    """Where an image's way from noise is shown."""

    film: gr.Image
    decision: gr.Markdown
    plot: gr.LinePlot
    scrub: gr.Slider
    frame: gr.Image

    def outputs(self) -> list[Any]:
        """Returns the components in the order of shown_way."""
        return [self.film, self.decision, self.plot, self.scrub, self.frame]


def shown_settings(request: GenerateRequest) -> tuple[Any, ...]:
    """Returns a request as the values of Controls.settings."""
    return (
        request.class_name,
        request.schedule,
        request.num_inference_steps,
        request.sampler,
        request.guidance_scale,
        request.num_images,
        request.seed,
        False,
    )


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def generate(
        self,
        class_name: str,
        schedule: str,
        steps: float,
        sampler: str,
        guidance_scale: float,
        num_images: float,
        seed: float,
        random_seed: bool,
        scorer: str,
    ) -> Iterator[tuple[Any, ...]]:
        """Draws images of a class and scores them; image i has seed + i.

        Yields the preview, the gallery, a line on progress, the label scores (first image, mean,
        real test images), the quality scores (the same three), the seed, the first image's way
        from noise (filmstrip, sentence, scores, step, frame) and the result.
        """
        if random_seed is True:
            seed = random.randint(0, MAX_SEED - MAX_IMAGES)
        with told():
            request = GenerateRequest(
                class_name=class_name,
                num_images=whole(num_images),
                schedule=schedule,
                sampler=sampler,
                num_inference_steps=whole(steps),
                guidance_scale=guidance_scale,
                seed=whole(seed),
            )
            for event in self.demo.run(request, scorer):
                yield self._shown(event, request)

    def _shown(self, event: Preview | Result, request: GenerateRequest) -> tuple[Any, ...]:
        """Returns the outputs of generate for a preview or a result."""
        if isinstance(event, Preview):
            status = f"Step {event.steps_done} of {request.num_inference_steps}, "
            status += f"{event.seconds:.1f} s"
            return (event.picture, gr.skip(), status, *[gr.skip()] * 6, request.seed, *_NO_WAY)
        way = shown_way(self.demo.way(event, 0))
        columns = score_columns(event, 0)
        picture = event.last_preview().picture
        return (picture, event.pictures(), summary(event), *columns, request.seed, *way, event, 0)

    def select(self, result: Result | None, event: gr.SelectData) -> tuple[Any, ...]:
        """Shows the scores and the way of the image that was clicked."""
        if result is None:
            return (*[gr.skip()] * 2, *_NO_WAY[:-2], 0)
        labels, quality = result.scores_of(event.index)
        return (labels, quality, *shown_way(self.demo.way(result, event.index)), event.index)

    def scrub(self, result: Result | None, index: int, step: float) -> Any:
        """Shows one step of the selected image's way."""
        if result is None:
            return gr.skip()
        last = len(result.noisy) - 1
        place = min(max(int(step) - 1, 0), last)
        return frame(self.demo.way(result, index), place)

    def note(
        self, schedule: str, steps: float, sampler: str, guidance: float, num_images: float
    ) -> str:
        """Says what the schedule does and what the request will cost."""
        try:
            request = GenerateRequest(
                DEFAULT.class_name,
                whole(num_images),
                schedule,
                sampler,
                whole(steps),
                guidance,
            )
        except UserError as error:
            return str(error)
        note = schedule_note(schedule, request.num_inference_steps)
        return f"{self.demo.cost.sentence(request)}\n\n{note}"


_NO_WAY = [gr.skip()] * 7
"""Leaves the way, the result and the index as they are."""


def shown_way(trajectory: Trajectory) -> tuple[Any, ...]:
    """Returns the filmstrip, the decision, the scores, the slider and the last frame."""
    last = len(trajectory.noisy)
    slider = gr.update(maximum=last, value=last)
    film, plot = filmstrip(trajectory), score_table(trajectory)
    return film, decision(trajectory), plot, slider, frame(trajectory, last - 1)


def score_columns(result: Result, index: int) -> tuple[Scores, ...]:
    """Returns label scores, then quality scores, each of: one image, the mean, real images."""
    columns = (result.scores_of(index), result.mean_scores(), result.real_scores())
    return (*(labels for labels, _ in columns), *(quality for _, quality in columns))


def summary(result: Result) -> str:
    """Returns what was made and what it took, in a line."""
    request = result.request
    return (
        f"{request.num_images} images in {result.seconds:.1f} s: "
        f"{request.num_inference_steps} steps, {result.evaluations} UNet evaluations, "
        f"seeds from {request.seed}"
    )


def build(demo: Demo) -> tuple[Controls, gr.State]:
    """Lays the tab out: controls on the left, pictures and scores on the right.

    Returns:
        The controls, and the state that holds the newest result.
    """
    handlers, first = Handlers(demo), load_gallery(demo)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            controls = _controls(handlers)
        with gr.Column(scale=3, min_width=300):
            preview, gallery, status, labels, quality = _results(first)
    way = _way(demo.way(first, 0) if first else None)
    result, index = gr.State(first), gr.State(0)
    running = controls.generate.click(
        handlers.generate,
        controls.inputs(),
        [
            *(preview, gallery, status, *labels, *quality),
            *(controls.seed, *way.outputs(), result, index),
        ],
        api_name="generate",
        show_progress="minimal",
        show_progress_on=[status],
        **MODEL,
    )
    controls.stop.click(lambda: "Stopped.", None, status, cancels=[running], **NOW)
    selected = [labels[0], quality[0], *way.outputs(), index]
    gallery.select(handlers.select, result, selected, **NOW)
    way.scrub.input(handlers.scrub, [result, index, way.scrub], way.frame, **NOW)
    return controls, result


def _controls(handlers: Handlers) -> Controls:
    """Lays out what a visitor chooses."""
    gr.Markdown("Real ones: click one to choose its class")
    examples = gr.Gallery(
        _real_examples(),
        show_label=False,
        columns=5,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="examples",
        elem_classes="pixels",
    )
    names = [*CLASS_NAMES, ALL_CLASSES]
    class_name = gr.Radio(names, value=DEFAULT.class_name, label="Class")
    schedule = gr.Radio(
        SCHEDULES,
        value=DEFAULT.schedule,
        label="Schedule",
        info="which noise levels an image visits",
    )
    steps = gr.Slider(1, MAX_STEPS, DEFAULT.num_inference_steps, step=1, label="Steps")
    with gr.Row():
        presets = [
            gr.Button(f"{name} · {count}", size="sm", min_width=80)
            for name, count in PRESETS.items()
        ]
    with gr.Row():
        generate = gr.Button("Generate", variant="primary", elem_id="generate")
        stop = gr.Button("Stop")
    note = gr.Markdown()
    with gr.Accordion("Advanced", open=False):
        sampler = gr.Dropdown(SAMPLERS, value=DEFAULT.sampler, label="Sampler")
        guidance = gr.Slider(
            1, MAX_GUIDANCE, 1, step=0.1, label="Guidance", info="1 is off; more costs twice"
        )
        num_images = gr.Slider(1, MAX_IMAGES, DEFAULT.num_images, step=1, label="Images")
        seed = gr.Number(DEFAULT.seed, label="Seed", minimum=0, maximum=MAX_SEED)
        random_seed = gr.Checkbox(value=False, label="A new seed each time")
        scorer = gr.Dropdown(
            SCORERS, value=EMBEDDED, label="Scorer", info="all but embedded need the network once"
        )
    controls = Controls(
        *(class_name, schedule, steps, sampler, guidance, num_images, seed, random_seed, scorer),
        *(generate, stop, note),
    )
    _explain(controls, handlers, presets)
    examples.select(_class_of, None, class_name, **NOW)
    return controls


def _explain(controls: Controls, handlers: Handlers, presets: list[gr.Button]) -> None:
    """Keeps the note true while the visitor chooses, and makes the presets set the steps."""
    request = DEFAULT
    controls.note.value = handlers.note(
        request.schedule,
        request.num_inference_steps,
        request.sampler,
        request.guidance_scale,
        request.num_images,
    )
    changes = [component.change for component in controls.costly()]
    gr.on(changes, handlers.note, controls.costly(), controls.note, **NOW)
    for button, count in zip(presets, PRESETS.values(), strict=True):
        preset: Any = (count, DEFAULT.schedule, DEFAULT.sampler)
        targets = [controls.steps, controls.schedule, controls.sampler]
        button.click(lambda preset=preset: preset, None, targets, **NOW)


def _class_of(event: gr.SelectData) -> str:
    """Returns the class of the real example that was clicked."""
    return CLASS_NAMES[event.index]


def _real_examples() -> list[tuple[Any, str]]:
    """Returns a real image of each class, enlarged, with its name."""
    real = load_real_sample()
    return [(enlarge(real.of_class(label)[0], 4), name) for label, name in enumerate(CLASS_NAMES)]


def _results(
    first: Result | None,
) -> tuple[gr.Image, gr.Gallery, gr.Markdown, list[gr.Label], list[gr.Label]]:
    """Lays out what a visitor sees, filled with the bundled gallery where there is one."""
    title = "One of each class, seeds 0 to 9, drawn before you came. " + WAIT if first else WAIT
    status = gr.Markdown(title)
    preview = picture(
        "noisy images above, predicted clean images below",
        first.last_preview().picture if first else None,
    )
    gr.Markdown("Click an image for its scores and its way from noise")
    gallery = gr.Gallery(
        first.pictures() if first else None,
        show_label=False,
        format="png",
        columns=5,
        height="auto",
        object_fit="contain",
        interactive=False,
        allow_preview=False,
        buttons=["download_all"],
        elem_id="gallery",
        elem_classes="pixels",
    )
    values = score_columns(first, 0) if first else (None,) * 6
    gr.Markdown("### Which garment is it? CLIP's label scores")
    with gr.Row():
        labels = [_label(*pair) for pair in zip(SCORE_TITLES, values[:3], strict=True)]
    gr.Markdown("### Is it clear? The report's three prompts")
    with gr.Row():
        quality = [_label(*pair) for pair in zip(SCORE_TITLES, values[3:], strict=True)]
    return preview, gallery, status, labels, quality


def _label(title: str, value: Scores | None) -> gr.Label:
    return gr.Label(value, label=title, num_top_classes=3, min_width=150, elem_classes="scores")


def _way(trajectory: Trajectory | None) -> Way:
    """Lays out an image's way from noise."""
    gr.Markdown("### Its way: the noisy image above, the clean one that the network predicts below")
    shown = shown_way(trajectory) if trajectory else (None, "", None, None, None)
    film = picture("from pure noise on the left to the image on the right", shown[0])
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            sentence = gr.Markdown(shown[1])
            plot = score_plot(shown[2])
        with gr.Column(scale=2, min_width=300):
            last = len(trajectory.noisy) if trajectory else DEFAULT.num_inference_steps
            scrub = gr.Slider(1, last, last, step=1, label="Step")
            one = picture("one step: noisy on the left, predicted on the right", shown[4])
    return Way(film, sentence, plot, scrub, one)
