"""The Why blurry? tab: cause and repair the student's failure by hand."""

import dataclasses
from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.demo.gallery import STORY_CLASS
from fashion_ddpm.demo.game_requests import (
    FIRST_BETA_RANGE,
    LAST_BETA_RANGE,
    NUM_LEVELS_RANGE,
    CustomScheduleRequest,
)
from fashion_ddpm.demo.trajectory import filmstrip
from fashion_ddpm.demo.why_blurry import (
    COSINE,
    FIXES,
    GUESSES,
    HALF_FIX,
    HALF_FIX_NAME,
    Samples,
    answer_guess,
    draw_samples,
    explorer_data,
    parse_settings,
    to_betas,
    to_request,
)
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.diffusion.schedules import STUDENT_BETAS, LinearBetas
from fashion_ddpm.ui.components import (
    LATEST_RUN,
    NO_QUEUE,
    browser_html,
    hide_value,
    monitor_request,
    picture,
    read_asset,
    show_value,
)
from fashion_ddpm.ui.story import build_story_switch

STEPS = 20
GENERATING = "Generating …"

INTRODUCTION = r"""A student's loss fell, yet the samples were grey haze. The loss measures only the
noise levels of training, and sampling starts beyond them: that is what has to be repaired.

Training mixes image and noise, $x_t=\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\,\varepsilon$;
sampling starts from pure noise, as if $\bar\alpha_T$ were 0. With T = 100 and betas up to 0.02,
$\sqrt{\bar\alpha_T}$ is 0.6: **60 % of the image's amplitude is still there** at the noisiest
level. The network never learned the first step."""

QUESTION = """### Predict, then see
The student doubles T from 100 to 200 and keeps the betas. **Fixed or still broken?**"""

SHOW_HALF_FIX = f"""() => {{
  const buttons = [...document.querySelectorAll("#explorer .presets button")];
  buttons.find((button) => button.textContent === "{HALF_FIX_NAME}")?.click();
}}"""
"""JavaScript: sets the explorer to what was guessed, so that its charts show why."""

MOVE = """### Break it and repair it yourself
Move a slider, type a number, or drag the end of the β line: everything follows at once."""

SAMPLE = """### See what the network makes of it
This demo's network, which was trained down to pure noise, generates the *same* seeds with your
schedule and with cosine."""

CHECK = """### Check your own schedule
Paste all betas, or just T, the first and the last beta. Nothing leaves your browser."""

DRAG_HINT = 'Drag the point: in the <b class="gap">red</b>, too little noise is added.'

MAX_LEVELS = 10_000
"""Most betas that the schedule check takes."""


class WhyBlurry:
    """The tab's components and event handlers."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.data = explorer_data(STEPS)
        gr.Markdown(
            INTRODUCTION,
            latex_delimiters=[{"left": "$", "right": "$", "display": False}],
            elem_id="story",
        )
        build_story_switch("why", opens_why=False)
        self._build_tour()
        self._build_prediction()
        gr.Markdown(MOVE)
        self.explorer = self._build_explorer()
        gr.Markdown(SAMPLE)
        draw = gr.Button("Sample both from the same seeds", variant="primary")
        self.custom, self.cosine = _build_panels(has_trajectory=True)
        samples = [*self.custom.outputs(), *self.cosine.outputs()]
        draw.click(self.draw, self.explorer, samples, **LATEST_RUN)
        gr.Markdown(CHECK)
        self._build_check()

    def _build_tour(self) -> None:
        """Lay out the story in five steps, which run in the browser."""
        repaired = FIXES["Fix: T = 1000"]
        browser_html(
            "",
            "schedule_tour",
            styles=["schedule_charts.css"],
            data={
                "image": self.data["images"][STORY_CLASS],
                "noise": self.data["noise"],
                "size": self.data["size"],
                "noised": self.data["cosine"]["noised"],
                "student": check_schedule(STUDENT_BETAS).terminal_alpha_bar,
                "repaired": check_schedule(repaired).terminal_alpha_bar,
            },
            elem_id="tour",
        )

    def _build_prediction(self) -> None:
        """Lay out the question about T = 200, which a guess answers."""
        gr.Markdown(QUESTION)
        with gr.Row():
            buttons = [gr.Button(guess, size="sm") for guess in GUESSES]
        self.answer = gr.Markdown(elem_id="answer")
        self.predicted, self.repaired = _build_panels(has_trajectory=False)
        panels = [*self.predicted.outputs(), *self.repaired.outputs()]
        for guess, button in zip(GUESSES, buttons, strict=True):
            button.click(partial(answer_guess, guess), None, self.answer, **NO_QUEUE)
            button.click(None, None, None, js=SHOW_HALF_FIX, **NO_QUEUE)
            button.click(self.reveal, None, panels, **LATEST_RUN)

    def _build_explorer(self) -> gr.HTML:
        """Lay out the sliders, the verdict, the noised image and the charts."""
        return browser_html(
            dataclasses.asdict(to_request(STUDENT_BETAS)),
            "schedule_explorer",
            template=read_asset("schedule_explorer.html") + _charts_html(DRAG_HINT),
            styles=["schedule_charts.css"],
            data={
                **self.data,
                "presets": [_preset(name, betas) for name, betas in FIXES.items()],
                "bounds": {
                    "num_levels": NUM_LEVELS_RANGE,
                    "first_beta": FIRST_BETA_RANGE,
                    "last_beta": LAST_BETA_RANGE,
                },
            },
            elem_id="explorer",
        )

    def _build_check(self) -> None:
        """Lay out the check of a visitor's own schedule, which runs in the browser."""
        browser_html(
            "",
            "schedule_check",
            template=read_asset("schedule_check.html").replace("@charts", _charts_html("")),
            styles=["schedule_charts.css"],
            data={
                key: self.data[key]
                for key in ("max_terminal_alpha_bar", "min_alpha_bar", "steps", "cosine")
            }
            | {"max_levels": MAX_LEVELS},
            elem_id="schedule-check",
        )

    def reveal(self) -> Iterator[dict[Any, Any]]:
        """Generate with T = 200, and with cosine."""
        with monitor_request(self.demo, "story") as wrap_steps:
            request = to_request(HALF_FIX)
            yield from self._sample_both(request, (self.predicted, self.repaired), wrap_steps)

    def draw(self, settings: Any) -> Iterator[dict[Any, Any]]:
        """Generate the same seeds with the explorer's betas, and with cosine."""
        with monitor_request(self.demo, "story") as wrap_steps:
            request = parse_settings(settings)
            yield from self._sample_both(request, (self.custom, self.cosine), wrap_steps)

    def _sample_both(
        self,
        request: CustomScheduleRequest,
        panels: tuple["SchedulePanel", "SchedulePanel"],
        wrap_steps: StepWrapper,
    ) -> Iterator[dict[Any, Any]]:
        """Generate with the betas and with cosine; yield what changes on the page."""
        first, second = panels
        yield first.clear(GENERATING) | second.clear()
        updates: dict[Any, Any] = {}
        schedules: tuple[LinearBetas | str, ...] = (to_betas(request), COSINE)
        try:
            for panel, schedule in zip(panels, schedules, strict=True):
                samples = draw_samples(self.demo, schedule, request.class_name, STEPS, wrap_steps)
                updates |= panel.show(samples)
            yield updates
        except Exception:
            yield first.clear()
            raise


class SchedulePanel:
    """The components that show the samples of one schedule."""

    def __init__(self, has_trajectory: bool) -> None:
        self.sentence = gr.Markdown()
        self.images = picture("eight generated images")
        self.filmstrip = (
            picture("denoising trajectory of the first: noisy above, predicted clean image below")
            if has_trajectory
            else None
        )

    def outputs(self) -> list[Any]:
        """Return the components that `show` updates."""
        return [each for each in (self.sentence, self.images, self.filmstrip) if each]

    def clear(self, sentence: str = "") -> dict[Any, Any]:
        """Return updates that hide the pictures."""
        return dict.fromkeys(self.outputs(), hide_value()) | {self.sentence: sentence}

    def show(self, samples: Samples) -> dict[Any, Any]:
        """Return updates that show samples."""
        updates: dict[Any, Any] = {
            self.sentence: samples.sentence(),
            self.images: show_value(samples.picture, alt_text=samples.alt_text()),
        }
        if self.filmstrip:
            updates[self.filmstrip] = show_value(filmstrip(samples.trajectory))
        return updates


def _build_panels(has_trajectory: bool) -> tuple[SchedulePanel, SchedulePanel]:
    """Lay out two panels side by side; on a phone, one below the other."""
    panels = []
    with gr.Row():
        for _ in range(2):
            with gr.Column(min_width=300):
                panels.append(SchedulePanel(has_trajectory))
    return panels[0], panels[1]


def _charts_html(hint: str) -> str:
    html = read_asset("schedule_charts.html")
    return html.replace("@hint", hint).replace("@steps", str(STEPS))


def _preset(name: str, betas: LinearBetas) -> dict[str, Any]:
    """Return what a preset's button changes in the explorer, and its name."""
    settings = dataclasses.asdict(to_request(betas))
    del settings["class_name"]
    return {"name": name, **settings}
