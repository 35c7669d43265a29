"""What a visitor chooses in the first tab, with its cost and its schedule's verdict beside."""

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.core.config import SAMPLERS, TURBO
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES, FASHION_MNIST
from fashion_ddpm.core.images import enlarge
from fashion_ddpm.core.requests import LABELS, MAX_GUIDANCE, MAX_SEED, GenerateRequest, check_whole
from fashion_ddpm.demo.engine import PRESETS, Demo, schedule_note, schedules
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.scoring.clip_baseline import load_real_sample
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES, PAGE_MAX_STEPS, check_size
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    IN_ORDER,
    UNPROCESSED,
    UNQUEUED,
    as_text,
    picture_gallery,
    show_mistakes,
    whole,
)

MANY_CLASSES = 20
"""With more, the classes are a list to search in instead of buttons."""


def default_request(demo: Demo) -> GenerateRequest:
    """Return what the page asks for before anybody chooses."""
    names = demo.kind.class_names
    return GenerateRequest(names[-1], class_names=names)


INTERVAL = {
    "guidance_low": "share of the noise levels: 0 is no noise",
    "guidance_high": "1 is pure noise; outside, guidance is off",
}
"""Field of a request → what the page says of it."""


@dataclass(frozen=True)
class Controls:
    """What a visitor chooses; a setting's component has the name of the request's field."""

    class_name: gr.Radio | gr.Dropdown
    schedule: gr.Radio
    num_inference_steps: gr.Slider
    sampler: gr.Dropdown
    guidance_scale: gr.Slider
    guidance_low: gr.Number
    guidance_high: gr.Number
    num_images: gr.Slider
    seed: gr.Number
    random_seed: gr.Checkbox
    scorer: gr.Dropdown
    generate: gr.Button
    stop: gr.Button
    note: gr.Markdown
    advanced: gr.Accordion

    def inputs(self) -> list[Any]:
        """Return the components in the order of Handlers.draw, and of shown_settings."""
        return [*(getattr(self, name) for name in CHOSEN), self.random_seed, self.scorer]

    def costly(self) -> list[Any]:
        """Return the components in the order of note."""
        return [getattr(self, name) for name in COSTLY]


CHOSEN = (
    *("class_name", "schedule", "num_inference_steps", "sampler", "guidance_scale"),
    *("guidance_low", "guidance_high", "num_images", "seed"),
)
"""Fields of a request, in the order of request_of."""

COSTLY = CHOSEN[1:-1]
"""Those that change what a request costs."""


def request_of(
    class_name: str,
    schedule: str,
    steps: float,
    sampler: str,
    guidance_scale: float,
    guidance_low: float,
    guidance_high: float,
    num_images: float,
    seed: float,
    *,
    class_names: tuple[str, ...],
) -> GenerateRequest:
    """Return the request that a visitor's settings make, of a checkpoint of such classes.

    Raises:
        RequestError: a setting cannot be used.
    """
    check_size(whole(num_images), whole(steps))
    return GenerateRequest(
        class_name=class_name,
        num_images=whole(num_images),
        schedule=schedule,
        sampler=sampler,
        num_inference_steps=whole(steps),
        guidance_scale=guidance_scale,
        guidance_low=guidance_low,
        guidance_high=guidance_high,
        seed=whole(seed),
        class_names=class_names,
    )


def shown_settings(request: GenerateRequest, scorer: str = "") -> tuple[Any, ...]:
    """Return a request as the values of Controls.settings; without a scorer that one stays."""
    values = [getattr(request, name) for name in CHOSEN]
    return (*values, False, scorer or gr.skip())


NO_SETTINGS = (gr.skip(),) * (len(CHOSEN) + 2)
"""Values of Controls.settings that leave everything as it is."""


def note(demo: Demo, *costly: Any) -> str:
    """Say what the schedule does and what the request of Controls.costly will cost."""
    try:
        first = default_request(demo)
        chosen = (first.class_name, *costly, first.seed)
        request = request_of(*chosen, class_names=demo.kind.class_names)
        demo.check(request)
    except UserError as error:
        return as_text(error)
    verdict = schedule_note(request.schedule, request.num_inference_steps)
    bound = f"{demo.limits.max_evaluations:,}"
    cost = f"{demo.cost.sentence(request)} (at most {bound} evaluations)"
    return "\n\n".join([cost, *_interval(request), verdict])


def _interval(request: GenerateRequest) -> list[str]:
    """Say where guidance acts, if it does, and not everywhere."""
    low, high = request.guidance_low, request.guidance_high
    if request.guidance_scale == 1 or (low, high) == (0, 1):
        return []
    return [f"Guidance acts from {low:g} to {high:g} of the noise levels, and not outside."]


def build(demo: Demo) -> Controls:
    """Lay out what a visitor chooses."""
    first = default_request(demo)
    class_name = _class_menu(demo, first)
    schedule = gr.Radio(
        schedules(demo),
        value=first.schedule,
        label=LABELS["schedule"],
        info="which noise levels an image visits",
    )
    steps = gr.Slider(
        1, PAGE_MAX_STEPS, first.num_inference_steps, step=1, label=LABELS["num_inference_steps"]
    )
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
        sampling = _sampling_menus(demo, first)
        num_images = gr.Slider(
            1, PAGE_MAX_IMAGES, first.num_images, step=1, label=LABELS["num_images"]
        )
        seed = gr.Number(first.seed, label=LABELS["seed"], minimum=0, maximum=MAX_SEED)
        random_seed = gr.Checkbox(value=False, label="A new seed each time")
        scorer = gr.Dropdown(
            demo.scorers,
            value=demo.scorers[0],
            label=LABELS["scorer"],
            info="all but the first need the network once",
        )
    controls = Controls(
        class_name=class_name,
        schedule=schedule,
        num_inference_steps=steps,
        **sampling,
        num_images=num_images,
        seed=seed,
        random_seed=random_seed,
        scorer=scorer,
        generate=generate,
        stop=stop,
        note=note,
        advanced=advanced,
    )
    _explain(demo, controls)
    _connect(controls, dict(zip(buttons, offered.values(), strict=True)))
    return controls


def _sampling_menus(demo: Demo, first: GenerateRequest) -> dict[str, Any]:
    """Lay out the sampler, guidance, and the noise levels on which guidance acts."""
    samplers = (*SAMPLERS, TURBO) if demo.has_turbo else SAMPLERS
    menus: dict[str, Any] = {
        "sampler": gr.Dropdown(samplers, value=first.sampler, label=LABELS["sampler"]),
        "guidance_scale": gr.Slider(
            1,
            MAX_GUIDANCE,
            first.guidance_scale,
            step=0.1,
            label=LABELS["guidance_scale"],
            info="1 is off; more costs twice",
        ),
    }
    with gr.Row():
        for name, info in INTERVAL.items():
            value = getattr(first, name)
            menus[name] = gr.Number(
                value, label=LABELS[name], info=info, minimum=0, maximum=1, step=0.05
            )
    return menus


def _class_menu(demo: Demo, first: GenerateRequest) -> gr.Radio | gr.Dropdown:
    """Lay out the classes; above them, on Fashion-MNIST, a real image of each."""
    names = [*demo.kind.class_names, ALL_CLASSES]
    if demo.kind != FASHION_MNIST:
        menu = gr.Radio if len(names) <= MANY_CLASSES else gr.Dropdown
        return menu(names, value=first.class_name, label=LABELS["class_name"])
    gr.Markdown("Real ones: click one to choose its class")
    examples = picture_gallery(_real_examples(), 5, "examples", download=False)
    class_name = gr.Radio(names, value=first.class_name, label=LABELS["class_name"])
    examples.select(_class_of, None, class_name, **IN_ORDER)
    return class_name


def presets(demo: Demo) -> dict[str, SamplingSettings]:
    """Return how to sample by what a visitor wants; Turbo where a network can do it."""
    if not demo.has_turbo:
        return PRESETS
    return {"Turbo": demo.pipeline.drawing_with(TURBO).usual_settings, **PRESETS}


def _connect(controls: Controls, presets: dict[gr.Button, SamplingSettings]) -> None:
    """Make the presets' buttons set the controls; turbo has no guidance."""
    targets = [
        *(controls.num_inference_steps, controls.schedule),
        *(controls.sampler, controls.guidance_scale),
    ]
    for button, preset in presets.items():
        guidance = 1 if preset.sampler == TURBO else gr.skip()
        values: Any = (preset.num_inference_steps, preset.schedule, preset.sampler, guidance)
        button.click(lambda values=values: values, None, targets, **UNQUEUED)
    menus: list[Any] = [controls.guidance_scale, controls.guidance_low, controls.guidance_high]
    controls.sampler.change(guidance_of, controls.sampler, menus, **UNQUEUED, **UNPROCESSED)


def guidance_of(sampler: Any) -> tuple[Any, ...]:
    """Grey guidance out, and turn it off, where a sampler has none."""
    if sampler != TURBO:
        return (gr.update(interactive=True),) * 3
    return tuple(gr.update(value=value, interactive=False) for value in (1, 0, 1))


def _explain(demo: Demo, controls: Controls) -> None:
    """Keep the note true while the visitor chooses."""
    request = default_request(demo)
    controls.note.value = note(demo, *(getattr(request, name) for name in COSTLY))
    changes = [component.change for component in controls.costly()]
    explained = functools.partial(note, demo)
    gr.on(
        changes,
        explained,
        controls.costly(),
        controls.note,
        **UNQUEUED,
        **UNPROCESSED,
        **ALWAYS_LAST,
    )


def _class_of(event: gr.SelectData) -> str:
    """Return the class of the real example that was clicked."""
    with show_mistakes():
        check_whole("example", event.index, 0, len(CLASS_NAMES) - 1)
    return CLASS_NAMES[event.index]


def _real_examples() -> list[tuple[Any, str]]:
    """Return a real image of each class, enlarged, with its name."""
    real = load_real_sample()
    return [(enlarge(real.of_class(label)[0], 4), name) for label, name in enumerate(CLASS_NAMES)]
