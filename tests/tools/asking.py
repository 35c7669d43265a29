"""A plain HTTP client that can send anything, and classifies the answers."""

import functools
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.tools import TIMEOUT_S

API = "/gradio_api"
CALL = f"{API}/call/generate"
VALID_DATA = ("bag", "cosine", 1, "dpm++2m", 1.0, 1, 0, "embedded", 0.0, 1.0)
"""Class, schedule, steps, sampler, guidance, images, seed, scorer, guidance interval."""


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        status: HTTP status of the first request.
        kind: "images", "sentence" (an error with a message), "silent" (one without), "broken"
            (the connection ended), or "page" for any other success, and for answers to HEAD.
        text: the error message, or the answer itself.
        headers: headers of the first answer, names in lower case.
    """

    status: int
    kind: str
    text: Any
    headers: Mapping[str, str]

    @property
    def is_explained(self) -> bool:
        """Whether it is a client error with a message."""
        return self.kind == "sentence" and self.status < 500


def connect(address: str, source: str = "") -> http.client.HTTPConnection:
    """Return a connection to the app with a long timeout.

    Args:
        address: the app's address; with https, its certificate is not checked.
        source: this machine's address to connect from; "" for the usual one.
    """
    host, from_address = urlsplit(address).netloc, (source, 0) if source else None
    if not address.startswith("https:"):
        return http.client.HTTPConnection(host, timeout=TIMEOUT_S, source_address=from_address)
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(
        host, timeout=TIMEOUT_S, source_address=from_address, context=unchecked
    )


def send(
    address: str,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    chunked: bool = False,
    source: str = "",
) -> Answer:
    """Send one request and read the whole answer.

    Args:
        address: the app's address.
        method: the HTTP method.
        path: the path and query.
        body: bytes or an iterator of bytes, or anything else, which is sent as JSON.
        headers: headers in addition to the content type.
        chunked: whether to send the body in chunks, without Content-Length.
        source: see `connect`.
    """
    raw = isinstance(body, bytes | Iterator) or body is None
    content = body if raw else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} | dict(headers or {})
    with closing(connect(address, source)) as link:
        try:
            link.request(method, path, content, kind, encode_chunked=chunked)
            response = link.getresponse()
            text = response.read().decode(errors="replace")
        except (ConnectionError, http.client.HTTPException) as error:
            return Answer(0, "broken", repr(error), {})
    found = {name.lower(): value for name, value in response.getheaders()}
    if response.status < 400 or (method == "HEAD" and response.status < 500):  # HEAD has no body
        return Answer(response.status, "page", text, found)
    if text and found.get("content-type", "").startswith("text/plain"):
        return Answer(response.status, "sentence", text, found)
    return Answer(response.status, *_parse_error(text), found)


def _parse_error(text: str) -> tuple[str, str]:
    """Return ("sentence", message), or ("silent", text) if there is no message."""
    try:
        values = json.loads(text)
        sentence = values.get("detail") or values.get("error")
    except (ValueError, AttributeError):
        return "silent", text
    return ("sentence", str(sentence)) if sentence else ("silent", text)


def events(address: str, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the name and the data of each event of a stream."""
    with closing(connect(address)) as link:
        link.request("GET", path)
        name = ""
        for line in link.getresponse():
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield name, json.loads(line[6:])


def call(
    address: str, data: Any = VALID_DATA, headers: Mapping[str, str] | None = None, path: str = CALL
) -> Answer:
    """Call the API endpoint and wait for the final answer."""
    body = data if isinstance(data, bytes) else {"data": list(data)}
    first = send(address, "POST", path, body, headers)
    if first.kind != "page":
        return first
    event_id = json.loads(first.text)["event_id"]
    for name, content in events(address, f"{path}/{event_id}"):
        if name in ("complete", "error"):
            return _final_answer(name == "complete", content, first)
    return Answer(200, "broken", "the stream ended", first.headers)


def _final_answer(success: bool, content: Any, first: Answer) -> Answer:
    """Return the answer in the last event of a stream."""
    if success:
        return Answer(200, "images", content, first.headers)
    message = content.get("error") if isinstance(content, dict) else content
    return Answer(200, "sentence" if message else "silent", message, first.headers)


def join(address: str, index: int, data: Any, session: str, query: str = "") -> Answer:
    """Trigger one of the page's events, as the page does.

    Args:
        address: the app's address.
        index: the event's index.
        data: its inputs.
        session: the visitor's session hash.
        query: the query of the page's address, which the page repeats.
    """
    body = {"data": data, "fn_index": index, "session_hash": session}
    first = send(address, "POST", f"{API}/queue/join?{query}", body)
    if first.kind != "page":
        return first
    for _, content in events(address, f"{API}/queue/data?session_hash={session}"):
        if content["msg"] == "process_completed":
            return _final_answer(content["success"], content["output"], first)
    return Answer(200, "broken", "the stream ended", first.headers)


def dependencies(address: str) -> dict[int, dict[str, Any]]:
    """Return the page's events by their index."""
    config = json.loads(send(address, "GET", "/config").text)
    return {each["id"]: each for each in config["dependencies"]}


@functools.cache
def find_event(address: str, name: str, inputs: int) -> int:
    """Return the index of the event with a handler's name and a number of inputs."""
    return next(
        index
        for index, each in dependencies(address).items()
        if (each["api_name"] or "").startswith(name) and len(each["inputs"]) == inputs
    )


@functools.cache
def find_link_event(address: str) -> int:
    """Return the index of the event that reads the query when the page opens."""
    return next(
        index
        for index, each in dependencies(address).items()
        if each["backend_fn"] and "load" in [target[1] for target in each["targets"]]
    )


def fetch(address: str, path: str) -> bytes:
    """Download a file that the app wrote."""
    with closing(connect(address)) as link:
        link.request("GET", f"{API}/file={path}")
        return link.getresponse().read()
