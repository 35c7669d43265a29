"""Tests of "check your own schedule" in a browser: what may be pasted, and the lines to copy."""

from collections.abc import Iterator

import numpy as np
import pytest
from diffusers import DDPMScheduler
from playwright.sync_api import Browser, Page, expect

from fashion_ddpm.diffusion.schedule_check import MAX_TERMINAL_ALPHA_BAR
from fashion_ddpm.diffusion.schedules import alpha_bars
from tests.tools.browsing import DESKTOP, PHONE, open_page

pytestmark = pytest.mark.slow


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Page]:
    """Why blurry? on a desktop."""
    with open_page(browser, f"{address}/?tab=why", **DESKTOP) as page:
        expect(page.locator("#own-betas")).to_be_visible()
        yield page


MISTAKES = {
    "0.1, abc": "“abc” is not a number",
    "0.1": "at least two betas",
    "0.1 0.2 1.5 0.1": "Beta number 3 is 1.5",
    "1000, 0.02, 0.0001": "must rise",
    "20000, 0.0001, 0.02": "from 2 to 10,000",
    "0.1 " * 10_001: "These are 10,001 betas; at most 10,000",
}


def test_a_schedule_that_cannot_be_read_is_told_in_a_sentence(desktop: Page) -> None:
    field = desktop.locator("#own-betas")
    for text, words in MISTAKES.items():
        field.fill(text)
        expect(desktop.locator("#own-verdict")).to_contain_text(words)
        expect(desktop.locator("#schedule-check .result")).to_be_hidden()
    field.fill("")
    expect(desktop.locator("#own-verdict")).to_be_hidden()


FORMS = (
    "100 0.0001 0.02",
    "DDPMScheduler(num_train_timesteps=100, beta_start=0.0001, beta_end=0.02)",
    f"tensor({np.linspace(1e-4, 0.02, 100).tolist()}, dtype=torch.float32)",
    "\n".join(map(str, np.linspace(1e-4, 0.02, 100))),
)


def test_a_schedule_may_be_pasted_in_many_forms(desktop: Page) -> None:
    for text in FORMS:
        desktop.locator("#own-betas").fill("")
        expect(desktop.locator("#own-verdict")).to_be_hidden()
        desktop.locator("#own-betas").fill(text)
        broken = "Broken: at the noisiest level 60 %"
        expect(desktop.locator("#own-verdict")).to_contain_text(broken)
        expect(desktop.locator("#schedule-check svg:not(.betas) rect.gap")).to_have_count(2)


def test_ten_thousand_betas_are_checked(desktop: Page) -> None:
    desktop.locator("#own-betas").fill(", ".join(["0.002"] * 10_000))
    expect(desktop.locator("#own-verdict")).to_contain_text("Good")
    expect(desktop.locator("#schedule-check .repair")).to_be_hidden()


@pytest.mark.parametrize(("example", "left"), [("student's report", "60 %"), ("Stable", "6.83 %")])
def test_the_copied_lines_repair_the_schedule(
    browser: Browser, address: str, example: str, left: str
) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    with open_page(browser, f"{address}/?tab=why", permissions=permissions, **PHONE) as page:
        page.get_by_role("button", name=f"Example: {example}").tap()
        expect(page.locator("#own-verdict")).to_contain_text(left)
        betas = [float(word) for word in page.locator("#own-betas").input_value().split(", ")]
        for copy in page.get_by_role("button", name="Copy", exact=True).all():
            copy.tap()
            expect(page.locator("#schedule-check .copied")).to_have_text("Copied.")
            line = page.evaluate("navigator.clipboard.readText()")
            names = {"DDPMScheduler": DDPMScheduler, "betas": betas}
            scheduler = eval(line, {"__builtins__": {}}, names)  # noqa: S307 - our own line
            assert scheduler.config["prediction_type"] == "v_prediction"
            assert alpha_bars(scheduler)[-1] < MAX_TERMINAL_ALPHA_BAR
            assert len(scheduler.betas) == (100 if "student" in example else 1000)
        page.get_by_role("button", name="Clear", exact=True).tap()
        expect(page.locator("#schedule-check .result")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
