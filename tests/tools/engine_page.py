"""The static site's engine in a browser, without the page around it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.tools import TIMEOUT_S
from tests.tools.static_host import Host

DOCUMENT = "data/trajectory.html"
"""A document of the site without a script."""

OPEN = """async (provider) => {
  const {Engine} = await import(new URL("/js/runtime/engine.js", location.href).href);
  const {loadText} = await import(new URL("/js/runtime/model_files.js", location.href).href);
  const site = JSON.parse(await loadText("data/site.json.gz"));
  const runtimes = [];
  const options = {provider: provider ?? undefined, onRuntime: (each) => runtimes.push(each)};
  const toRequest = (settings) => ({...site.page_defaults, ...settings});
  Object.assign(window, {engine: new Engine(site, () => {}, options), site, runtimes, toRequest});
}"""

GENERATE = """async (settings) => {
  const shown = [];
  const run = await engine.generate(toRequest(settings), ({index}) => shown.push(index)).done;
  const {alphaBars, model, ms, msPerStep} = run;
  const [noisy, clean] = [run.noisy, run.clean].map((steps) => steps.map((step) => [...step]));
  return {shown, alphaBars, model, ms, msPerStep, noisy, clean};
}"""


@contextmanager
def open_engine(browser: Browser, host: Host, provider: str | None = None) -> Iterator[Page]:
    """Open a document of the site with an engine, which has not been started.

    Args:
        browser: the browser.
        host: where the site is.
        provider: webgpu or wasm instead of what the browser does best.
    """
    page = browser.new_page()
    page.set_default_timeout(1000 * TIMEOUT_S)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(host.address + DOCUMENT)
    page.evaluate(OPEN, provider)
    yield page
    page.close()
    assert not errors, errors


def start(page: Page) -> dict[str, Any]:
    """Start the engine; return its runtime, or {error: the message}."""
    runtime: dict[str, Any] = page.evaluate(
        "engine.start().catch(({name, message}) => ({name, error: message}))"
    )
    return runtime


def generate(page: Page, **settings: Any) -> dict[str, Any]:
    """Draw images with the page's defaults but for some settings; return the run."""
    run: dict[str, Any] = page.evaluate(GENERATE, settings)
    return run
