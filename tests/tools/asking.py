"""A visitor made of plain HTTP, who may send anything and says what came back."""

import functools
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.tools import TIMEOUT_S

API = "/gradio_api"
CALL = f"{API}/call/generate"
VALID_DATA = ("bag", "cosine", 1, "dpm++2m", 1.0, 1, 0, "embedded", 0.0, 1.0)
"""Class, schedule, steps, sampler, guidance, images, seed, scorer, guidance from and to."""


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP, of the first request.
        kind: "images", "sentence" (a mistake is told), "silent" (it is not), "broken" (the
            connection ended), or "page" for any other success, and what HEAD is told.
        text: the sentence, or the answer itself.
        headers: of the first answer, names in lower case.
    """

    status: int
    kind: str
    text: Any
    headers: Mapping[str, str]

    @property
    def is_explained(self) -> bool:
        """Whether a mistake was answered as one should be."""
        return self.kind == "sentence" and self.status < 500


def connect(address: str) -> http.client.HTTPConnection:
    """Return a connection to the app, which is patient with a busy machine."""
    return http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_S)


def send(
    address: str,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    chunked: bool = False,
) -> Answer:
    """Send one request and read the whole answer.

    Args:
        address: the app's.
        method: of HTTP.
        path: with its query.
        body: bytes or parts of them as they are, anything else as JSON.
        headers: besides the content type.
        chunked: send the body in chunks, without telling its length.
    """
    raw = isinstance(body, bytes | Iterator) or body is None
    content = body if raw else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} | dict(headers or {})
    with closing(connect(address)) as link:
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
    """Return "sentence" and it, or "silent" and the whole text."""
    try:
        values = json.loads(text)
        sentence = values.get("detail") or values.get("error")
    except (ValueError, AttributeError):
        return "silent", text
    return ("sentence", str(sentence)) if sentence else ("silent", text)


def events(address: str, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the name and the content of each event of a stream."""
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
    """Ask the endpoint for programs, and wait for what becomes of it."""
    body = data if isinstance(data, bytes) else {"data": list(data)}
    first = send(address, "POST", path, body, headers)
    if first.kind != "page":
        return first
    identity = json.loads(first.text)["event_id"]
    for name, content in events(address, f"{path}/{identity}"):
        if name in ("complete", "error"):
            return _final_answer(name == "complete", content, first)
    return Answer(200, "broken", "the stream ended", first.headers)


def _final_answer(success: bool, content: Any, first: Answer) -> Answer:
    """Return what the last event of a stream says."""
    if success:
        return Answer(200, "images", content, first.headers)
    told = content.get("error") if isinstance(content, dict) else content
    return Answer(200, "sentence" if told else "silent", told, first.headers)


def join(address: str, index: int, data: Any, session: str, query: str = "") -> Answer:
    """Ask for one of the page's own events, as the page does.

    Args:
        address: the app's.
        index: of the event.
        data: its inputs.
        session: the visitor's.
        query: the page's own, which the page repeats.
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
    """Return the index of the event whose handler has a name and a number of inputs."""
    return next(
        index
        for index, each in dependencies(address).items()
        if (each["api_name"] or "").startswith(name) and len(each["inputs"]) == inputs
    )


@functools.cache
def find_link_event(address: str) -> int:
    """Return the index of the event that reads a link when the page is opened."""
    return next(
        index
        for index, each in dependencies(address).items()
        if each["backend_fn"] and "load" in [target[1] for target in each["targets"]]
    )


def fetch(address: str, path: str) -> bytes:
    """Return a file that the app made."""
    with closing(connect(address)) as link:
        link.request("GET", f"{API}/file={path}")
        return link.getresponse().read()
