"""The failure and its repair: three rows of images from the same seeds, and their switch."""

from html import escape

import gradio as gr
import torch

from fashion_ddpm.core.images import make_grid, png_url
from fashion_ddpm.demo.gallery import BROKEN, REPAIRED, STUDENT, load_story
from fashion_ddpm.ui.components import read_asset

QUESTION = "Same seeds, one wrong setting"

ROWS = {
    STUDENT: (
        "Student's network",
        "Grey haze: trained as in a student's report, where 60 % of the amplitude was left at "
        "the noisiest level. Sampling starts from pure noise, which it never saw: it must be "
        "trained again.",
        "Eight grey hazy squares in which no boot can be recognized",
    ),
    BROKEN: (
        "Broken schedule",
        "Left-over grain: this demo's network, which is good, but sampled with the student's noise "
        "schedule.",
        "Eight squares of grey speckles in which no boot can be recognized",
    ),
    REPAIRED: (
        "Repaired",
        "The network and the seeds of “Broken schedule”: only the noise schedule of sampling is "
        "different. It starts at pure noise, with which this network was trained.",
        "Eight clear ankle boots",
    ),
}
"""Row → name, explanation, alternative text."""


def build_story_switch(name: str, opens_why: bool) -> None:
    """Lay out the three rows, of which one is shown, and the switch; nothing if they are missing.

    Args:
        name: unique on the page.
        opens_why: whether to add a button that opens the tab with the explanation.
    """
    story = load_story()
    if story is None:
        return
    choices, figures = [], []
    for row, (title, text, alt) in ROWS.items():
        checked = " checked" if row == STUDENT else ""
        choices.append(
            f'<label><input type="radio" name="story-{name}" value="{row}"{checked}>'
            f"<span>{title}</span></label>"
        )
        images = torch.from_numpy(story.rows[row])
        source = png_url(make_grid(images, columns=len(images)))
        figures.append(
            f'<figure class="{row}"><img src="{source}" alt="{escape(alt)}"><figcaption>{text}'
            "</figcaption></figure>"
        )
    button = '<button type="button" data-opens-tab="why">Why?</button>' if opens_why else ""
    gr.HTML(
        f'<div class="story"><fieldset><legend>{QUESTION}</legend>{"".join(choices)}</fieldset>'
        f'<div aria-live="polite">{"".join(figures)}</div>{button}</div>',
        elem_id=f"story-{name}",
        css_template=read_asset("story.css"),
        js_on_load=None,
    )
