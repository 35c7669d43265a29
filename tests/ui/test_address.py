"""Tests of what makes tabs addressable; test_hands has it in a browser."""

import gradio as gr

from fashion_ddpm.ui.address import keep_tabs


def test_every_tab_is_put_into_the_address_by_its_own_name() -> None:
    with gr.Blocks() as page:
        with gr.Tabs() as tabs:
            each = [gr.Tab(name, id=name.lower()) for name in ("One", "Two")]
        keep_tabs(page, tabs, each)
    scripts = [str(fn.js) for fn in page.fns.values()]
    for name in ("one", "two"):
        assert sum(f'=== "{name}") return' in script for script in scripts) == 1
    assert sum("['one', 'two'].includes(asked)" in script for script in scripts) == 2
