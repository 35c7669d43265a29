"""Tests of the service worker in a browser: no network, new versions, damaged copies, threads."""

import itertools
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fashion_ddpm.core.config import TURBO
from fashion_ddpm.web.site_folder import write_folder
from tests.tools import TIMEOUT_S
from tests.tools.static_host import ISOLATION, Host, hang_up, host_folder

pytestmark = pytest.mark.slow

KEPT = """async () => {
  const kept = {};
  for (const name of await caches.keys()) {
    const requests = await (await caches.open(name)).keys();
    kept[name] = requests.map(({url}) => url.slice(location.origin.length + 1));
  }
  return kept;
}"""

IS_COMPLETE = """async () => {
  const manifest = await caches.match(new URL("manifest.json", location.origin));
  return manifest !== undefined && (await manifest.json()).isComplete === true;
}"""
"""JavaScript: whether the oldest copy has all that the page asked to keep."""

DROP = """async (paths) => {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    await Promise.all(paths.map((path) => cache.delete(new URL(path, location.origin).href)));
  }
}"""

DAMAGE = """async (path) => {
  const [name] = await caches.keys();
  const cache = await caches.open(name);
  const url = new URL(path, location.origin).href;
  const content = new Uint8Array(await (await cache.match(url)).arrayBuffer());
  content[Math.floor(content.length / 2)] ^= 1;
  await cache.put(url, new Response(content));
}"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has visited no site."""
    context = browser.new_context(viewport={"width": 1280, "height": 1300})
    context.set_default_timeout(1000 * TIMEOUT_S)
    yield context
    context.close()


def visit(context: BrowserContext, host: Host, query: str = "") -> Page:
    """Open the site's page and wait for its network."""
    page = context.new_page()
    page.goto(host.address + query)
    expect(page.locator("#runtime")).to_contain_text("WebAssembly")
    return page


def draw(page: Page) -> None:
    page.locator("#generate").click()
    expect(page.locator("#status")).to_contain_text("images in")


def kept_paths(page: Page) -> set[str]:
    """Return the paths of all files that the browser keeps."""
    kept: dict[str, list[str]] = page.evaluate(KEPT)
    return set(itertools.chain.from_iterable(kept.values()))


def wait_for_copy(page: Page, paths: set[str]) -> None:
    """Wait until the browser keeps all of these files."""
    deadline = time.monotonic() + TIMEOUT_S
    while missing := paths - kept_paths(page):
        assert time.monotonic() < deadline, missing
        page.wait_for_timeout(100)


def wait_for_one_copy(page: Page, site: Path) -> None:
    """Wait until the browser keeps this version alone."""
    version = json.loads((site / "manifest.json").read_text())["version"]
    deadline = time.monotonic() + TIMEOUT_S
    while [name.split()[-1] for name in page.evaluate(KEPT)] != [version]:
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def files(site: Path) -> dict[str, Any]:
    """Return the manifest's list of files."""
    listed: dict[str, Any] = json.loads((site / "manifest.json").read_text())["files"]
    return listed


def used_files(site: Path) -> set[str]:
    """Return the files of a browser without WebGPU."""
    return {path for path in files(site) if ".jspi." not in path}


def first_files(site: Path) -> set[str]:
    """Return those that it needs for its first image."""
    later = ("models/turbo.onnx.gz", "models/clip.onnx.gz")
    return used_files(site).difference(later)


def write_newer(site: Path, folder: Path, changes: dict[str, bytes]) -> Path:
    """Return a site with another title and other files; the manifest fits them."""
    contents = {path: (site / path).read_bytes() for path in files(site)}
    page = contents["index.html"].replace(b"<title>", b"<title>New: ")
    write_folder(contents | {"index.html": page} | changes, folder)
    return folder


def test_after_one_visit_the_site_needs_no_network(
    context: BrowserContext, host: Host, site: Path
) -> None:
    page = visit(context, host)
    draw(page)
    wait_for_copy(page, used_files(site))
    page.close()
    host.is_down = True
    page = visit(context, host, f"?class=Bag&sampler={TURBO}&steps=4&images=2")
    expect(page.locator("#status")).to_contain_text("2 images in")
    expect(page.locator("#label-scores .best").first).to_be_visible()
    assert page.evaluate("navigator.serviceWorker.controller !== null")


def test_a_page_to_which_its_host_adds_something_is_kept(
    context: BrowserContext, host: Host, site: Path
) -> None:
    added = b"<head><!-- added -->"
    host.faults["index.html"] = lambda handler, page: handler.answer(page.replace(b"<head>", added))
    page = visit(context, host)
    wait_for_copy(page, first_files(site))
    page.close()
    host.is_down = True
    assert "<!-- added -->" in visit(context, host).content()


def test_a_visit_without_an_image_keeps_no_more_than_it_loads(
    context: BrowserContext, host: Host, site: Path
) -> None:
    page = visit(context, host)
    wait_for_copy(page, first_files(site))
    later = used_files(site) - first_files(site)
    assert later
    assert not later & {*host.asked, *kept_paths(page)}
    page.close()
    host.is_down = True
    draw(visit(context, host))


@pytest.mark.parametrize("headers", [{}, ISOLATION], ids=["plain host", "isolating host"])
def test_from_the_second_visit_on_there_are_threads_on_every_host(
    context: BrowserContext, site: Path, headers: dict[str, str]
) -> None:
    with host_folder(site, headers) as host:
        page = visit(context, host)
        assert page.evaluate("crossOriginIsolated") == bool(headers)
        wait_for_copy(page, {"index.html"})
        page.reload()
        expect(page.locator("#runtime")).to_contain_text("WebAssembly")
        assert page.evaluate("crossOriginIsolated")
        if page.evaluate("navigator.hardwareConcurrency") > 1:
            expect(page.locator("#runtime")).to_contain_text("threads")
        draw(page)


def test_a_second_visit_asks_only_whether_there_is_a_new_version(
    context: BrowserContext, host: Host, site: Path
) -> None:
    page = visit(context, host)
    draw(page)
    wait_for_copy(page, used_files(site))
    host.asked.clear()
    page.reload()
    expect(page.locator("#runtime")).to_contain_text("WebAssembly")
    draw(page)
    assert set(host.asked) <= {"index.html", "manifest.json", "service_worker.js"}


def test_a_new_version_takes_over_and_what_it_did_not_change_is_not_loaded_again(
    context: BrowserContext, host: Host, site: Path, tmp_path: Path
) -> None:
    page = visit(context, host)
    draw(page)
    wait_for_copy(page, used_files(site))
    style = (site / "style.css").read_bytes() + b":root { --version: new; }"
    host.folder = write_newer(site, tmp_path / "new", {"style.css": style})
    host.asked.clear()
    page.reload()
    expect(page.locator("#runtime")).to_contain_text("WebAssembly")
    assert page.title().startswith("New: ")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--version')")
    assert not [path for path in host.asked if path.startswith(("models/", "vendor/"))]
    wait_for_one_copy(page, host.folder)
    host.is_down = True
    page.reload()
    draw(page)
    assert page.title().startswith("New: ")


def test_a_new_version_that_is_not_complete_leaves_the_old_one(
    context: BrowserContext, host: Host, site: Path, tmp_path: Path
) -> None:
    page = visit(context, host)
    draw(page)
    page.wait_for_function(IS_COMPLETE)
    host.folder = write_newer(site, tmp_path / "new", {"js/page/page.js": b"/* cut off */"})
    host.faults["js/page/page.js"] = hang_up
    page.reload()
    expect(page).to_have_title(re.compile("^New: "))
    host.is_down = True
    page.reload()
    draw(page)
    expect(page).not_to_have_title(re.compile("^New: "))
    host.is_down = False
    host.faults.clear()
    # Back to the old one, with the times of a new one: the test host compares nothing else.
    host.folder = shutil.copytree(site, tmp_path / "old again", copy_function=shutil.copy)
    page.reload()
    draw(page)
    wait_for_one_copy(page, host.folder)


@pytest.mark.parametrize(
    ("path", "sampler"), [("models/unet.onnx.gz", "ddim"), ("models/turbo.onnx.gz", TURBO)]
)
def test_a_damaged_copy_is_dropped_and_fetched_anew(
    context: BrowserContext, host: Host, site: Path, path: str, sampler: str
) -> None:
    page = visit(context, host)
    draw(page)
    wait_for_copy(page, used_files(site))
    page.evaluate(DAMAGE, path)
    host.asked.clear()
    page.goto(f"{host.address}?class=Bag&sampler={sampler}&steps=4&images=2")
    expect(page.locator("#status")).to_contain_text("2 images in")
    assert host.asked.count(path) == 1
    wait_for_copy(page, {path})
    host.is_down = True
    page.reload()
    expect(page.locator("#status")).to_contain_text("2 images in")


def test_what_is_not_the_sites_own_is_not_kept(context: BrowserContext, host: Host) -> None:
    """As a hotel's page in place of every file, which asks for a name and a room."""
    page = visit(context, host)
    paths = {"style.css", "js/page/page.js", "models/unet.onnx.gz"}
    wait_for_copy(page, first_files(host.folder))
    before = kept_paths(page)
    page.evaluate(DROP, [*sorted(paths), "icon.svg"])
    host.faults.update(dict.fromkeys(paths, lambda handler, _: handler.answer(b"Welcome!")))
    for path in paths:
        answer = page.evaluate("(path) => fetch(path).then((each) => each.text())", path)
        assert answer == "Welcome!"
    page.evaluate("fetch('icon.svg')")
    wait_for_copy(page, {"icon.svg"})  # it came last
    assert kept_paths(page) == before - paths
    host.faults.clear()
    page.reload()
    wait_for_copy(page, paths)


def test_sites_in_two_folders_of_a_host_keep_their_own_files(
    context: BrowserContext, site: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        shutil.copytree(site, tmp_path / name)
    with host_folder(tmp_path) as host:
        for name in ("a", "b"):
            page = visit(context, host, f"{name}/index.html")
            wait_for_copy(page, {f"{name}/{path}" for path in first_files(site)})
            page.close()
        host.is_down = True
        for name in ("a", "b"):
            draw(visit(context, host, f"{name}/index.html"))


def test_parts_of_files_and_unknown_files_are_left_to_the_host(
    context: BrowserContext, host: Host, site: Path
) -> None:
    page = visit(context, host)
    wait_for_copy(page, first_files(site))
    page.reload()
    expect(page.locator("#runtime")).to_contain_text("WebAssembly")
    host.asked.clear()
    part = page.evaluate(
        "fetch('style.css', {headers: {range: 'bytes=0-9'}}).then((each) => each.text())"
    )
    status = page.evaluate("fetch('js/unknown.js').then((each) => each.status)")
    assert part.encode() == (site / "style.css").read_bytes()[:10]
    assert status == 404
    assert "js/unknown.js" in host.asked


def test_a_host_that_does_not_answer_is_not_waited_for(
    context: BrowserContext, host: Host, site: Path
) -> None:
    page = visit(context, host)
    wait_for_copy(page, first_files(site))
    host.faults["manifest.json"] = lambda *_: None  # an answer that never comes
    page.reload()
    draw(page)
