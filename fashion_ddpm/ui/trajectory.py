"""An image's denoising trajectory: a player in the browser, a GIF, endings as other classes."""

import dataclasses
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from fashion_ddpm.core.requests import check_integer
from fashion_ddpm.demo.compare import sampling_in_words
from fashion_ddpm.demo.continuation import continue_trajectory
from fashion_ddpm.demo.engine import Demo, offered_schedules
from fashion_ddpm.demo.results import Result
from fashion_ddpm.demo.trajectory import (
    animate,
    decision,
    describe_curves,
    gif_name,
    score_curves,
    select_frames,
    sigma_text,
)
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    LATEST_RUN,
    NO_QUEUE,
    SERIAL_QUEUE,
    as_int,
    browser_html,
    hide_value,
    monitor_request,
    picture_gallery,
    report_errors,
    show_value,
)
from fashion_ddpm.ui.page import save_pil_atomically
from fashion_ddpm.ui.session import NO_IMAGE_YET, SELECTION_CHANGED, SelectedImage, Selection

TITLE = "## Denoising trajectory"
BRANCH = """**What if it became something else?** Pick a step above: from that noisy image we
continue once per {noun}. Early on, it can still become anything."""

BRANCH_BUTTON = "Branch from this step"
GIF_BUTTON = "Download as GIF"

READ_STEP = """(selection, query, index, step, schedule) => {
  const player = document.querySelector("#trajectory-player [data-step]");
  return [selection, query, index, player ? Number(player.dataset.step) : step, schedule];
}"""
"""JavaScript: puts the step that the player shows among the inputs of a branch."""

SAVE_FILE = """(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  link.click();
}"""
"""JavaScript: downloads a file that the server has just made."""


class TrajectoryPanel:
    """The components that show the trajectory of the selected image.

    Args:
        demo: the loaded model.
        selected: the selected image.
        first: the images that the page opens with, if there are any.
    """

    def __init__(self, demo: Demo, selected: SelectedImage, first: Result | None) -> None:
        self.demo = demo
        self._runs: WeakKeyDictionary[Result, dict[str, Any]] = WeakKeyDictionary()
        gr.Markdown(TITLE)
        # Everything in it moves in the browser; the server sends a run's frames once.
        self.player = browser_html(
            self._player_value(first, 0) if first else None,
            "trajectory",
            elem_id="trajectory-player",
        )
        with gr.Row():
            gif = gr.Button(GIF_BUTTON, size="md", scale=0, min_width=200)
        file = gr.File(visible="hidden")
        gr.Markdown(BRANCH.format(noun=demo.kind.class_noun))
        self.schedules = offered_schedules(demo)
        with gr.Row():
            chosen = first.request.schedule if first else self.schedules[0]
            self.schedule = gr.Dropdown(
                self.schedules, value=chosen, label="Schedule for the remaining steps"
            )
            button = gr.Button(BRANCH_BUTTON)
        step = gr.Number(1, visible="hidden")
        self.endings_text = gr.Markdown()
        self.endings = picture_gallery(None, 5, "endings")
        button.click(
            self.draw_endings,
            [*selected.inputs(), step, self.schedule],
            [self.endings, self.endings_text],
            js=READ_STEP,
            **LATEST_RUN,
        )
        clicked = [selected.selection, selected.query]
        made = gif.click(self.make_gif, clicked, file, **SERIAL_QUEUE, **ALWAYS_LAST)
        made.success(None, file, None, js=SAVE_FILE, **NO_QUEUE)

    def show(self, result: Result, index: int) -> dict[Any, Any]:
        """Return updates that show the trajectory of one image and clear the endings."""
        schedule = result.request.schedule
        return {
            self.player: self._player_value(result, index),
            self.schedule: schedule if schedule in self.schedules else gr.skip(),
            self.endings: hide_value(),
            self.endings_text: "",
        }

    def outputs(self) -> list[Any]:
        """Return the components that `show` updates."""
        return [self.player, self.schedule, self.endings, self.endings_text]

    def _player_value(self, result: Result, index: int) -> dict[str, Any]:
        """Return what the player shows, as assets/trajectory.js reads it."""
        trajectory = self.demo.trajectory(result, index)
        curves = score_curves(trajectory)
        return {
            **self._run_value(result),
            "selected": index,
            "curves": [dataclasses.asdict(curve) for curve in curves],
            "chart": describe_curves(curves),
            "decision": decision(trajectory),
        }

    def _run_value(self, result: Result) -> dict[str, Any]:
        """Return what the player shows of a run whichever image is selected.

        It is made once, and again only where gradio has deleted the file of the sprite.
        """
        run = self._runs.get(result)
        if run and Path(run["sprite"]["path"]).exists():
            return run
        frames = select_frames(result)
        sprite = save_pil_atomically(
            frames.sprite(), get_upload_folder(), name="trajectory", format="png"
        )
        run = {
            "sprite": FileData(path=sprite, mime_type="image/png").model_dump(),
            "steps": [step + 1 for step in frames.steps],
            "num_steps": len(result.noisy),
            "sigmas": [sigma_text(float(result.alpha_bar[step])) for step in frames.steps],
            "captions": [result.caption(each) for each in range(result.request.num_images)],
            "id": result.settings.to_query(),
            "settings": sampling_in_words(result.request),
        }
        self._runs[result] = run
        return run

    @staticmethod
    def make_gif(selection: Selection, query: str) -> Any:
        """Return the path of an animated GIF of the images that the page shows."""
        with report_errors():
            result = selection.images(query)
            if result is None:
                raise gr.Error(NO_IMAGE_YET, print_exception=False)
            return save_bytes_to_cache(animate(result), gif_name(result), get_upload_folder())

    def draw_endings(
        self, selection: Selection, query: str, index: int, step: Any, schedule: str
    ) -> dict[Any, Any]:
        """Continue the selected image's trajectory from one step, once as each class."""
        with monitor_request(self.demo, "continuation") as wrap_steps:
            image = selection.image(query, index)
            if image is None:
                message = SELECTION_CHANGED if query else NO_IMAGE_YET
                return {self.endings: hide_value(), self.endings_text: message}
            check_integer("step", as_int(step), 1, len(image[0].noisy))
            result = continue_trajectory(self.demo, *image, int(step) - 1, schedule, wrap_steps)
            if selection.image(query, index) != image:
                return {self.endings: hide_value(), self.endings_text: SELECTION_CHANGED}
        endings = [(ending.picture, ending.caption) for ending in result.endings]
        return {self.endings: show_value(endings), self.endings_text: result.sentence()}
