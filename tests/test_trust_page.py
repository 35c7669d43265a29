"""Tests of Trust in a browser: its pictures, tables and the sentences on them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from fashion_ddpm.generation.preview import SHOWN_STEPS
from fashion_ddpm.publishing.space_trial import find_free_port
from tests.tools.browsing import DESKTOP, PHONE, keep_after_restart, open_page
from tests.tools.hands import Traffic
from tests.tools.serving import run_app

pytestmark = pytest.mark.slow


LOADED = """images => Promise.all(
  images.map((image) => image.decode().then(() => true, () => false)))"""
"""JavaScript: waits for pictures, and returns for each whether it could be loaded."""


@pytest.fixture(params=[DESKTOP, PHONE], ids=["mouse", "finger"])
def trust(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The tab on a desktop, and on a phone with a touch screen."""
    with open_page(browser, f"{address}/?tab=trust", **request.param) as page:
        expect(page.locator("#training img").first).to_be_visible()
        yield page


def choose_class(page: Page, name: str) -> None:
    """Choose a class in the menu above the points of training."""
    page.get_by_label("Class to watch").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_a_class_is_shown_at_each_point_of_training_and_step(trust: Page) -> None:
    table = trust.get_by_role("table", name="ankle boot, seed 9")
    heads = ["trained on", f"generation: step of {SHOWN_STEPS[-1]}", "noise"]
    expect(table.locator("thead th")).to_have_text([*heads, *map(str, SHOWN_STEPS)])
    points = table.locator("tbody th").all_inner_texts()
    counts = [int(re.sub(r"\D", "", point)) for point in points]
    assert counts == sorted(counts)
    before = table.locator("img").first.get_attribute("src")
    choose_class(trust, "bag")
    table = trust.get_by_role("table", name="bag, seed 8")
    pictures = table.locator("img")
    expect(pictures).to_have_count(len(points))
    assert pictures.first.get_attribute("src") != before
    for picture, point in zip(pictures.all(), points, strict=True):
        expect(picture).to_have_attribute("alt", re.compile(f"bag, seed 8, after {point}: "))
    box = table.bounding_box()
    assert box is not None
    width = trust.evaluate("document.documentElement.clientWidth")
    assert 0 <= box["x"] < box["x"] + box["width"] <= width


def test_matrices_and_the_loss_chart_are_told_in_sentences(trust: Page) -> None:
    for name in ("report", "scorer"):
        part = trust.locator(f"#{name}-confusion")
        expect(part.locator("tbody tr")).to_have_count(10)
        expect(part).to_contain_text(re.compile(r"is highest .+ shirt lowest"))
    expect(trust.get_by_text("the training loss falls from")).to_be_visible()
    expect(trust.locator("text", has_text="images seen in this run").first).to_be_visible()
    expect(trust.locator("text", has_text="loss (no unit)").first).to_be_visible()


def test_pictures_are_there_when_the_server_was_restarted_before_the_tab_was_opened(
    browser: Browser,
) -> None:
    port = {"GRADIO_SERVER_PORT": str(find_free_port())}
    page = browser.new_page()
    traffic = Traffic()
    traffic.watch(page)
    refused: list[str] = []

    def record_refusal(response: Response) -> None:
        if response.status >= 400:
            refused.append(response.url)

    with run_app(environment=port) as app:
        page.goto(app.address)
        expect(page.get_by_text("Ready-made samples")).to_be_visible()
        traffic.settle(page)
        keep_after_restart(page, app.address)
    with run_app(environment=port):
        page.on("response", record_refusal)
        page.get_by_role("tab", name="Trust").click()
        tab = page.get_by_role("tabpanel").filter(has_text="The report card")
        expect(tab.locator("img").last).to_be_visible()
        assert all(tab.locator("img").evaluate_all(LOADED))
        choose_class(page, "coat")
        expect(page.get_by_role("table", name="coat, seed 4")).to_be_visible()
        assert all(tab.locator("img").evaluate_all(LOADED))
    page.close()
    assert not [url for url in refused if re.search(r"\.(png|webp)|file=", url)]
