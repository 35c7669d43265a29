"""Launch the page behind the middleware, and drain it on SIGTERM."""

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
from fashion_ddpm.server.deployment import Deployment, on_space, prepare_launch
from fashion_ddpm.server.errors import ServerError
from fashion_ddpm.server.middleware import Middleware, ServerContext
from fashion_ddpm.server.monitoring import start_log
from fashion_ddpm.server.rate_limit import network_of
from fashion_ddpm.server.temporary_files import Sweeper
from fashion_ddpm.ui.api import OPTIONAL_FIELDS, answer_with_content
from fashion_ddpm.ui.components import MODEL_QUEUE, read_asset
from fashion_ddpm.ui.page import HEAD, HIDE_UNTIL_LOADED, menu_icons, theme

DRAIN_POLL_SECONDS = 0.1
"""Seconds between two checks whether requests still run."""

STOP_POLL_SECONDS = 1.0
"""On Windows, Ctrl-C interrupts no wait: it ends the server after at most this time."""

QUEUE_POLL_SECONDS = 0.02
"""Seconds between two checks of gradio's queue; by its default, 0.001, an idle server takes a tenth
of a core (python -m benchmarks.idle)."""


@dataclass(frozen=True)
class Launch:
    """How the page is launched.

    Attributes:
        deployment: address, port and proxies.
        share: whether to serve on a public link of gradio's, too.
        mcp: whether to serve language models.
        public: whether limits for strangers apply; None: decide by the deployment.
    """

    deployment: Deployment = field(default_factory=Deployment)
    share: bool = False
    mcp: bool = False
    public: bool | None = None

    @property
    def is_public(self) -> bool | None:
        """Whether limits for strangers apply to all visitors; None: to those behind a proxy."""
        if self.public is not None:
            return self.public
        return True if self.share or on_space() or not self.deployment.is_local else None


class Server:
    """The running page.

    Args:
        demo: the loaded model.
        page: the page, not yet launched.
        launch: how to launch it.

    Attributes:
        address: URL of the page.
    """

    def __init__(self, demo: Demo, page: gr.Blocks, launch: Launch) -> None:
        self._demo, self._page, self._launch = demo, page, launch
        self._stop_requested, self._stop_now = threading.Event(), threading.Event()
        signal.signal(signal.SIGTERM, self._stop)
        start_log()
        # Before the launch, in which gradio gives its server five seconds to start.
        self._allowlist = build_allowlist(page, launch.mcp)
        self._context = ServerContext(
            count_requests=self._count_requests,
            has_answers=self._has_answers,
            readiness_info={
                "version": fashion_ddpm.__version__,
                "model": demo.model,
                "device": str(demo.pipeline.device),
            },
            public=launch.is_public,
            hosts=launch.deployment.allowed_hosts,
            prefix=launch.deployment.prefix,
            embedding_origins=launch.deployment.embedding_origins,
        )
        self.address = self._open()
        folder = Path(self._page.app.uploaded_file_dir)
        self._sweeper = Sweeper(folder, demo.limits.max_temporary, frozenset(folder.rglob("*")))

    def _open(self) -> str:
        """Launch the page behind its middleware; return its address."""
        page, launch, limits = self._page, self._launch, self._demo.limits
        # With api_open, programs could bypass the queue, which bounds what they run.
        page.queue(
            api_open=False,
            max_size=limits.queue_size,
            default_concurrency_limit=limits.max_concurrent_requests,
        )
        page._queue.sleep_when_free = QUEUE_POLL_SECONDS
        page._queue.progress_update_sleep_when_free = QUEUE_POLL_SECONDS
        try:
            _, address, _ = page.launch(
                **prepare_launch(launch.deployment),
                num_workers=0,  # workers would serve files without the middleware
                share=launch.share,
                prevent_thread_lock=True,
                show_error=False,
                ssr_mode=False,
                max_file_size=limits.max_upload,
                state_session_capacity=limits.sessions,
                enable_monitoring=False,
                run_history=False,
                theme=theme(),
                css=read_asset("page.css"),
                head=page_head(self._demo),
                footer_links=["api"],
                mcp_server=launch.mcp,
                # Middleware in app_kwargs would be inside gradio's CORS layer.
                _app=wrap_app(self._make_middleware),
                _frontend=False,  # skips a check that fails where the page needs more than 3 s
            )
        except OSError as error:  # the server has not started within 5 s
            raise ServerError(
                f"the server did not start ({reason(error)}); start it again, or name another "
                "port with --port."
            ) from error
        if launch.mcp:
            answer_with_content(page.mcp_server_obj)
        return str(address)

    def _make_middleware(self, app: ASGIApp) -> Middleware:
        limits, monitor = self._demo.limits, self._demo.monitor
        self._middleware = Middleware(app, self._allowlist, limits, monitor, self._context)
        return self._middleware

    def _events(self) -> list[Any]:
        """Return the events that run or wait in the queue."""
        queue = self._page._queue
        waiting = [
            each for line in queue.event_queue_per_concurrency_id.values() for each in line.queue
        ]
        return [*waiting, *(each for job in queue.active_jobs if job for each in job)]

    def _count_requests(self, session: str, address: str) -> tuple[int, int]:
        """Return how many network requests a session has queued, and how many its address has."""
        session_count = address_count = 0
        for event in self._events():
            if event.concurrency_id != MODEL_QUEUE["concurrency_id"] or not event.alive:
                continue
            client = event.request.client
            same_address = network_of(client.host if client else "") == address
            address_count += same_address
            if session:
                session_count += event.session_hash == session
            else:  # gradio gives a request without a session its event id as one
                session_count += same_address and event.session_hash == event._id
        return session_count, address_count

    def _has_answers(self, name: str) -> bool:
        """Return whether a session or an event has messages to be streamed."""
        queue = self._page._queue
        if name in queue.pending_messages_per_session or name in queue.event_ids_to_events:
            return True
        return any(name in events for events in queue.pending_event_ids_session.values())

    def wait(self, background: Callable[[], None]) -> None:
        """Serve until SIGTERM, which drains, or Ctrl-C, which does not; then close everything.

        Args:
            background: work to do while serving; in a thread, because Ctrl-C interrupts the main
                thread, and could leave a lock held.
        """
        thread = threading.Thread(target=background, daemon=True)
        thread.start()
        try:
            while not self._stop_requested.wait(STOP_POLL_SECONDS):
                pass
            self._drain()
        except KeyboardInterrupt:
            print("Interrupted: closing.", file=sys.stderr)
        thread.join()
        self.close()

    def _stop(self, number: int, frame: Any) -> None:
        (self._stop_now if self._stop_requested.is_set() else self._stop_requested).set()

    def _drain(self) -> None:
        """Refuse new requests and wait for the others, until drain_seconds or a second SIGTERM."""
        self._demo.monitor.is_draining = True
        deadline = time.monotonic() + self._demo.limits.drain_seconds
        while (self._events() or self._middleware.streams) and time.monotonic() < deadline:
            if self._stop_now.wait(DRAIN_POLL_SECONDS):
                return

    def close(self) -> None:
        """Stop the server and its threads."""
        self._page.close(verbose=False)
        self._demo.close()
        self._sweeper.close()


def page_head(demo: Demo) -> str:
    """Return style sheets and scripts for the page's head."""
    hide = HIDE_UNTIL_LOADED if demo.kind.is_fashion_mnist else ""
    return f"{HEAD}{hide}<style>{menu_icons(demo)}</style>"


def wrap_app(make_middleware: Callable[[ASGIApp], Middleware]) -> GradioApp:
    """Return gradio's app with the middleware outside of all of its layers."""
    app = GradioApp(
        default_response_class=ORJSONResponse, docs_url=None, redoc_url=None, openapi_url=None
    )
    layers: Any = app.build_middleware_stack
    app.build_middleware_stack = lambda: make_middleware(layers())  # type: ignore[method-assign]
    return app


def build_allowlist(page: gr.Blocks, mcp: bool) -> Allowlist:
    """Return the allowlist of the page's events and of the endpoint."""
    events = {
        index: Event(
            num_inputs=len(fn.inputs),
            is_queued=bool(fn.queue),
            runs_network=fn.concurrency_id == MODEL_QUEUE["concurrency_id"],
            is_select=fn.fn is not None and any(name == "select" for _, name in fn.targets),
        )
        for index, fn in page.fns.items()
    }
    endpoint = page.get_api_info()["named_endpoints"][f"/{ENDPOINT}"]
    parameters = tuple(each["parameter_name"] for each in endpoint["parameters"])
    defaults = tuple(LINK_DEFAULTS[name] for name in OPTIONAL_FIELDS)
    return Allowlist(events, parameters, defaults, mcp)
