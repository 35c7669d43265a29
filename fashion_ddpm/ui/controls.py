"""The settings of the Create tab, with their cost and the verdict on the schedule."""

from collections.abc import Iterable, Mapping
from typing import Any

import gradio as gr

from fashion_ddpm.core.config import SAMPLERS, TURBO
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.requests import (
    MAX_GUIDANCE,
    MAX_SEED,
    PAGE_LABELS,
    GenerateRequest,
)
from fashion_ddpm.demo.engine import Demo, default_request, offered_schedules, presets
from fashion_ddpm.demo.request_note import describe_request
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES, PAGE_MAX_STEPS, check_size
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    NO_QUEUE,
    RAW_INPUTS,
    as_int,
    error_message,
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

HINTS = {
    "class_name": "What to generate; the pictures are real examples.",
    "schedule": "Which noise levels sampling steps through. The curve shows how the image emerges.",
    "num_inference_steps": "Network evaluations per image: more are slower, up to a point better.",
    "sampler": "The solver that steps between noise levels; ddpm and sde add new noise.",
    "guidance_scale": "1 = off; not with turbo. Higher follows the class more, at twice the cost.",
    "guidance_low": "Share of the noise levels, 0 = no noise.",
    "guidance_high": "1 = pure noise. Outside, guidance is off.",
    "num_images": "Generated together, each from its own seed.",
    "seed": "The noise that the first image starts from; the same seed gives the same image.",
    "scorer": 'All except "{}" are downloaded from the Hugging Face Hub on first use.',
}
"""Field of a request → one sentence on the page."""

CLASS_CHOICES = {ALL_CLASSES: "one of each"}
SCHEDULE_CHOICES = {"report": "report (broken on purpose)"}
"""Value of a menu → its name on the page, where they differ."""

GENERATE = "Generate"
"""Name of the button while nothing runs."""

RESET_GENERATE = f"""() => ({{__type__: "update", value: "{GENERATE}", interactive: true}})"""
"""JavaScript: a run has failed."""

ENABLE_GENERATE = """() => document.querySelector("#generate").disabled
  ? {__type__: "update", interactive: true} : {__type__: "update"}"""
"""JavaScript: settings were changed during a run, so Generate may be pressed to restart it."""

NO_SETTINGS = (gr.skip(),) * (len(CONTROL_FIELDS) + 2)
"""Values of Controls.inputs that change nothing."""


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


class Controls:
    """Components of the settings; each attribute has the name of the request's field.

    Attributes:
        note_update: function, inputs and output of an event after which the estimate is another.
    """

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        first = default_request(demo)
        self.class_name = self._build_class_menu(first.class_name)
        with gr.Row(elem_id="run-buttons"):
            self.generate = gr.Button(GENERATE, variant="primary", elem_id="generate", scale=3)
            self.stop = gr.Button("Stop", scale=1, min_width=80)
        note = gr.Markdown(self.note(*(getattr(first, name) for name in COST_FIELDS)))
        gr.Markdown("Presets, with their steps")
        with gr.Row():
            preset_buttons = {
                gr.Button(f"{name} · {preset.num_inference_steps}", size="sm", min_width=80): preset
                for name, preset in presets(demo).items()
            }
        self._build_sampling_settings(first)
        self._build_image_settings(first)
        for button, preset in preset_buttons.items():
            self._connect_preset(button, preset)
        inputs = [getattr(self, name) for name in COST_FIELDS]
        changes = [component.change for component in inputs]
        gr.on(changes, self.note, inputs, note, **NO_QUEUE, **RAW_INPUTS, **ALWAYS_LAST)
        self.note_update = (self.note, inputs, note)
        guidance = [self.guidance_scale, self.guidance_low, self.guidance_high]
        self.sampler.change(self.toggle_guidance, self.sampler, guidance, **NO_QUEUE, **RAW_INPUTS)
        # A run itself changes nothing but the seed, and that not by hand.
        changes = [each.change for each in self.inputs() if each is not self.seed]
        gr.on(
            [*changes, self.seed.input], None, None, self.generate, js=ENABLE_GENERATE, **NO_QUEUE
        )

    def _build_class_menu(self, first: str) -> gr.Radio | gr.Dropdown:
        """Lay out the classes, on Fashion-MNIST with a real image of each."""
        names = [*self.demo.kind.class_names, ALL_CLASSES]
        menu = gr.Radio if len(names) <= MAX_CLASS_BUTTONS else gr.Dropdown
        label = PAGE_LABELS["class_name"]
        if not self.demo.kind.is_fashion_mnist:
            return menu(_named(names, CLASS_CHOICES), value=first, label=label)
        choices, info = _named(names, CLASS_CHOICES), HINTS["class_name"]
        return gr.Radio(choices, value=first, label=label, info=info, elem_id="class-menu")

    def _build_sampling_settings(self, first: GenerateRequest) -> None:
        """Lay out the schedule, the number of steps, the sampler and guidance."""
        self.schedule = gr.Radio(
            _named(offered_schedules(self.demo), SCHEDULE_CHOICES),
            value=first.schedule,
            label=PAGE_LABELS["schedule"],
            info=HINTS["schedule"],
            elem_id="schedule-menu",
        )
        self.num_inference_steps = gr.Slider(
            1,
            PAGE_MAX_STEPS,
            first.num_inference_steps,
            step=1,
            label=PAGE_LABELS["num_inference_steps"],
            info=HINTS["num_inference_steps"],
        )
        samplers = (*SAMPLERS, TURBO) if self.demo.has_turbo else SAMPLERS
        self.sampler = gr.Dropdown(
            samplers, value=first.sampler, label=PAGE_LABELS["sampler"], info=HINTS["sampler"]
        )
        self.guidance_scale = gr.Slider(
            1,
            MAX_GUIDANCE,
            first.guidance_scale,
            step=0.1,
            label=PAGE_LABELS["guidance_scale"],
            info=HINTS["guidance_scale"],
        )
        with gr.Row():
            self.guidance_low, self.guidance_high = (
                gr.Number(
                    getattr(first, name),
                    label=PAGE_LABELS[name],
                    info=HINTS[name],
                    minimum=0,
                    maximum=1,
                    step=0.05,
                    min_width=120,
                )
                for name in ("guidance_low", "guidance_high")
            )

    def _build_image_settings(self, first: GenerateRequest) -> None:
        """Lay out the number of images, seeds and the scorer."""
        self.num_images = gr.Slider(
            1,
            PAGE_MAX_IMAGES,
            first.num_images,
            step=1,
            label=PAGE_LABELS["num_images"],
            info=HINTS["num_images"],
        )
        self.seed = gr.Number(
            first.seed,
            label=PAGE_LABELS["seed"],
            info=HINTS["seed"],
            minimum=0,
            maximum=MAX_SEED,
        )
        self.random_seed = gr.Checkbox(value=False, label="New random seed each time")
        self.scorer = gr.Dropdown(
            self.demo.scorers,
            value=self.demo.scorers[0],
            label=PAGE_LABELS["scorer"],
            info=HINTS["scorer"].format(self.demo.scorers[0]),
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
        return describe_request(self.demo, request)


def _named(values: Iterable[str], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return a menu's choices: the name on the page and the value of each."""
    return [(names.get(value, value), value) for value in values]
