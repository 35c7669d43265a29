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
    ALWAYS_LAST,
    NETWORK,
    PRIVATE,
    QUEUED,
    UNPROCESSED,
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

FIXES: dict[str, LinearBetas] = {
    "The report: T = 100": STUDENT_BETAS,
    "Twice the levels: T = 200": LinearBetas(200, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end),
    "Fix: T = 1000": LinearBetas(1000, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end),
    "Fix: betas × 10": LinearBetas(100, 10 * STUDENT_BETAS.beta_start, 10 * STUDENT_BETAS.beta_end),
}
"""Button → betas: one thing changed at a time."""


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    @staticmethod
    def explain(total: float, first: float, last: float, class_name: str) -> tuple[Any, ...]:
        """Return the verdict, the noised images, and the plots of ᾱ, log-SNR and levels.

        For betas that cannot be, the verdict says why, and the rest goes until they can.
        """
        with show_mistakes():
            try:
                betas = betas_of(total, first, last, class_name)
            except UserError as error:
                return f"## {as_text(error)}", emptied(), None, None, None
            check = check_schedule(betas, STEPS)
            power, ratio = curves(betas)
            verdict = f"## {check.name}: {check.verdict}"
            dots = table(visited(betas, STEPS), VISITED)
            picture = filled(noised(betas, class_name))
            return verdict, picture, table(power, CURVE), table(ratio, CURVE), dots

    def draw(self, total: float, first: float, last: float, class_name: str) -> tuple[Any, ...]:
        """Return filmstrip, images and sentence for the betas, then the same for cosine."""
        with monitored(self.demo, "story") as watch:
            betas = betas_of(total, first, last, class_name)
            sides = [
                sampled(self.demo, schedule, class_name, STEPS, watch)
                for schedule in (betas, COSINE)
            ]
            titles = (str(betas), COSINE)
            shown = [_shown(*pair, class_name) for pair in zip(titles, sides, strict=True)]
            return (*shown[0], *shown[1])


def betas_of(total: float, first: float, last: float, class_name: str) -> LinearBetas:
    """Return the noise schedule that a visitor made.

    Raises:
        RequestError: a value is out of bounds.
        ConfigError: the betas fall.
    """
    asked = CustomScheduleRequest(whole(total), first, last, class_name)
    return LinearBetas(asked.levels, asked.first_beta, asked.last_beta)


def _shown(title: str, side: Sampled, class_name: str) -> tuple[Any, ...]:
    score = "no label score" if side.score is None else f"label score {side.score:.0%}"
    sentence = f"**{title}**: {score} as {class_name}, mean of eight images"
    return sentence, filled(filmstrip(side.trajectory)), filled(side.picture)


def build(demo: Demo) -> None:
    """Lay the tab out."""
    handlers = Handlers(demo)
    gr.Markdown(
        INTRODUCTION,
        latex_delimiters=[{"left": "$", "right": "$", "display": False}],
        elem_id="story",
    )
    with gr.Row():
        buttons = [gr.Button(name, size="sm") for name in FIXES]
    with gr.Row():
        total = gr.Slider(
            *STORY_LEVELS, STUDENT_BETAS.num_train_timesteps, step=10, label="T", min_width=200
        )
        first = gr.Slider(
            *FIRST_BETAS, STUDENT_BETAS.beta_start, step=1e-5, label="First beta", min_width=200
        )
        last = gr.Slider(
            *LAST_BETAS, STUDENT_BETAS.beta_end, step=0.001, label="Last beta", min_width=200
        )
        class_name = gr.Dropdown(list(CLASS_NAMES), value=GARMENT, label="Garment of the story")
    betas = [total, first, last, class_name]
    start = handlers.explain(
        STUDENT_BETAS.num_train_timesteps, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end, GARMENT
    )
    verdict = gr.Markdown(start[0])
    gr.Markdown(
        "A real image at ten of the levels: your betas above, cosine below. Is the last one noise?"
    )
    levels = picture("a real image, more and more noisy", start[1]["value"])
    with gr.Row():
        plots = _plots(start[2:])
    draw = gr.Button("Draw the same seeds with both", variant="primary", elem_id="draw-both")
    outputs = [*_side(), *_side()]
    explained: list[Any] = [verdict, levels, *plots]
    gr.on(
        [total.change, first.change, last.change, class_name.change],
        handlers.explain,
        betas,
        explained,
        **QUEUED,
        **ALWAYS_LAST,
        **UNPROCESSED,
    )
    draw.click(handlers.draw, betas, outputs, **NETWORK, **ALWAYS_LAST, **UNPROCESSED, **PRIVATE)
    for button, fix in zip(buttons, FIXES.values(), strict=True):
        values: Any = dataclasses.astuple(fix)
        button.click(lambda values=values: values, None, betas[:3], **UNQUEUED).then(
            None, None, None, js=DRAW_BOTH, **UNQUEUED
        )


def _plots(values: tuple[Any, ...]) -> list[Any]:
    """Lay out the curves of ᾱ and log-SNR, and the levels that a sample visits."""
    with gr.Column(min_width=280):
        gr.Markdown("ᾱ: what is left of the image")
        power = line_plot(values[0], CURVE, COLOURS, height=220)
    with gr.Column(min_width=280):
        gr.Markdown("The logarithm of signal over noise")
        ratio = line_plot(values[1], CURVE, COLOURS, height=220)
    with gr.Column(min_width=280):
        gr.Markdown(f"The levels that {STEPS} steps visit")
        step, schedule, level = VISITED
        dots = gr.ScatterPlot(
            values[2],
            x=step,
            y=level,
            color=schedule,
            color_map=COLOURS,
            colors_in_legend=[],
            height=220,
            show_label=False,
        )
    return [power, ratio, dots]


def _side() -> list[Any]:
    """Lay out what one schedule makes."""
    sentence = gr.Markdown()
    film = picture("one image's way from noise")
    images = picture("eight images")
    return [sentence, film, images]
