"""How fast the static site draws in headless Chromium, beside PyTorch on as many threads.

python -m benchmarks.web [SITE] prints a Markdown table: the first image after a cold load, a step
for one image and for eight, Turbo, and memory. Without SITE it exports the bundled networks first.
The browser runs on WASM; a site without the headers of isolated pages has one thread.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from playwright.sync_api import Browser, Page

from benchmarks.tables import machine_and_commit, row, table
from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.core.config import TURBO, TURBO_SCHEDULE, TURBO_STEPS
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings, denoise, unet_predictor
from fashion_ddpm.web.command import WebExport, export_web
from tests.tools.browsing import open_browser
from tests.tools.engine_page import open_engine, start
from tests.tools.static_host import ISOLATION, host_folder

CLASS = "ankle boot"
STEPS = 10
BATCHES = (1, 8)
HOSTS: tuple[Mapping[str, str], ...] = ({}, ISOLATION)
COLUMNS = ("what", "threads", "browser", "PyTorch", "ratio", "PyTorch, as the app runs it")

DRAW = """async ({request, runs}) => {
  const [steps, whole] = [[], []];
  for (let seed = 0; seed <= runs; seed++) {
    const onStep = ({ms}) => seed && steps.push(ms); // the first run warms up
    const {ms} = await engine.generate(toRequest({...request, seed}), onStep).done;
    if (seed) whole.push(ms);
  }
  return {steps, whole};
}"""


FINISHED_MS = """() => new Promise((resolve) => {
  const status = document.querySelector("#status");
  const look = () => {
    if (status.textContent.includes("image in")) resolve(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})"""


@dataclass(frozen=True)
class Times:
    """Medians in milliseconds: of a step, and of a whole run."""

    step: float
    whole: float

    @classmethod
    def from_runs(cls, runs: Mapping[str, list[float]]) -> "Times":
        """Return the medians of all steps and of all runs."""
        return cls(median(runs["steps"]), median(runs["whole"]))


def parse_arguments() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", nargs="?", type=Path, help="a folder that export-web wrote")
    parser.add_argument("--checkpoint", default=str(BUNDLED_CHECKPOINT), help="what it was from")
    parser.add_argument("--runs", type=int, default=5, help="of which medians are taken")
    return parser.parse_args()


def requests() -> dict[str, GenerateRequest]:
    """Return what is drawn, by its name in the table."""
    drawn = {
        f"a step, {count} image{'s' * (count > 1)}": GenerateRequest(
            CLASS, count, num_inference_steps=STEPS
        )
        for count in BATCHES
    }
    turbo = GenerateRequest(CLASS, 1, TURBO_SCHEDULE, TURBO, TURBO_STEPS)
    return drawn | {f"Turbo, {TURBO_STEPS} steps, 1 image": turbo}


def time_page(page: Page, runs: int) -> dict[str, Times]:
    """Return how long the browser takes for each request."""
    return {
        name: Times.from_runs(page.evaluate(DRAW, {"request": to_settings(request), "runs": runs}))
        for name, request in requests().items()
    }


def to_settings(request: GenerateRequest) -> dict[str, Any]:
    """Return a request as the page has it."""
    settings = asdict(request)
    del settings["class_names"]
    return settings


def time_pytorch(networks: Mapping[str, Predictor], pipeline: Any, runs: int) -> dict[str, Times]:
    """Return how long PyTorch takes for each request, on the threads that are set.

    Args:
        networks: sampler turbo, or "" for all others → network.
        pipeline: the checkpoint, for its noise schedule and its kind of images.
        runs: how many are timed.
    """
    times = {}
    for name, request in requests().items():
        predict = networks.get(request.sampler, networks[""])
        found: dict[str, list[float]] = {"steps": [], "whole": []}
        for seed in range(runs + 1):
            steps = list(time_steps(predict, pipeline, request, seed))
            if seed:
                found["steps"] += steps
                found["whole"].append(sum(steps))
        times[name] = Times.from_runs(found)
    return times


def time_steps(
    predict: Predictor, pipeline: FashionDDPMPipeline, request: GenerateRequest, seed: int
) -> Iterator[float]:
    """Draw images; yield how long each step took, in milliseconds."""
    labels = torch.full((request.num_images,), pipeline.kind.class_names.index(CLASS))
    seeds = range(seed, seed + request.num_images)
    settings = SamplingSettings.from_request(request)
    begin = time.perf_counter()
    for _ in denoise(predict, pipeline.scheduler, labels, seeds, settings, kind=pipeline.kind):
        now = time.perf_counter()
        yield 1000 * (now - begin)
        begin = now


def plain(pipeline: FashionDDPMPipeline) -> Predictor:
    """Return a network whose calls have as many rows as there are images."""
    return lambda x, timesteps, labels: pipeline.unet(x, timesteps, labels).sample


def first_image_seconds(browser: Browser, address: str, query: str) -> float:
    """Return the seconds from opening a link to its first finished image, with nothing cached."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}?{query}")
    seconds = float(page.evaluate(FINISHED_MS)) / 1000
    context.close()
    return seconds


def tab_megabytes(browser: Browser) -> float:
    """Return the memory of the largest process of a page (resident, in MB); 0 if it is unknown."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    sizes = [0.0]
    for process in processes:
        status = Path(f"/proc/{process['id']}/status")
        if process["type"] == "renderer" and status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
            sizes.append(int(lines["VmRSS"].split()[0]) / 1000)
    return max(sizes)


@contextmanager
def exported(site: Path | None, checkpoint: str) -> Iterator[Path]:
    """Yield the site's folder; export it if there is none."""
    with tempfile.TemporaryDirectory() as folder:
        if site is None:
            site = Path(folder) / "site"
            list(export_web(WebExport(site, checkpoint)))
        yield site


def measure_host(
    browser: Browser, site: Path, headers: Mapping[str, str], runs: int
) -> tuple[int, dict[str, Times], list[tuple[str, str]]]:
    """Return the browser's threads, its times, and rows of what PyTorch has not."""
    with host_folder(site, headers) as host:
        links = {
            f"first image after a cold load, {STEPS} steps": f"steps={STEPS}",
            f"first image after a cold load, Turbo, {TURBO_STEPS} steps": (
                f"sampler={TURBO}&schedule={TURBO_SCHEDULE}&steps={TURBO_STEPS}"
            ),
        }
        rows = []
        for name, query in links.items():
            query = f"class={CLASS.replace(' ', '+')}&images=1&seed=0&{query}"
            seconds = [first_image_seconds(browser, host.address, query) for _ in range(3)]
            rows.append((name, f"{median(seconds):.1f} s"))
        with open_engine(browser, host, "wasm") as page:
            threads = start(page)["threads"]
            times = time_page(page, runs)
            rows.append(("memory of the tab's process", f"{tab_megabytes(browser):.0f} MB"))
    return threads, times, rows


def main() -> None:
    """Measure host by host; print row by row."""
    arguments = parse_arguments()
    pipeline = load_pipeline(arguments.checkpoint)
    distilled = load_pipeline(distilled_folder(arguments.checkpoint))
    plain_networks = {"": plain(pipeline), TURBO: plain(distilled)}
    padded = {"": unet_predictor(pipeline.unet), TURBO: unet_predictor(distilled.unet)}
    with exported(arguments.site, arguments.checkpoint) as site, open_browser() as browser:
        print(f"Chromium {browser.version}, headless, WASM; {machine_and_commit()}.\n")
        print(table(COLUMNS), flush=True)
        for headers in HOSTS:
            threads, times, others = measure_host(browser, site, headers, arguments.runs)
            torch.set_num_threads(threads)
            plain_times = time_pytorch(plain_networks, pipeline, arguments.runs)
            padded_times = time_pytorch(padded, pipeline, arguments.runs)
            for name in times:
                print(row(to_cells(name, threads, times, plain_times, padded_times)), flush=True)
            for name, value in others:
                print(row([name, threads, value, "", "", ""]), flush=True)


def to_cells(
    name: str,
    threads: int,
    browser: Mapping[str, Times],
    plain_times: Mapping[str, Times],
    padded_times: Mapping[str, Times],
) -> list[str]:
    """Return the cells of a request: milliseconds of a step, or of a whole Turbo run."""
    part = "whole" if name.startswith("Turbo") else "step"
    own, other, app = (getattr(each[name], part) for each in (browser, plain_times, padded_times))
    cells = [f"{own:.0f} ms", f"{other:.0f} ms", f"{other / own:.2f}", f"{app:.0f} ms"]
    return [name, str(threads), *cells]


if __name__ == "__main__":
    main()
