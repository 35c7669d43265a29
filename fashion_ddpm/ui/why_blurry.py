"""The third tab: the report's failure, to be caused and repaired by hand."""

import dataclasses
from typing import Any

import gradio as gr

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.game_requests import (
    FIRST_BETAS,
    LAST_BETAS,
    STORY_LEVELS,
    CustomScheduleRequest,
)
from fashion_ddpm.demo.trajectory import filmstrip
from fashion_ddpm.demo.why_blurry import COSINE, YOURS, Sampled, curves, noised, sampled, visited
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.diffusion.schedules import STUDENT_BETAS, LinearBetas
from fashion_ddpm.ui.components import (
    NEWEST,
    NEWEST_RUN,
    UNQUEUED,
    as_text,
    emptied,
    filled,
    line_plot,
    monitored,
    picture,
    show_mistakes,
    table,
    whole,
)

STEPS = 20
GARMENT = "ankle boot"
DRAW_BOTH = """() => document.querySelector("#draw-both").click()"""
"""In the browser, so that all who draw share one event, and the newest betas win."""

CURVE = ("t / T", "schedule", "value")
VISITED = ("step", "schedule", "log SNR")
COLOURS = {YOURS: "#4f46e5", COSINE: "#ea580c"}

INTRODUCTION = r"""A student's network learned well, its loss fell, and its images were haze.
Training adds noise, $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\varepsilon$;
sampling starts from pure noise, as if $\bar\alpha_T$ were 0. With T = 100 and betas up to 0.02 it
is 0.36: **60 % of the image is still there** in the noisiest picture the network ever saw. It was
never taught to begin. Below, the *same* network draws the *same* seeds with any betas you choose,
beside cosine."""

NOISED = "A real image at ten of the levels: your betas above, cosine below. Is the last one noise?"

FIXES: dict[str, LinearBetas] = {
    "The report: T = 100": STUDENT_BETAS,
    "Twice the levels: T = 200": LinearBetas(200, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end),
    "Fix: T = 1000": LinearBetas(1000, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end),
    "Fix: betas × 10": LinearBetas(100, 10 * STUDENT_BETAS.beta_start, 10 * STUDENT_BETAS.beta_end),
}
"""Button → betas: one thing changed at a time."""


class WhyBlurry:
    """The tab: its components, and what happens on its events.

    Args:
        demo: the loaded model.
    """

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
            betas = _build_betas()
            class_name = gr.Dropdown(list(CLASS_NAMES), value=GARMENT, label="Garment of the story")
        self.verdict = gr.Markdown(verdict_of(STUDENT_BETAS))
        gr.Markdown(NOISED)
        first = noised(STUDENT_BETAS, GARMENT)
        self.levels = picture("a real image, more and more noisy", first)
        with gr.Row():
            self._build_plots()
        draw = gr.Button("Draw the same seeds with both", variant="primary", elem_id="draw-both")
        self.yours, self.cosine = Side(), Side()
        chosen: list[Any] = [*betas, class_name]
        explained = [self.verdict, self.levels, self.power, self.ratio, self.visited]
        gr.on([each.change for each in chosen], self.explain, chosen, explained, **NEWEST)
        sides = [*self.yours.outputs(), *self.cosine.outputs()]
        draw.click(self.draw, chosen, sides, **NEWEST_RUN)
        for button, fix in zip(buttons, FIXES.values(), strict=True):
            values: Any = dict(zip(betas, dataclasses.astuple(fix), strict=True))
            button.click(lambda values=values: values, None, betas, **UNQUEUED).then(
                None, None, None, js=DRAW_BOTH, **UNQUEUED
            )

    def _build_plots(self) -> None:
        """Lay out the curves of ᾱ and log-SNR, and the levels that a sample visits."""
        power, ratio = curves(STUDENT_BETAS)
        with gr.Column(min_width=280):
            gr.Markdown("ᾱ: what is left of the image")
            self.power = line_plot(table(power, CURVE), CURVE, COLOURS, height=220)
        with gr.Column(min_width=280):
            gr.Markdown("The logarithm of signal over noise")
            self.ratio = line_plot(table(ratio, CURVE), CURVE, COLOURS, height=220)
        with gr.Column(min_width=280):
            gr.Markdown(f"The levels that {STEPS} steps visit")
            step, schedule, level = VISITED
            self.visited = gr.ScatterPlot(
                table(visited(STUDENT_BETAS, STEPS), VISITED),
                x=step,
                y=level,
                color=schedule,
                color_map=COLOURS,
                colors_in_legend=[],
                height=220,
                show_label=False,
            )

    def explain(self, total: float, first: float, last: float, class_name: str) -> dict[Any, Any]:
        """Show the verdict, the noised images, and the plots of ᾱ, log-SNR and levels.

        For betas that cannot be, the verdict says why, and the rest goes until they can.
        """
        with show_mistakes():
            try:
                betas = betas_of(total, first, last, class_name)
            except UserError as error:
                none = dict.fromkeys((self.power, self.ratio, self.visited))
                return {self.verdict: f"## {as_text(error)}", self.levels: emptied(), **none}
            power, ratio = curves(betas)
            return {
                self.verdict: verdict_of(betas),
                self.levels: filled(noised(betas, class_name)),
                self.power: table(power, CURVE),
                self.ratio: table(ratio, CURVE),
                self.visited: table(visited(betas, STEPS), VISITED),
            }

    def draw(self, total: float, first: float, last: float, class_name: str) -> dict[Any, Any]:
        """Draw the same seeds with the betas and with cosine."""
        with monitored(self.demo, "story") as watch:
            betas = betas_of(total, first, last, class_name)
            shown = self.yours.show(sampled(self.demo, betas, class_name, STEPS, watch))
            return shown | self.cosine.show(sampled(self.demo, COSINE, class_name, STEPS, watch))


class Side:
    """What one schedule makes."""

    def __init__(self) -> None:
        self.sentence = gr.Markdown()
        self.filmstrip = picture("one image's way from noise")
        self.images = picture("eight images")

    def outputs(self) -> list[Any]:
        """Return the components that `show` fills."""
        return [self.sentence, self.filmstrip, self.images]

    def show(self, made: Sampled) -> dict[Any, Any]:
        """Return what the components shall hold."""
        return {
            self.sentence: made.sentence(),
            self.filmstrip: filled(filmstrip(made.trajectory)),
            self.images: filled(made.picture),
        }


def betas_of(total: float, first: float, last: float, class_name: str) -> LinearBetas:
    """Return the noise schedule that a visitor made.

    Raises:
        RequestError: a value is out of bounds.
        ConfigError: the betas fall.
    """
    asked = CustomScheduleRequest(whole(total), first, last, class_name)
    return LinearBetas(asked.levels, asked.first_beta, asked.last_beta)


def verdict_of(betas: LinearBetas) -> str:
    """Return what a schedule does, as a heading."""
    check = check_schedule(betas, STEPS)
    return f"## {check.name}: {check.verdict}"


def _build_betas() -> list[Any]:
    """Lay out what makes a noise schedule: T, the first beta and the last."""
    total, first, last = dataclasses.astuple(STUDENT_BETAS)
    return [
        gr.Slider(*STORY_LEVELS, total, step=10, label="T", min_width=200),
        gr.Slider(*FIRST_BETAS, first, step=1e-5, label="First beta", min_width=200),
        gr.Slider(*LAST_BETAS, last, step=0.001, label="Last beta", min_width=200),
    ]
