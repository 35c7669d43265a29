"""Paths and bodies that may reach gradio; everything else is refused."""

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
"""The only API endpoint."""

MCP = f"{API}/mcp"

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOCAL_FILE = re.compile(r"(/|[A-Za-z]:[/\\])[^/\\]")
_GET_PATHS = {
    *("/", "/config", "/config/", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"),
    *(f"{API}/{name}" for name in ("info", "startup-events", "app_id", "queue/status")),
    *(f"{API}/{name}" for name in ("queue/data", "upload_progress")),
}
_GET_PREFIXES = (
    *("/assets/", "/static/", "/svelte/", f"{API}/heartbeat/"),
    *(f"{API}/call/{ENDPOINT}/", f"{API}/call/v2/{ENDPOINT}/"),
)
_POST_PATHS = {
    *(f"{API}/{name}" for name in ("queue/join", "cancel", "reset")),
    *(UPLOAD, f"{API}/call/{ENDPOINT}", f"{API}/call/v2/{ENDPOINT}"),
}
_RUN_PREFIX = f"{API}/run/"
_MAX_PATH_BYTES, _MAX_NAME_BYTES = 1000, 255
"""File systems allow names of 255 bytes; a longer one would raise an OSError."""


@dataclass(frozen=True)
class Event:
    """An event listener of the page.

    Attributes:
        num_inputs: number of its input components.
        is_queued: whether it goes through gradio's queue.
        runs_network: whether it runs the network.
        is_select: whether it is a select event, whose event_data has the index of what was clicked.
    """

    num_inputs: int
    is_queued: bool
    runs_network: bool
    is_select: bool = False


@dataclass(frozen=True)
class CheckedBody:
    """A body that may pass.

    Attributes:
        event: the event it triggers, or None.
        session: session hash of the page, or "" for a program.
        body: JSON with only the fields that gradio needs.
    """

    event: Event | None
    session: str
    body: bytes


@dataclass(frozen=True)
class Allowlist:
    """The paths and bodies that may pass.

    Attributes:
        events: fn_index → event.
        parameters: names of the endpoint's parameters, in order.
        defaults: values of the last parameters for programs written before these were added.
        mcp: whether the MCP server may be reached.
    """

    events: Mapping[int, Event]
    parameters: tuple[str, ...]
    defaults: tuple[Any, ...] = ()
    mcp: bool = False

    def check_path(self, method: str, path: str) -> None:
        """Raise HTTPException for a path, or a method, that the page does not need."""
        raw = path.encode(errors="replace")
        if len(raw) > _MAX_PATH_BYTES or max(map(len, raw.split(b"/"))) > _MAX_NAME_BYTES:
            raise HTTPException(
                414,
                f"The address is too long; at most {_MAX_PATH_BYTES:,} bytes, and "
                f"{_MAX_NAME_BYTES} between two slashes.",
            )
        if self.mcp and (path == MCP or path.startswith(f"{MCP}/")):
            return
        if method == "POST" and (path in _POST_PATHS or path.startswith(_RUN_PREFIX)):
            return
        if method in ("GET", "HEAD"):
            if path in _GET_PATHS or path.startswith(_GET_PREFIXES):
                return
            file = path.removeprefix(f"{API}/file=")
            if file != path and _LOCAL_FILE.match(file) and ".." not in file:
                return
        raise HTTPException(404, "There is nothing at this address.")

    @staticmethod
    def stream_name(path: str, query: QueryParams) -> str | None:
        """Return the session hash, or the event ID, whose answers a path streams, or None."""
        if path == f"{API}/queue/data":
            return query.get("session_hash", "")
        for prefix in (f"{API}/call/v2/{ENDPOINT}/", f"{API}/call/{ENDPOINT}/"):
            if path.startswith(prefix):
                return path.removeprefix(prefix)
        return None

    def check_body(self, path: str, body: bytes) -> CheckedBody:
        """Return a POST body's event, session and needed fields; not for uploads.

        Raises:
            HTTPException: it is not JSON, or neither an event nor an endpoint call.
        """
        values = _parse_object(body)
        session = values.get("session_hash")
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            raise HTTPException(
                400, f"session_hash is {safe_repr(session)}; it must be 1 to 64 letters and digits."
            )
        if path in (f"{API}/cancel", f"{API}/reset"):
            return CheckedBody(None, session or "", json.dumps(values).encode())
        if path == f"{API}/call/v2/{ENDPOINT}":
            return self._check_named(values)
        if path == f"{API}/call/{ENDPOINT}":
            # Gradio streams all answers of a session: a program that named one could take answers
            # of its previous request for those of the next.
            event = Event(len(self.parameters), is_queued=True, runs_network=True)
            session, fields = None, {"data": self._add_defaults(values.get("data"))}
        else:
            event = self._find_event(values, is_queued=not path.startswith(_RUN_PREFIX))
            fields = {name: values[name] for name in _EVENT_FIELDS if name in values}
            if session is None and event.is_queued:
                raise HTTPException(400, "session_hash is missing; the page sends one.")
        _check_data(fields.get("data"), event.num_inputs)
        _check_event_fields(values, event.is_select)
        if event.is_select:  # the page sends no value if a gallery has just been emptied
            fields["event_data"] = {"value": None, **values["event_data"]}
        return CheckedBody(event, session or "", json.dumps(fields).encode())

    def _add_defaults(self, data: Any) -> Any:
        """Append the defaults to the values of a program that does not know these parameters."""
        is_old = isinstance(data, list) and len(data) == len(self.parameters) - len(self.defaults)
        return [*data, *self.defaults] if is_old else data

    def _find_event(self, values: Mapping[str, Any], is_queued: bool) -> Event:
        index = values.get("fn_index")
        event = self.events.get(index) if type(index) is int else None
        if event is None or event.is_queued != is_queued:
            raise HTTPException(
                400, f"fn_index is {safe_repr(index)}; the page has no such event: reload it."
            )
        return event

    def _check_named(self, values: Mapping[str, Any]) -> CheckedBody:
        """Check a body of named parameters, of which all but the first may be missing."""
        unknown = [name for name in values if name not in self.parameters]
        if unknown:
            raise HTTPException(
                400,
                f"{safe_repr(unknown[0])} is none of {', '.join(self.parameters)}; leave it out.",
            )
        _check_data(list(values.values()), len(values))
        event = Event(len(values), is_queued=True, runs_network=True)
        return CheckedBody(event, "", json.dumps(values).encode())


_EVENT_FIELDS = ("data", "session_hash", "fn_index", "trigger_id")
"""Fields that pass unchanged; others could be gradio's internal flags."""


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        values = json.loads(body, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise HTTPException(
            400, "The request is no JSON; NaN and Infinity are none either."
        ) from error
    if not isinstance(values, dict):
        raise HTTPException(400, 'The request must be a JSON object such as {"data": […]}.')
    return values


def _reject_constant(name: str) -> None:
    raise ValueError(name)


def _check_data(data: Any, num_inputs: int) -> None:
    if not isinstance(data, list) or len(data) != num_inputs:
        given = f"a list of {len(data)}" if isinstance(data, list) else safe_repr(data)
        raise HTTPException(400, f"data is {given}; it must be a list of {num_inputs} values.")
    pending = list(data)
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            _check_file(value)
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _check_file(value: Mapping[str, Any]) -> None:
    """Refuse files that the server would have to download."""
    path = value.get("path")
    if isinstance(path, str) and not (_LOCAL_FILE.match(path) and ".." not in path):
        raise HTTPException(
            400, f"path is {safe_repr(path)}; it must be a file that was uploaded here."
        )


def _check_event_fields(values: Mapping[str, Any], is_select: bool) -> None:
    trigger = values.get("trigger_id")
    if trigger is not None and type(trigger) is not int:
        raise HTTPException(400, f"trigger_id is {safe_repr(trigger)}; leave it out.")
    data = values.get("event_data")
    if is_select and not (isinstance(data, dict) and type(data.get("index")) is int):
        raise HTTPException(400, f"event_data is {safe_repr(data)}; it must have an index.")
