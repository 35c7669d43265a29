"""Tests of the contact sheet's handlers."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.contact_sheet import orders
from fashion_ddpm.demo import Demo
from fashion_ddpm.ui.compare import Handlers
from fashion_ddpm.ui.current_run import CurrentRun


def test_the_sheet_grows_cell_by_cell(tiny_checkpoint: Path) -> None:
    current = CurrentRun()
    events = Handlers(Demo(tiny_checkpoint)).draw(current, current.begin(), "coat", "sampler", 0.0)
    for count in (1, 2):
        pictures, status, requests = next(events)
        assert len(pictures["value"]) == count
        assert status == f"{count} of {len(requests)} cells"
    current.stop()
    ((_, status, _),) = events
    assert status == f"Stopped: 2 of {len(requests)} cells."


def test_a_cell_opens_with_all_its_settings(tiny_checkpoint: Path) -> None:
    wanted = orders(Demo(tiny_checkpoint), "coat", 3, "guidance")
    requests = [order.request for order in wanted]
    event: Any = SimpleNamespace(index=5)
    tabs, advanced, *settings = Handlers.open(requests, event)
    assert tabs.selected == "create"
    assert advanced.open
    assert settings == ["coat", "cosine", 10, "dpm++2m", 1.5, 8, 3, False]


def test_a_mistake_is_a_message(tiny_checkpoint: Path) -> None:
    with pytest.raises(gr.Error, match="seed is -1"):
        next(Handlers(Demo(tiny_checkpoint)).draw(CurrentRun(), 0, "coat", "sampler", -1))
