"""Tests of the page for another data set: its classes, and nothing about Fashion-MNIST."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Browser, expect

from fashion_ddpm.checkpoints.locate import read_class_names
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.demo.compare import cell_requests, draw_cells
from fashion_ddpm.demo.continuation import continue_trajectory
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import load_gallery, save_gallery
from fashion_ddpm.demo.game_requests import BlendRequest, RedrawRequest, WalkRequest
from fashion_ddpm.demo.play import blend, redraw, walk
from fashion_ddpm.demo.results import Result
from fashion_ddpm.demo.share import parse_query
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.publishing.model_card import HubRepos
from fashion_ddpm.publishing.model_folder import write_model_folder
from fashion_ddpm.publishing.space import check_space
from fashion_ddpm.publishing.space_folder import write_space_folder
from fashion_ddpm.scoring.degradations import draw_half_denoised
from tests.tools.browsing import open_page
from tests.tools.serving import serve_app
from tests.tools.shapes import SHAPES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
KIND = ImageKind(SHAPES, image_size=32, channels=3)


@pytest.fixture(scope="module")
def demo(shapes_checkpoint: Path) -> Demo:
    return Demo(shapes_checkpoint)


@pytest.fixture(scope="module")
def result(demo: Demo) -> Result:
    request = GenerateRequest(
        "square", num_images=2, num_inference_steps=3, seed=7, class_names=SHAPES
    )
    *_, found = demo.run(request, demo.scorers[0])
    assert isinstance(found, Result)
    return found


def test_nothing_is_scored_that_no_scorer_knows(demo: Demo, result: Result) -> None:
    assert demo.scorers[0] == "none"
    assert "embedded" not in demo.scorers
    assert result.image_scores(0) == result.mean_scores(0) == result.real_scores(0) == ({}, {})
    with pytest.raises(RequestError, match="scorer is 'embedded'; it must be one of none,"):
        next(demo.run(result.request, "embedded"))
    (cell,) = draw_cells(demo, cell_requests(demo, "circle", 0, "sampler")[:1])
    assert cell.score is None
    assert cell.score_text == ""
    assert "report" not in {each.row for each in cell_requests(demo, "circle", 0, "schedule")}
    found = continue_trajectory(demo, result, 0, 1, "cosine")
    assert [ending.caption for ending in found.endings] == list(SHAPES)
    assert "reachable" not in found.sentence()


def test_games_and_pictures_are_in_colour(demo: Demo, result: Result) -> None:
    picture, caption = result.pictures()[0]
    assert (picture.mode, picture.size, caption) == ("RGB", (256, 256), "square, seed 7")
    drawing = np.full((280, 280), 99, np.uint8)
    made = (
        blend(demo, BlendRequest("circle", "square", 0, SHAPES)),
        walk(demo, WalkRequest("circle", 0, 1, SHAPES)),
        redraw(demo, drawing, RedrawRequest("triangle", 0.5, SHAPES)),
    )
    assert {each.mode for each in made} == {"RGB"}
    assert [each.height for each in made] == [32 * 4, 32 * 4, (32 + 2 + 32) * 4]


def test_a_first_picture_of_its_own_can_be_drawn(demo: Demo, tmp_path: Path) -> None:
    assert load_gallery(demo) is None
    save_gallery(demo, tmp_path / "own.npz")
    gallery = load_gallery(demo, tmp_path / "own.npz")
    assert gallery is not None
    assert [caption for _, caption in gallery.pictures()] == [
        f"{name}, seed {seed}" for seed, name in enumerate(SHAPES)
    ]


def test_a_link_names_the_checkpoints_classes(result: Result) -> None:
    words = dict(parse_qsl(result.settings.to_query()[1:]))
    assert parse_query(words, SHAPES) == result.settings
    with pytest.raises(RequestError, match="class is 'square'"):
        parse_query(words)


def test_the_embedded_scorer_cannot_be_trained_with_it(shapes_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="the embedded scorer learns Fashion-MNIST alone"):
        draw_half_denoised(load_pipeline(shapes_checkpoint), count=1, seed=0)


def test_two_checkpoints_of_other_classes_cannot_be_compared(shapes_checkpoint: Path) -> None:
    with pytest.raises(RequestError, match=r"draws grey images .+ colour images"):
        Demo(shapes_checkpoint, compare_with=BUNDLED_CHECKPOINT)


def test_it_can_be_published(shapes_checkpoint: Path, tmp_path: Path) -> None:
    demo, repos = Demo(shapes_checkpoint), HubRepos("ada/shapes", "ada/draw")
    write_model_folder(tmp_path / "model", demo.pipeline, None, repos)
    write_space_folder(tmp_path / "space", tmp_path / "model", demo, None, repos)
    check_space(tmp_path / "space")
    with Image.open(tmp_path / "model" / "samples.png") as picture:
        assert picture.mode == "RGB"
    published = tmp_path / "space" / "checkpoints" / "fashion-mnist"
    assert read_class_names(published) == SHAPES
    gallery = load_gallery(demo, tmp_path / "space" / "checkpoints" / "gallery.npz")
    assert gallery is not None
    assert gallery.request.class_names == SHAPES


@pytest.fixture(scope="module")
def own_address(shapes_checkpoint: Path) -> Iterator[str]:
    with serve_app("--checkpoint", str(shapes_checkpoint)) as address:
        yield address


@pytest.fixture(scope="module")
def client(own_address: str) -> Client:
    return Client(own_address, verbose=False)


def ask(client: Client, class_name: str, scorer: str = "none") -> tuple[object, ...]:
    answer: tuple[object, ...] = client.predict(
        *(class_name, "cosine", 2, "dpm++2m", 1.0, 2, 7, scorer), api_name="/generate"
    )
    return answer


def test_the_app_draws_the_checkpoints_classes_in_colour(client: Client) -> None:
    _, pictures, about = ask(client, "triangle")
    assert isinstance(pictures, list)
    assert isinstance(about, dict)
    assert [picture["caption"] for picture in pictures] == ["triangle, seed 7", "triangle, seed 8"]
    with Image.open(pictures[0]["image"]) as picture:
        colours = np.asarray(picture.convert("RGB")).astype(int)
    assert colours.shape == (256, 256, 3)
    assert np.ptp(colours, axis=2).max() > 0
    assert about["label_scores"] == about["label_scores_of_real_images"] == [{}, {}]


def test_the_app_offers_no_class_and_no_scorer_of_fashion_mnist(client: Client) -> None:
    with pytest.raises((AppError, ValueError), match="ankle boot"):
        ask(client, "ankle boot")
    with pytest.raises((AppError, ValueError), match="embedded"):
        ask(client, "circle", "embedded")
    config = json.dumps(client.config)
    for text in (*SHAPES, "only knows Fashion-MNIST", "Images from noise"):
        assert text in config
    for hidden in (
        "ankle boot",
        "Why blurry?",
        "nearest training image",
        "garment",
        "the report's training",
        "the data: Fashion",
    ):
        assert hidden not in config, hidden


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_first_page_shows_images_and_says_what_the_network_was_trained_on(
    browser: Browser, own_address: str, width: int, height: int
) -> None:
    with open_page(browser, own_address, viewport={"width": width, "height": height}) as page:
        expect(page.get_by_text("Trained on 180 images of shapes.")).to_be_in_viewport()
        expect(page.get_by_text("it saw 512 images")).to_be_in_viewport()
        expect(page.locator("#gallery img").first).to_be_in_viewport()
        expect(page.get_by_text("Denoising trajectory")).to_be_visible()
        expect(page.locator("#trajectory-player canvas").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for hidden in ("report", "student", "Links to try", "silhouette"):
            expect(page.get_by_text(hidden).filter(visible=True)).to_have_count(0)


def test_without_images_the_page_shows_no_empty_trajectory(
    browser: Browser, own_address: str
) -> None:
    with open_page(browser, own_address) as page:
        expect(page.locator("#gallery img").first).to_be_visible()
        page.locator("#gallery").evaluate("gallery => gallery.remove()")
        expect(page.get_by_text("Denoising trajectory")).to_be_hidden()
        expect(page.locator("#select-hint")).to_be_hidden()


def test_the_estimate_follows_a_finished_request(browser: Browser, own_address: str) -> None:
    with open_page(browser, f"{own_address}/?class=circle&num_images=3&steps=2") as page:
        expect(page.get_by_text("3 images in")).to_be_visible()
        page.get_by_label("number input for Number of images").fill("8")
        page.get_by_label("number input for Steps").fill("30")
        page.locator("#generate").click()
        expect(page.get_by_text("8 images in")).to_be_visible()
        taken = str(page.locator("#status").inner_text()).split(" in ")[1].split(" · ")[0]
        expect(page.get_by_text(f"About {taken}: 8 images × 30")).to_be_visible()
