"""The settings of the Create tab, with their cost and the verdict on the schedule."""

from typing import Any

import gradio as gr

from fashion_ddpm.core.config import SAMPLERS, TURBO
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES
from fashion_ddpm.core.images import enlarge
from fashion_ddpm.core.requests import (
    MAX_GUIDANCE,
    MAX_SEED,
    PAGE_LABELS,
    GenerateRequest,
    check_integer,
)
from fashion_ddpm.demo.engine import PRESETS, Demo, offered_schedules, schedule_note
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.scoring.clip_baseline import load_real_sample
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES, PAGE_MAX_STEPS, check_size
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    EVERY_CLICK,
    NO_QUEUE,
    RAW_INPUTS,
    as_int,
    error_message,
    picture_gallery,
    report_errors,
)

MAX_CLASS_BUTTONS = 20
"""With more classes, a dropdown with a search field replaces the radio buttons."""

CONTROL_FIELDS = (
    *("class_name", "schedule", "num_inference_steps", "sampler", "guidance_scale"),
    *("guidance_low", "guidance_high", "num_images", "seed"),
)
"""Fields of a request, in the order of build_request."""

COST_FIELDS = CONTROL_FIELDS[1:-1]
"""Fields that change what a request costs."""

INTERVAL_HINTS = {
    "guidance_low": "share of the noise levels: 0 is no noise",
    "guidance_high": "1 is pure noise; outside, guidance is off",
}
"""Field of a request → hint on the page."""

NO_SETTINGS = (gr.skip(),) * (len(CONTROL_FIELDS) + 2)
"""Values of Controls.inputs that change nothing."""


def default_request(demo: Demo) -> GenerateRequest:
    """Return the request that the page opens with."""
    names = demo.kind.class_names
    return GenerateRequest(names[-1], class_names=names)


def build_request(*values: Any, class_names: tuple[str, ...]) -> GenerateRequest:
    """Return the request for a visitor's settings.

    Args:
        values: values of CONTROL_FIELDS.
        class_names: classes of the checkpoint.

    Raises:
        RequestError: a setting cannot be used.
    """
    settings = dict(zip(CONTROL_FIELDS, values, strict=True))
    for name in ("num_images", "num_inference_steps", "seed"):
        settings[name] = as_int(settings[name])
    check_size(settings["num_images"], settings["num_inference_steps"])
    return GenerateRequest(**settings, class_names=class_names)


def control_values(request: GenerateRequest, scorer: str = "") -> tuple[Any, ...]:
    """Return a request as values of Controls.inputs; "" leaves the scorer unchanged."""
    values = [getattr(request, name) for name in CONTROL_FIELDS]
    return (*values, False, scorer or gr.skip())


def presets(demo: Demo) -> dict[str, SamplingSettings]:
    """Return the presets by name, with Turbo where there is a distilled network."""
    if not demo.has_turbo:
        return PRESETS
    return {"Turbo": demo.pipeline.network_for(TURBO).default_settings, **PRESETS}


class Controls:
    """Components of the settings; each attribute has the name of the request's field."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        first = default_request(demo)
        self.class_name = self._build_class_menu(first.class_name)
        self.schedule = gr.Radio(
            offered_schedules(demo),
            value=first.schedule,
            label=PAGE_LABELS["schedule"],
            info="which noise levels an image visits",
        )
        self.num_inference_steps = gr.Slider(
            1,
            PAGE_MAX_STEPS,
            first.num_inference_steps,
            step=1,
            label=PAGE_LABELS["num_inference_steps"],
        )
        with gr.Row():
            preset_buttons = {
                gr.Button(f"{name} · {preset.num_inference_steps}", size="sm", min_width=80): preset
                for name, preset in presets(demo).items()
            }
        with gr.Row():
            self.generate = gr.Button("Generate", variant="primary", elem_id="generate")
            self.stop = gr.Button("Stop")
        note = gr.Markdown(self.note(*(getattr(first, name) for name in COST_FIELDS)))
        with gr.Accordion("Advanced", open=False) as self.advanced:
            self._build_advanced_settings(first)
        for button, preset in preset_buttons.items():
            self._connect_preset(button, preset)
        inputs = [getattr(self, name) for name in COST_FIELDS]
        changes = [component.change for component in inputs]
        gr.on(changes, self.note, inputs, note, **NO_QUEUE, **RAW_INPUTS, **ALWAYS_LAST)
        guidance = [self.guidance_scale, self.guidance_low, self.guidance_high]
        self.sampler.change(self.toggle_guidance, self.sampler, guidance, **NO_QUEUE, **RAW_INPUTS)

    def _build_class_menu(self, first: str) -> gr.Radio | gr.Dropdown:
        """Lay out the classes, on Fashion-MNIST below a real image of each."""
        kind, label = self.demo.kind, PAGE_LABELS["class_name"]
        names = [*kind.class_names, ALL_CLASSES]
        if not kind.is_fashion_mnist:
            menu = gr.Radio if len(names) <= MAX_CLASS_BUTTONS else gr.Dropdown
            return menu(names, value=first, label=label)
        gr.Markdown("Real ones: click one to choose its class")
        examples = picture_gallery(_real_examples(), 5, "examples", download=False)
        class_name = gr.Radio(names, value=first, label=label)
        examples.select(_clicked_class, None, class_name, **EVERY_CLICK)
        return class_name

    def _build_advanced_settings(self, first: GenerateRequest) -> None:
        """Lay out the sampler, guidance, the number of images, seeds and the scorer."""
        samplers = (*SAMPLERS, TURBO) if self.demo.has_turbo else SAMPLERS
        self.sampler = gr.Dropdown(samplers, value=first.sampler, label=PAGE_LABELS["sampler"])
        self.guidance_scale = gr.Slider(
            1,
            MAX_GUIDANCE,
            first.guidance_scale,
            step=0.1,
            label=PAGE_LABELS["guidance_scale"],
            info="1 is off; more costs twice",
        )
        with gr.Row():
            self.guidance_low, self.guidance_high = (
                gr.Number(
                    getattr(first, name),
                    label=PAGE_LABELS[name],
                    info=info,
                    minimum=0,
                    maximum=1,
                    step=0.05,
                )
                for name, info in INTERVAL_HINTS.items()
            )
        self.num_images = gr.Slider(
            1, PAGE_MAX_IMAGES, first.num_images, step=1, label=PAGE_LABELS["num_images"]
        )
        self.seed = gr.Number(first.seed, label=PAGE_LABELS["seed"], minimum=0, maximum=MAX_SEED)
        self.random_seed = gr.Checkbox(value=False, label="A new seed each time")
        self.scorer = gr.Dropdown(
            self.demo.scorers,
            value=self.demo.scorers[0],
            label=PAGE_LABELS["scorer"],
            info="all but the first need the network once",
        )

    def _connect_preset(self, button: gr.Button, preset: SamplingSettings) -> None:
        """Make a button set the controls to a preset; turbo has no guidance."""
        values: dict[Any, Any] = {
            self.num_inference_steps: preset.num_inference_steps,
            self.schedule: preset.schedule,
            self.sampler: preset.sampler,
            self.guidance_scale: 1 if preset.sampler == TURBO else gr.skip(),
        }
        button.click(lambda: values, None, list(values), **NO_QUEUE)

    def inputs(self) -> list[Any]:
        """Return the components in the order of Create.draw, and of control_values."""
        return [*(getattr(self, name) for name in CONTROL_FIELDS), self.random_seed, self.scorer]

    def toggle_guidance(self, sampler: Any) -> dict[Any, Any]:
        """Disable guidance, and turn it off, for a sampler without it."""
        off = {self.guidance_scale: 1, self.guidance_low: 0, self.guidance_high: 1}
        if sampler == TURBO:
            return {each: gr.update(value=value, interactive=False) for each, value in off.items()}
        return dict.fromkeys(off, gr.update(interactive=True))

    def note(self, *values: Any) -> str:
        """Return the cost of a request with these COST_FIELDS, and the verdict on its schedule."""
        names = self.demo.kind.class_names
        try:
            request = build_request(names[0], *values, 0, class_names=names)
            self.demo.check(request)
        except UserError as error:
            return error_message(error)
        verdict = schedule_note(request.schedule, request.num_inference_steps)
        bound = f"{self.demo.limits.max_evaluations:,}"
        cost = f"{self.demo.cost.sentence(request)} (at most {bound} evaluations)"
        return "\n\n".join([cost, *_interval_note(request), verdict])


def _interval_note(request: GenerateRequest) -> list[str]:
    """Return a sentence on the guidance interval, unless guidance is off or acts everywhere."""
    low, high = request.guidance_low, request.guidance_high
    if request.guidance_scale == 1 or (low, high) == (0, 1):
        return []
    return [f"Guidance acts from {low:g} to {high:g} of the noise levels, and not outside."]


def _clicked_class(event: gr.SelectData) -> str:
    """Return the class of the real example that was clicked."""
    with report_errors():
        check_integer("example", event.index, 0, len(CLASS_NAMES) - 1)
    return CLASS_NAMES[event.index]


def _real_examples() -> list[tuple[Any, str]]:
    """Return a real image of each class, enlarged, with its name."""
    real = load_real_sample()
    return [
        (enlarge(real.select_class(label)[0], 4), name) for label, name in enumerate(CLASS_NAMES)
    ]
