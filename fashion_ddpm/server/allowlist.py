"""What may reach the page at all: which addresses, and which bodies; everything else is refused."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from fashion_ddpm.core.requests import safe_repr

API = "/gradio_api"
UPLOAD = f"{API}/upload"
ENDPOINT = "generate"
"""The one endpoint for programs."""

MCP = f"{API}/mcp"

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWN_FILE = re.compile(r"(/|[A-Za-z]:[/\\])[^/\\]")
_OPEN = {
    *("/", "/config", "/config/", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"),
    *(f"{API}/{name}" for name in ("info", "startup-events", "app_id", "queue/status")),
    *(f"{API}/{name}" for name in ("queue/data", "upload_progress")),
}
_OPEN_BELOW = (
    *("/assets/", "/static/", "/svelte/", f"{API}/heartbeat/"),
    *(f"{API}/call/{ENDPOINT}/", f"{API}/call/v2/{ENDPOINT}/"),
)
_POSTS = {
    *(f"{API}/{name}" for name in ("queue/join", "cancel", "reset")),
    *(UPLOAD, f"{API}/call/{ENDPOINT}", f"{API}/call/v2/{ENDPOINT}"),
}
_RUN = f"{API}/run/"
_LONGEST_PATH, _LONGEST_NAME = 1000, 255
"""Bytes; file systems allow names of 255, and whoever asks one for more is told of an error."""


@dataclass(frozen=True)
class Event:
    """One thing that the page can ask for.

    Attributes:
        num_inputs: values it takes.
        is_queued: whether it goes through the queue.
        runs_network: whether it runs the network.
        is_select: whether it comes with the index of what was clicked.
    """

    num_inputs: int
    is_queued: bool
    runs_network: bool
    is_select: bool = False


@dataclass(frozen=True)
class CheckedBody:
    """A body that may pass.

    Attributes:
        event: what it asks for, or None when it is no event.
        session: the visitor's session, or "" for a program that has none.
        body: the body without anything that is not needed.
    """

    event: Event | None
    session: str
    body: bytes


@dataclass(frozen=True)
class Allowlist:
    """Knows the page's events.

    Attributes:
        events: fn_index → event.
        parameters: names of the endpoint's parameters, in order.
        defaults: values of the last ones for programs that were written before they were added.
        mcp: whether language models are served too.
    """

    events: Mapping[int, Event]
    parameters: tuple[str, ...]
    defaults: tuple[Any, ...] = ()
    mcp: bool = False

    def check_path(self, method: str, path: str) -> None:
        """Raise HTTPException for an address, or a method, that the page does not need."""
        raw = path.encode(errors="replace")
        if len(raw) > _LONGEST_PATH or max(map(len, raw.split(b"/"))) > _LONGEST_NAME:
            raise HTTPException(
                414,
                f"The address is too long; at most {_LONGEST_PATH:,} bytes, and {_LONGEST_NAME} "
                "between two slashes.",
            )
        if self.mcp and (path == MCP or path.startswith(f"{MCP}/")):
            return
        if method == "POST" and (path in _POSTS or path.startswith(_RUN)):
            return
        if method in ("GET", "HEAD"):
            if path in _OPEN or path.startswith(_OPEN_BELOW):
                return
            file = path.removeprefix(f"{API}/file=")
            if file != path and _OWN_FILE.match(file) and ".." not in file:
                return
        raise HTTPException(404, "There is nothing at this address.")

    @staticmethod
    def stream_name(path: str, query: str) -> str | None:
        """Return the session, or the event, whose answers an address streams."""
        if path == f"{API}/queue/data":
            return QueryParams(query).get("session_hash", "")
        for start in (f"{API}/call/v2/{ENDPOINT}/", f"{API}/call/{ENDPOINT}/"):
            if path.startswith(start):
                return path.removeprefix(start)
        return None

    def check_body(self, path: str, body: bytes) -> CheckedBody:
        """Return what a body asks for; uploads are checked elsewhere.

        Raises:
            HTTPException: it is no JSON, or nothing that the page or the endpoint understands.
        """
        values = _object(body)
        session = values.get("session_hash")
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            raise HTTPException(
                400, f"session_hash is {safe_repr(session)}; it must be 1 to 64 letters and digits."
            )
        if path in (f"{API}/cancel", f"{API}/reset"):
            return CheckedBody(None, session or "", json.dumps(values).encode())
        if path == f"{API}/call/v2/{ENDPOINT}":
            return self._named(values)
        if path == f"{API}/call/{ENDPOINT}":
            # Gradio streams a session's answers, whichever request they belong to: a program that
            # named one could read the answers of its last request as those of its next.
            event = Event(len(self.parameters), is_queued=True, runs_network=True)
            session, kept = None, {"data": self._completed(values.get("data"))}
        else:
            event = self._event(values, is_queued=not path.startswith(_RUN))
            kept = {name: values[name] for name in _KEPT if name in values}
            if session is None and event.is_queued:
                raise HTTPException(400, "session_hash is missing; the page sends one.")
        _check_data(kept.get("data"), event.num_inputs)
        _check_extras(values, event.is_select)
        if event.is_select:  # the page leaves the value out where a gallery has just been emptied
            kept["event_data"] = {"value": None, **values["event_data"]}
        return CheckedBody(event, session or "", json.dumps(kept).encode())

    def _completed(self, data: Any) -> Any:
        """Return a list of values with those of parameters that its program does not know."""
        old = isinstance(data, list) and len(data) == len(self.parameters) - len(self.defaults)
        return [*data, *self.defaults] if old else data

    def _event(self, values: Mapping[str, Any], is_queued: bool) -> Event:
        index = values.get("fn_index")
        event = self.events.get(index) if type(index) is int else None
        if event is None or event.is_queued != is_queued:
            raise HTTPException(
                400, f"fn_index is {safe_repr(index)}; the page has no such event: reload it."
            )
        return event

    def _named(self, values: Mapping[str, Any]) -> CheckedBody:
        """Return what a body of named values asks for; all but the first may be left out."""
        unknown = [name for name in values if name not in self.parameters]
        if unknown:
            raise HTTPException(
                400,
                f"{safe_repr(unknown[0])} is none of {', '.join(self.parameters)}; leave it out.",
            )
        _check_data(list(values.values()), len(values))
        event = Event(len(values), is_queued=True, runs_network=True)
        return CheckedBody(event, "", json.dumps(values).encode())


_KEPT = ("data", "session_hash", "fn_index", "trigger_id")
"""What passes as it was sent; a flag of gradio's own making must not come from outside."""


def _object(body: bytes) -> dict[str, Any]:
    """Return the object that a JSON body holds."""
    try:
        values = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise HTTPException(
            400, "The request is no JSON; NaN and Infinity are none either."
        ) from error
    if not isinstance(values, dict):
        raise HTTPException(400, 'The request must be a JSON object such as {"data": […]}.')
    return values


def _no_number(name: str) -> None:
    raise ValueError(name)


def _check_data(data: Any, num_inputs: int) -> None:
    if not isinstance(data, list) or len(data) != num_inputs:
        given = f"a list of {len(data)}" if isinstance(data, list) else safe_repr(data)
        raise HTTPException(400, f"data is {given}; it must be a list of {num_inputs} values.")
    left = list(data)
    while left:
        value = left.pop()
        if isinstance(value, dict):
            _check_file(value)
            left += value.values()
        elif isinstance(value, list):
            left += value


def _check_file(value: Mapping[str, Any]) -> None:
    """Refuse files that the server would have to fetch."""
    path = value.get("path")
    if isinstance(path, str) and not (_OWN_FILE.match(path) and ".." not in path):
        raise HTTPException(
            400, f"path is {safe_repr(path)}; it must be a file that was uploaded here."
        )


def _check_extras(values: Mapping[str, Any], is_select: bool) -> None:
    trigger = values.get("trigger_id")
    if trigger is not None and type(trigger) is not int:
        raise HTTPException(400, f"trigger_id is {safe_repr(trigger)}; leave it out.")
    data = values.get("event_data")
    if is_select and not (isinstance(data, dict) and type(data.get("index")) is int):
        raise HTTPException(400, f"event_data is {safe_repr(data)}; it must have an index.")
