"""The page behind its guard: launched, watched over, and drained when it shall end."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.routes import App as GradioApp
from gradio.routes import ORJSONResponse

import fashion_ddpm
from fashion_ddpm.api_examples import ADDED
from fashion_ddpm.asgi import App, headers_of
from fashion_ddpm.demo import Demo
from fashion_ddpm.errors import UserError, reason
from fashion_ddpm.gate import ENDPOINT, Event, Gate
from fashion_ddpm.guard import Guard, House
from fashion_ddpm.labels import FASHION_MNIST
from fashion_ddpm.link import OMITTED
from fashion_ddpm.supervision import start_log
from fashion_ddpm.temporary import Sweeper
from fashion_ddpm.ui.look import CSS, HEAD, UNTIL_PICTURED, theme
from fashion_ddpm.ui.parts import MODEL
from fashion_ddpm.visitors import address_of

PAUSE = 0.1
"""Seconds between two looks at whether anything still runs."""


class LaunchError(UserError):
    """The page cannot be launched; the message says why in one sentence."""


@dataclass(frozen=True)
class Launch:
    """How the page is launched.

    Attributes:
        port: where; gradio's own choice when None.
        share: whether also on a public link.
        mcp: whether language models are served.
        public: whether visitors are strangers, who must share.
    """

    port: int | None = None
    share: bool = False
    mcp: bool = False
    public: bool = False


def is_public(share: bool) -> bool:
    """Returns whether strangers can be expected: on a Space, a public link or a network."""
    name = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    return share or on_space() or name not in ("127.0.0.1", "localhost", "::1")


def on_space() -> bool:
    """Returns whether this is a Space, where every connection comes from the Hub's proxy."""
    return "SPACE_ID" in os.environ


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
        self._asked, self._at_once = threading.Event(), threading.Event()
        signal.signal(signal.SIGTERM, self._stop)
        start_log()
        # Made before the launch: gradio gives its server five seconds to come up.
        self._gate = gate_of(page, launch.mcp)
        self._house = self._make_house()
        self.address = self._open()
        folder = Path(self._page.app.uploaded_file_dir)
        kept = frozenset(files_in(folder))
        self._sweeper = Sweeper(folder, demo.limits.max_temporary, kept)

    def _open(self) -> str:
        """Launches the page behind its guard; returns where it is."""
        page, launch, limits = self._page, self._launch, self._demo.limits
        # api_open would let programs call handlers past the queue. They do not need it: /generate
        # is open to them through the queue, which bounds it.
        page.queue(
            api_open=False,
            max_size=limits.queue_size,
            default_concurrency_limit=limits.visitors_at_once,
        )
        if launch.port is not None:
            check_free(launch.port)
        _, address, _ = page.launch(
            server_port=launch.port,
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
            head=HEAD + (UNTIL_PICTURED if self._demo.kind == FASHION_MNIST else ""),
            footer_links=["api"],
            mcp_server=launch.mcp,
            # Gradio's own way for layers, app_kwargs, would put its CORS layer outside of ours.
            _app=guarded_app(self._make_guard),
        )
        return str(address)

    def _make_house(self) -> House:
        about = {
            "version": fashion_ddpm.__version__,
            "model": self._demo.model,
            "device": str(self._demo.pipeline.device),
        }
        return House(
            holding=self._holding,
            knows=self._knows,
            about=about,
            public=self._launch.public,
            behind_proxy=on_space(),
            hosts=frozenset(filter(None, [os.environ.get("SPACE_HOST")])),
        )

    def _make_guard(self, app: App) -> Guard:
        limits, supervisor = self._demo.limits, self._demo.supervisor
        self._guard = Guard(app, self._gate, limits, supervisor, self._house)
        return self._guard

    def _events(self) -> list[Any]:
        """Returns what runs or waits."""
        queue = self._page._queue
        waiting = [
            each for line in queue.event_queue_per_concurrency_id.values() for each in line.queue
        ]
        return [*waiting, *(each for job in queue.active_jobs if job for each in job)]

    def _holding(self, session: str, address: str) -> tuple[int, int]:
        """Returns the requests for the network of a visitor, and of all at an address."""
        own = here = 0
        for event in self._events():
            if event.concurrency_id != MODEL["concurrency_id"] or not event.alive:
                continue
            client = event.request.client
            at = address_of(
                client.host if client else "", headers_of(event.request.scope), on_space()
            )
            here += at == address
            # A program that names no session gets the event's id for one.
            nameless = event.session_hash == event._id
            own += event.session_hash == session if session else (nameless and at == address)
        return own, here

    def _knows(self, name: str) -> bool:
        """Returns whether a session, or an event, has answers that can be streamed."""
        queue = self._page._queue
        if name in queue.pending_messages_per_session or name in queue.event_ids_to_events:
            return True
        return any(name in events for events in queue.pending_event_ids_session.values())

    def wait(self, first: Callable[[], None]) -> None:
        """Serves until SIGTERM, which drains, or Ctrl-C, which does not; then closes all.

        Args:
            first: what there is to do while the first visitors are served; in a thread of its own,
                for Ctrl-C breaks into whatever the main one does, and may leave a lock behind.
        """
        working = threading.Thread(target=first, daemon=True)
        working.start()
        try:
            self._asked.wait()
            self._drain()
        except KeyboardInterrupt:
            print("Interrupted: closing.", file=sys.stderr)
        working.join()
        self.close()

    def _stop(self, number: int, frame: Any) -> None:
        (self._at_once if self._asked.is_set() else self._asked).set()

    def _drain(self) -> None:
        """Lets nobody in any more, and what runs or waits end, as long as there is time.

        A second SIGTERM says that even that is too long.
        """
        self._demo.supervisor.draining = True
        end = time.monotonic() + self._demo.limits.drain_seconds
        while (self._events() or self._guard.streams) and time.monotonic() < end:
            if self._at_once.wait(PAUSE):
                return

    def close(self) -> None:
        """Ends the server and its threads."""
        self._page.close(verbose=False)
        self._demo.close()
        self._sweeper.close()


def check_free(port: int) -> None:
    """Raises LaunchError when somebody else listens on a port."""
    name = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    try:
        with socket.create_server((name, port), reuse_port=False):
            return
    except (OSError, OverflowError) as error:
        raise LaunchError(
            f"--port {port} cannot be used ({reason(error)}); name another one, or leave it out."
        ) from error


def guarded_app(make_guard: Callable[[App], Guard]) -> GradioApp:
    """Returns gradio's app with a guard around all of its layers."""
    app = GradioApp(
        default_response_class=ORJSONResponse, docs_url=None, redoc_url=None, openapi_url=None
    )
    layers: Any = app.build_middleware_stack
    app.build_middleware_stack = lambda: make_guard(layers())  # type: ignore[method-assign]
    return app


def gate_of(page: gr.Blocks, mcp: bool) -> Gate:
    """Returns the gate that lets in what a page can be asked."""
    events = {
        index: Event(
            inputs=len(fn.inputs),
            queued=bool(fn.queue),
            network=fn.concurrency_id == MODEL["concurrency_id"],
            place=any(name == "select" for _, name in fn.targets),
        )
        for index, fn in page.fns.items()
    }
    endpoint = page.get_api_info()["named_endpoints"][f"/{ENDPOINT}"]
    parameters = tuple(each["parameter_name"] for each in endpoint["parameters"])
    added = tuple(OMITTED[name] for name in ADDED)
    return Gate(events, parameters, added, mcp)


def files_in(folder: Path) -> list[Path]:
    """Returns all files in a folder, however deep."""
    return [path for path in folder.rglob("*") if path.is_file()]
