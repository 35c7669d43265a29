"""The page behind its middleware: launched, monitored, and drained when it shall end."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.routes import App as GradioApp
from gradio.routes import ORJSONResponse
from starlette.types import ASGIApp

import fashion_ddpm
from fashion_ddpm.core.errors import reason
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.share import LINK_DEFAULTS
from fashion_ddpm.server.allowlist import ENDPOINT, Allowlist, Event
from fashion_ddpm.server.deployment import Deployment, launch_arguments, on_space
from fashion_ddpm.server.errors import ServerError
from fashion_ddpm.server.middleware import Middleware, ServerContext
from fashion_ddpm.server.monitoring import start_log
from fashion_ddpm.server.rate_limit import network_of
from fashion_ddpm.server.temporary_files import Sweeper
from fashion_ddpm.ui.api import OPTIONAL_FIELDS, answer_with_content
from fashion_ddpm.ui.components import MODEL_QUEUE
from fashion_ddpm.ui.style import CSS, HEAD, HIDE_UNTIL_LOADED, theme

DRAIN_POLL_SECONDS = 0.1
"""Seconds between two looks at whether anything still runs."""

QUEUE_POLL_SECONDS = 0.02
"""Seconds between two looks of gradio's queue at whether something waits; its own choice, 0.001,
keeps a tenth of a core busy while nobody is there (python -m benchmarks.idle)."""


@dataclass(frozen=True)
class Launch:
    """How the page is launched.

    Attributes:
        deployment: where.
        share: whether also on a public link.
        mcp: whether language models are served.
        public: whether visitors are strangers, who must share; None: where they can come.
    """

    deployment: Deployment = field(default_factory=Deployment)
    share: bool = False
    mcp: bool = False
    public: bool | None = None

    @property
    def is_public(self) -> bool | None:
        """Whether all visitors are strangers; None: those who come through a proxy are."""
        if self.public is not None:
            return self.public
        return True if self.share or on_space() or not self.deployment.is_local else None


class Server:
    """The running page.

    Args:
        demo: the loaded model.
        page: the page, not yet launched.
        launch: how to.

    Attributes:
        address: where the page is.
    """

    def __init__(self, demo: Demo, page: gr.Blocks, launch: Launch) -> None:
        self._demo, self._page, self._launch = demo, page, launch
        self._stop_requested, self._stop_now = threading.Event(), threading.Event()
        signal.signal(signal.SIGTERM, self._stop)
        start_log()
        # Made before the launch: gradio gives its server five seconds to come up.
        self._allowlist = build_allowlist(page, launch.mcp)
        self._context = self._make_context()
        self.address = self._open()
        folder = Path(self._page.app.uploaded_file_dir)
        self._sweeper = Sweeper(folder, demo.limits.max_temporary, frozenset(folder.rglob("*")))

    def _open(self) -> str:
        """Launch the page behind its middleware; return where it is."""
        page, launch, limits = self._page, self._launch, self._demo.limits
        # api_open would let programs call handlers past the queue. They do not need it: /generate
        # is open to them through the queue, which bounds it.
        page.queue(
            api_open=False,
            max_size=limits.queue_size,
            default_concurrency_limit=limits.visitors_at_once,
        )
        page._queue.sleep_when_free = QUEUE_POLL_SECONDS
        page._queue.progress_update_sleep_when_free = QUEUE_POLL_SECONDS
        try:
            _, address, _ = page.launch(
                **launch_arguments(launch.deployment),
                num_workers=0,  # these would serve files past the middleware
                share=launch.share,
                prevent_thread_lock=True,
                show_error=False,
                ssr_mode=False,
                max_file_size=limits.max_upload,
                state_session_capacity=limits.sessions,
                enable_monitoring=False,
                run_history=False,
                theme=theme(),
                css=CSS,
                head=HEAD + (HIDE_UNTIL_LOADED if self._demo.kind.is_fashion_mnist else ""),
                footer_links=["api"],
                mcp_server=launch.mcp,
                # Gradio's own way for layers, app_kwargs, would put its CORS layer outside of ours.
                _app=wrap_app(self._make_middleware),
                _frontend=False,  # on a busy machine a page may need more than its 3 s to answer
            )
        except OSError as error:  # gradio's, where its server has not started within 5 s
            raise ServerError(
                f"the server did not start ({reason(error)}); start it again, or name another "
                "port with --port."
            ) from error
        if launch.mcp:
            answer_with_content(page.mcp_server_obj)
        return str(address)

    def _make_context(self) -> ServerContext:
        about = {
            "version": fashion_ddpm.__version__,
            "model": self._demo.model,
            "device": str(self._demo.pipeline.device),
        }
        return ServerContext(
            holding=self._count_requests,
            knows=self._has_answers,
            about=about,
            public=self._launch.is_public,
            hosts=self._launch.deployment.allowed_hosts,
            prefix=self._launch.deployment.prefix,
        )

    def _make_middleware(self, app: ASGIApp) -> Middleware:
        limits, monitor = self._demo.limits, self._demo.monitor
        self._middleware = Middleware(app, self._allowlist, limits, monitor, self._context)
        return self._middleware

    def _events(self) -> list[Any]:
        """Return what runs or waits."""
        queue = self._page._queue
        waiting = [
            each for line in queue.event_queue_per_concurrency_id.values() for each in line.queue
        ]
        return [*waiting, *(each for job in queue.active_jobs if job for each in job)]

    def _count_requests(self, session: str, address: str) -> tuple[int, int]:
        """Return the requests for the network of a visitor, and of all at an address."""
        own = here = 0
        for event in self._events():
            if event.concurrency_id != MODEL_QUEUE["concurrency_id"] or not event.alive:
                continue
            client = event.request.client
            at = network_of(client.host if client else "")
            here += at == address
            # A program that names no session gets the event's id for one.
            nameless = event.session_hash == event._id
            own += event.session_hash == session if session else (nameless and at == address)
        return own, here

    def _has_answers(self, name: str) -> bool:
        """Return whether a session, or an event, has answers that can be streamed."""
        queue = self._page._queue
        if name in queue.pending_messages_per_session or name in queue.event_ids_to_events:
            return True
        return any(name in events for events in queue.pending_event_ids_session.values())

    def wait(self, first: Callable[[], None]) -> None:
        """Serve until SIGTERM, which drains, or Ctrl-C, which does not; then close all.

        Args:
            first: what there is to do while the first visitors are served; in a thread of its own,
                for Ctrl-C breaks into whatever the main one does, and may leave a lock behind.
        """
        working = threading.Thread(target=first, daemon=True)
        working.start()
        try:
            self._stop_requested.wait()
            self._drain()
        except KeyboardInterrupt:
            print("Interrupted: closing.", file=sys.stderr)
        working.join()
        self.close()

    def _stop(self, number: int, frame: Any) -> None:
        (self._stop_now if self._stop_requested.is_set() else self._stop_requested).set()

    def _drain(self) -> None:
        """Let nobody in any more, and let what runs or waits end, as long as there is time.

        A second SIGTERM says that even that is too long.
        """
        self._demo.monitor.draining = True
        end = time.monotonic() + self._demo.limits.drain_seconds
        while (self._events() or self._middleware.streams) and time.monotonic() < end:
            if self._stop_now.wait(DRAIN_POLL_SECONDS):
                return

    def close(self) -> None:
        """End the server and its threads."""
        self._page.close(verbose=False)
        self._demo.close()
        self._sweeper.close()


def wrap_app(make_middleware: Callable[[ASGIApp], Middleware]) -> GradioApp:
    """Return gradio's app with the middleware around all of its layers."""
    app = GradioApp(
        default_response_class=ORJSONResponse, docs_url=None, redoc_url=None, openapi_url=None
    )
    layers: Any = app.build_middleware_stack
    app.build_middleware_stack = lambda: make_middleware(layers())  # type: ignore[method-assign]
    return app


def build_allowlist(page: gr.Blocks, mcp: bool) -> Allowlist:
    """Return the allowlist of what a page can be asked."""
    events = {
        index: Event(
            inputs=len(fn.inputs),
            queued=bool(fn.queue),
            network=fn.concurrency_id == MODEL_QUEUE["concurrency_id"],
            clicked=fn.fn is not None and any(name == "select" for _, name in fn.targets),
        )
        for index, fn in page.fns.items()
    }
    endpoint = page.get_api_info()["named_endpoints"][f"/{ENDPOINT}"]
    parameters = tuple(each["parameter_name"] for each in endpoint["parameters"])
    added = tuple(LINK_DEFAULTS[name] for name in OPTIONAL_FIELDS)
    return Allowlist(events, parameters, added, mcp)
