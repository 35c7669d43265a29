"""What a visitor chooses in the first tab, with its cost and its schedule's verdict beside."""

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.baselines import load_real_sample
from fashion_ddpm.config import SAMPLERS, SCHEDULES, TURBO
from fashion_ddpm.demo import PRESETS, Demo, schedule_note
from fashion_ddpm.errors import UserError
from fashion_ddpm.images import enlarge
from fashion_ddpm.labels import ALL_CLASSES, CLASS_NAMES, FASHION_MNIST
from fashion_ddpm.limits import MAX_IMAGES, MAX_STEPS
from fashion_ddpm.request import MAX_GUIDANCE, MAX_SEED, GenerateRequest, check_whole
from fashion_ddpm.sampling import SamplingSettings
from fashion_ddpm.ui.parts import IN_ORDER, NOW, PLAIN, picture_gallery, told, whole

MANY_CLASSES = 20
"""With more, the classes are a list to search in instead of buttons."""


def default_request(demo: Demo) -> GenerateRequest:
    """Returns what the page asks for before anybody chooses."""
    names, usual = demo.kind.class_names, PRESETS["Balanced"]
    return GenerateRequest(
        names[-1],
        schedule=str(usual.schedule),
        sampler=usual.sampler,
        num_inference_steps=usual.num_inference_steps,
        class_names=names,
    )


@dataclass(frozen=True)
class Controls:
    """What a visitor chooses."""

    class_name: gr.Radio | gr.Dropdown
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
    advanced: gr.Accordion

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
    *,
    class_names: tuple[str, ...],
) -> GenerateRequest:
    """Returns the request that a visitor's settings make, of a checkpoint of such classes.

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
        class_names=class_names,
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
        first = default_request(demo)
        request = request_of(first.class_name, *chosen, first.seed, class_names=first.class_names)
        demo.check(request)
    except UserError as error:
        return str(error)
    verdict = schedule_note(schedule, request.num_inference_steps)
    bound = f"{demo.limits.max_evaluations:,}"
    return f"{demo.cost.sentence(request)} (at most {bound} evaluations)\n\n{verdict}"


def build(demo: Demo) -> Controls:
    """Lays out what a visitor chooses."""
    first = default_request(demo)
    class_name = _class_menu(demo, first)
    schedule = gr.Radio(
        schedules(demo),
        value=first.schedule,
        label="Schedule",
        info="which noise levels an image visits",
    )
    steps = gr.Slider(1, MAX_STEPS, first.num_inference_steps, step=1, label="Steps")
    offered = presets(demo)
    with gr.Row():
        buttons = [
            gr.Button(f"{name} · {preset.num_inference_steps}", size="sm", min_width=80)
            for name, preset in offered.items()
        ]
    with gr.Row():
        generate = gr.Button("Generate", variant="primary", elem_id="generate")
        stop = gr.Button("Stop")
    note = gr.Markdown()
    with gr.Accordion("Advanced", open=False) as advanced:
        samplers = (*SAMPLERS, TURBO) if demo.has_turbo else SAMPLERS
        sampler = gr.Dropdown(samplers, value=first.sampler, label="Sampler")
        guidance = gr.Slider(
            1, MAX_GUIDANCE, 1, step=0.1, label="Guidance", info="1 is off; more costs twice"
        )
        num_images = gr.Slider(1, MAX_IMAGES, first.num_images, step=1, label="Images")
        seed = gr.Number(first.seed, label="Seed", minimum=0, maximum=MAX_SEED)
        random_seed = gr.Checkbox(value=False, label="A new seed each time")
        scorer = gr.Dropdown(
            demo.scorers,
            value=demo.scorers[0],
            label="Scorer",
            info="all but the first need the network once",
        )
    controls = Controls(
        *(class_name, schedule, steps, sampler, guidance, num_images, seed, random_seed, scorer),
        *(generate, stop, note, advanced),
    )
    _explain(demo, controls)
    _connect(controls, dict(zip(buttons, offered.values(), strict=True)))
    return controls


def schedules(demo: Demo) -> list[str]:
    """Returns what is offered: the report's own failure only beside its story."""
    return [each for each in SCHEDULES if each != "report" or demo.kind == FASHION_MNIST]


def _class_menu(demo: Demo, first: GenerateRequest) -> gr.Radio | gr.Dropdown:
    """Lays out the classes; above them, on Fashion-MNIST, a real image of each."""
    names = [*demo.kind.class_names, ALL_CLASSES]
    if demo.kind != FASHION_MNIST:
        menu = gr.Radio if len(names) <= MANY_CLASSES else gr.Dropdown
        return menu(names, value=first.class_name, label="Class")
    gr.Markdown("Real ones: click one to choose its class")
    examples = picture_gallery(_real_examples(), 5, "examples", download=False)
    class_name = gr.Radio(names, value=first.class_name, label="Class")
    examples.select(_class_of, None, class_name, **IN_ORDER)
    return class_name


def presets(demo: Demo) -> dict[str, SamplingSettings]:
    """Returns how to sample by what a visitor wants; Turbo where a network can do it."""
    if not demo.has_turbo:
        return PRESETS
    return {"Turbo": demo.pipeline.drawing_with(TURBO).usual_settings, **PRESETS}


def _connect(controls: Controls, presets: dict[gr.Button, SamplingSettings]) -> None:
    """Makes the presets' buttons set the controls; turbo has no guidance."""
    targets = [controls.steps, controls.schedule, controls.sampler, controls.guidance]
    for button, preset in presets.items():
        guidance = 1 if preset.sampler == TURBO else gr.skip()
        values: Any = (preset.num_inference_steps, preset.schedule, preset.sampler, guidance)
        button.click(lambda values=values: values, None, targets, **NOW)


def _explain(demo: Demo, controls: Controls) -> None:
    """Keeps the note true while the visitor chooses."""
    request = default_request(demo)
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


def _class_of(event: gr.SelectData) -> str:
    """Returns the class of the real example that was clicked."""
    with told():
        check_whole("example", event.index, 0, len(CLASS_NAMES) - 1)
    return CLASS_NAMES[event.index]


def _real_examples() -> list[tuple[Any, str]]:
    """Returns a real image of each class, enlarged, with its name."""
    real = load_real_sample()
    return [(enlarge(real.of_class(label)[0], 4), name) for label, name in enumerate(CLASS_NAMES)]
