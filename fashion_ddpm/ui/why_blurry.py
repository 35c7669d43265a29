"""The Why blurry? tab: cause and repair the report's failure by hand."""

import dataclasses
from typing import Any

import gradio as gr

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.game_requests import (
    FIRST_BETA_RANGE,
    LAST_BETA_RANGE,
    NUM_LEVELS_RANGE,
    CustomScheduleRequest,
)
from fashion_ddpm.demo.trajectory import filmstrip
from fashion_ddpm.demo.why_blurry import (
    COSINE,
    CUSTOM_BETAS,
    Samples,
    curves,
    draw_samples,
    noised_image,
    visited_levels,
)
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.diffusion.schedules import STUDENT_BETAS, LinearBetas
from fashion_ddpm.ui.components import (
    LATEST_RUN,
    LATEST_VALUES,
    NO_QUEUE,
    as_int,
    error_message,
    hide_value,
    line_plot,
    monitor_request,
    picture,
    report_errors,
    show_value,
    table,
)

STEPS = 20
GARMENT = "ankle boot"
DRAW_BOTH = """() => document.querySelector("#draw-both").click()"""
"""JavaScript: draws by the one event of the button, so that the newest betas win."""

CURVE_COLUMNS = ("t / T", "schedule", "value")
LEVEL_COLUMNS = ("step", "schedule", "log SNR")
COLOURS = {CUSTOM_BETAS: "#4f46e5", COSINE: "#ea580c"}

INTRODUCTION = r"""A student's network learned well, its loss fell, and its images were haze.
Training adds noise, $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\varepsilon$;
sampling starts from pure noise, as if $\bar\alpha_T$ were 0. With T = 100 and betas up to 0.02 it
is 0.36: **60 % of the image is still there** in the noisiest picture the network ever saw. It was
never taught to begin. Below, the *same* network draws the *same* seeds with any betas you choose,
beside cosine."""

LEVELS = "A real image at ten of the levels: your betas above, cosine below. Is the last one noise?"

FIXES: dict[str, LinearBetas] = {
    "The report: T = 100": STUDENT_BETAS,
    "Twice the levels: T = 200": LinearBetas(200, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end),
    "Fix: T = 1000": LinearBetas(1000, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end),
    "Fix: betas × 10": LinearBetas(100, 10 * STUDENT_BETAS.beta_start, 10 * STUDENT_BETAS.beta_end),
}
"""Button → betas; each but the first changes one thing."""


class WhyBlurry:
    """The tab's components and event handlers."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        gr.Markdown(
            INTRODUCTION,
            latex_delimiters=[{"left": "$", "right": "$", "display": False}],
            elem_id="story",
        )
        with gr.Row():
            buttons = [gr.Button(name, size="sm") for name in FIXES]
        with gr.Row():
            betas = _build_beta_sliders()
            class_name = gr.Dropdown(list(CLASS_NAMES), value=GARMENT, label="Garment of the story")
        self.verdict = gr.Markdown(verdict_heading(STUDENT_BETAS))
        gr.Markdown(LEVELS)
        first = noised_image(STUDENT_BETAS, GARMENT)
        self.noised_picture = picture("a real image, more and more noisy", first)
        with gr.Row():
            self._build_plots()
        draw = gr.Button("Draw the same seeds with both", variant="primary", elem_id="draw-both")
        self.custom, self.cosine = SchedulePanel(), SchedulePanel()
        inputs: list[Any] = [*betas, class_name]
        plots = [self.alpha_bar_plot, self.log_snr_plot, self.levels_plot]
        outputs = [self.verdict, self.noised_picture, *plots]
        gr.on([each.change for each in inputs], self.explain, inputs, outputs, **LATEST_VALUES)
        samples = [*self.custom.outputs(), *self.cosine.outputs()]
        draw.click(self.draw, inputs, samples, **LATEST_RUN)
        for button, fix in zip(buttons, FIXES.values(), strict=True):
            values: Any = dict(zip(betas, dataclasses.astuple(fix), strict=True))
            button.click(lambda values=values: values, None, betas, **NO_QUEUE).then(
                None, None, None, js=DRAW_BOTH, **NO_QUEUE
            )

    def _build_plots(self) -> None:
        """Lay out the curves of ᾱ and log-SNR, and the visited levels."""
        alpha_bar, log_snr = curves(STUDENT_BETAS)
        with gr.Column(min_width=280):
            gr.Markdown("ᾱ: what is left of the image")
            self.alpha_bar_plot = line_plot(alpha_bar, CURVE_COLUMNS, COLOURS, height=220)
        with gr.Column(min_width=280):
            gr.Markdown("The logarithm of signal over noise")
            self.log_snr_plot = line_plot(log_snr, CURVE_COLUMNS, COLOURS, height=220)
        with gr.Column(min_width=280):
            gr.Markdown(f"The levels that {STEPS} steps visit")
            step, schedule, level = LEVEL_COLUMNS
            self.levels_plot = gr.ScatterPlot(
                table(visited_levels(STUDENT_BETAS, STEPS), LEVEL_COLUMNS),
                x=step,
                y=level,
                color=schedule,
                color_map=COLOURS,
                colors_in_legend=[],
                height=220,
                show_label=False,
            )

    def explain(self, levels: float, first: float, last: float, class_name: str) -> dict[Any, Any]:
        """Show the verdict, the noised images, and the plots of ᾱ, log-SNR and levels.

        For invalid betas the verdict says why, and the rest is hidden.
        """
        with report_errors():
            try:
                betas = parse_betas(levels, first, last, class_name)
            except UserError as error:
                hidden = dict.fromkeys((self.alpha_bar_plot, self.log_snr_plot, self.levels_plot))
                message = f"## {error_message(error)}"
                return {self.verdict: message, self.noised_picture: hide_value(), **hidden}
            alpha_bar, log_snr = curves(betas)
            return {
                self.verdict: verdict_heading(betas),
                self.noised_picture: show_value(noised_image(betas, class_name)),
                self.alpha_bar_plot: table(alpha_bar, CURVE_COLUMNS),
                self.log_snr_plot: table(log_snr, CURVE_COLUMNS),
                self.levels_plot: table(visited_levels(betas, STEPS), LEVEL_COLUMNS),
            }

    def draw(self, levels: float, first: float, last: float, class_name: str) -> dict[Any, Any]:
        """Draw the same seeds with the betas and with cosine."""
        with monitor_request(self.demo, "story") as wrap_steps:
            betas = parse_betas(levels, first, last, class_name)
            custom = draw_samples(self.demo, betas, class_name, STEPS, wrap_steps)
            cosine = draw_samples(self.demo, COSINE, class_name, STEPS, wrap_steps)
            return self.custom.show(custom) | self.cosine.show(cosine)


class SchedulePanel:
    """The components that show the samples of one schedule."""

    def __init__(self) -> None:
        self.sentence = gr.Markdown()
        self.filmstrip = picture("one image's way from noise")
        self.images = picture("eight images")

    def outputs(self) -> list[Any]:
        """Return the components that `show` updates."""
        return [self.sentence, self.filmstrip, self.images]

    def show(self, samples: Samples) -> dict[Any, Any]:
        """Return updates that show samples."""
        return {
            self.sentence: samples.sentence(),
            self.filmstrip: show_value(filmstrip(samples.trajectory)),
            self.images: show_value(samples.picture),
        }


def parse_betas(levels: float, first: float, last: float, class_name: str) -> LinearBetas:
    """Return the noise schedule for a visitor's inputs.

    Raises:
        RequestError: a value is out of bounds.
        ConfigError: the betas fall.
    """
    request = CustomScheduleRequest(as_int(levels), first, last, class_name)
    return LinearBetas(request.num_levels, request.first_beta, request.last_beta)


def verdict_heading(betas: LinearBetas) -> str:
    """Return the verdict on a schedule as a heading."""
    check = check_schedule(betas, STEPS)
    return f"## {check.name}: {check.verdict}"


def _build_beta_sliders() -> list[Any]:
    """Lay out the sliders of a noise schedule: T, the first beta and the last."""
    levels, first, last = dataclasses.astuple(STUDENT_BETAS)
    return [
        gr.Slider(*NUM_LEVELS_RANGE, levels, step=10, label="T", min_width=200),
        gr.Slider(*FIRST_BETA_RANGE, first, step=1e-5, label="First beta", min_width=200),
        gr.Slider(*LAST_BETA_RANGE, last, step=0.001, label="Last beta", min_width=200),
    ]
