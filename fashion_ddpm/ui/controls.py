"""What a visitor chooses in the first tab, with its cost and its schedule's verdict beside."""

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.clip_scores import EMBEDDED, SCORERS, load_real_sample
from fashion_ddpm.config import SAMPLERS, SCHEDULES
from fashion_ddpm.demo import PRESETS, Demo, schedule_note
from fashion_ddpm.errors import UserError
from fashion_ddpm.images import enlarge
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.limits import MAX_IMAGES, MAX_STEPS
from fashion_ddpm.request import (
    ALL_CLASSES,
    MAX_GUIDANCE,
    MAX_SEED,
    GenerateRequest,
    check_whole,
)
from fashion_ddpm.ui.parts import NOW, PLAIN, picture_gallery, told, whole

DEFAULT = GenerateRequest(class_name=CLASS_NAMES[-1], num_inference_steps=PRESETS["Balanced"])


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
        """Returns the components in the order of Handlers.draw."""
        settings = [self.class_name, self.schedule, self.steps, self.sampler, self.guidance]
        return [*settings, self.num_images, self.seed, self.random_seed, self.scorer]

    def request(self) -> list[Any]:
        """Returns the components in the order of the endpoint's arguments."""
        return [each for each in self.inputs() if each is not self.random_seed]

    def settings(self) -> list[Any]:
        """Returns the components in the order of shown_settings."""
        return self.inputs()[:-1]

    def costly(self) -> list[Any]:
        """Returns the components in the order of Handlers.note."""
        return [self.schedule, self.steps, self.sampler, self.guidance, self.num_images]


def request_of(
    class_name: str,
    schedule: str,
    steps: float,
    sampler: str,
    guidance_scale: float,
    num_images: float,
    seed: float,
) -> GenerateRequest:
    """Returns the request that a visitor's settings make.

    Raises:
        RequestError: a setting cannot be used.
    """
    check_whole("num_images", whole(num_images), 1, MAX_IMAGES)
    check_whole("steps", whole(steps), 1, MAX_STEPS)
    return GenerateRequest(
        class_name=class_name,
        num_images=whole(num_images),
        schedule=schedule,
        sampler=sampler,
        num_inference_steps=whole(steps),
        guidance_scale=guidance_scale,
        seed=whole(seed),
    )


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


def note(
    demo: Demo, schedule: str, steps: float, sampler: str, guidance: float, num_images: float
) -> str:
    """Says what the schedule does and what the request will cost."""
    try:
        chosen = (schedule, steps, sampler, guidance, num_images)
        request = request_of(DEFAULT.class_name, *chosen, DEFAULT.seed)
        demo.check(request)
    except UserError as error:
        return str(error)
    verdict = schedule_note(schedule, request.num_inference_steps)
    bound = f"{demo.limits.max_evaluations:,}"
    return f"{demo.cost.sentence(request)} (at most {bound} evaluations)\n\n{verdict}"


def build(demo: Demo) -> Controls:
    """Lays out what a visitor chooses."""
    gr.Markdown("Real ones: click one to choose its class")
    examples = picture_gallery(_real_examples(), 5, "examples", download=False)
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
    _explain(demo, controls, presets)
    examples.select(_class_of, None, class_name, **NOW)
    return controls


def _explain(demo: Demo, controls: Controls, presets: list[gr.Button]) -> None:
    """Keeps the note true while the visitor chooses, and makes the presets set the steps."""
    request = DEFAULT
    controls.note.value = note(
        demo,
        request.schedule,
        request.num_inference_steps,
        request.sampler,
        request.guidance_scale,
        request.num_images,
    )
    changes = [component.change for component in controls.costly()]
    gr.on(changes, functools.partial(note, demo), controls.costly(), controls.note, **NOW, **PLAIN)
    for button, count in zip(presets, PRESETS.values(), strict=True):
        preset: Any = (count, DEFAULT.schedule, DEFAULT.sampler)
        targets = [controls.steps, controls.schedule, controls.sampler]
        button.click(lambda preset=preset: preset, None, targets, **NOW)


def _class_of(event: gr.SelectData) -> str:
    """Returns the class of the real example that was clicked."""
    with told():
        check_whole("example", event.index, 0, len(CLASS_NAMES) - 1)
    return CLASS_NAMES[event.index]


def _real_examples() -> list[tuple[Any, str]]:
    """Returns a real image of each class, enlarged, with its name."""
    real = load_real_sample()
    return [(enlarge(real.of_class(label)[0], 4), name) for label, name in enumerate(CLASS_NAMES)]
