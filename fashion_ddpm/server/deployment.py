"""Where the server listens, its host names and its trusted proxies."""

import argparse
import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fashion_ddpm.core.errors import reason
from fashion_ddpm.server.errors import ServerError

LOCALHOST = "127.0.0.1"
FIRST_PORT, NUM_PORTS = 7860, 100
"""Default: the first free one of these ports."""

GRADIO_VARIABLES = ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS")
"""Gradio reads these at launch, and fails on IPv6 or a port that is not a number."""

EMBED_VARIABLE = "FASHION_DDPM_ALLOW_EMBED"
"""Replaces --allow-embed where no flags can be given, as on a Space."""

PRIVATE_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
)
"""Networks that are not routed on the internet: loopback, private, carrier-grade, link-local."""

_NETLOC = r"([a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"
_HOST = re.compile(_NETLOC, re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://{_NETLOC}", re.IGNORECASE)
_ROOT = re.compile(rf"(https?://{_NETLOC})?(?P<path>(/[a-z0-9_~-][a-z0-9._~-]*)*)", re.IGNORECASE)
_RESERVED_PATHS = (["assets"], ["config"], ["gradio_api"], ["static"], ["svelte"])


@dataclass(frozen=True)
class Deployment:
    """Where the server listens, and how it is reached.

    Attributes:
        host: the name or address to listen at; IPv6 without brackets.
        port: 0 for any free port, None for the first free one from FIRST_PORT on.
        root_path: where a proxy serves the page: "", "/path" or "https://host/path".
        allowed_hosts: host names, in lower case, with or without a port, whose pages may send
            requests, beside the request's Host.
        trusted_proxies: networks (CIDR) of proxies whose X-Forwarded-For is used.
        embedding_origins: origins of other sites whose pages may frame the page.
    """

    host: str = LOCALHOST
    port: int | None = None
    root_path: str = ""
    allowed_hosts: frozenset[str] = frozenset()
    trusted_proxies: tuple[str, ...] = ()
    embedding_origins: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The path below which a proxy serves the page: "" or "/path"."""
        return urlsplit(self.root_path).path

    @property
    def is_local(self) -> bool:
        """Whether only this machine is expected to connect."""
        is_proxied = self.root_path or self.allowed_hosts or self.trusted_proxies
        return is_loopback(self.host) and not is_proxied


def add_address_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags for `read_deployment`."""
    parser.add_argument(
        "--host",
        help="address to listen at, such as 0.0.0.0 (all of IPv4), :: (all of IPv6) or ::1; "
        f"default: $GRADIO_SERVER_NAME, or {LOCALHOST}",
    )
    parser.add_argument(
        "--port",
        help="port to listen at; 0: any free one; default: $GRADIO_SERVER_PORT, or the first free "
        f"one from {FIRST_PORT} on",
    )
    parser.add_argument(
        "--root-path",
        metavar="PATH",
        help="where a proxy serves the page, such as /demo or https://example.org/demo; the proxy "
        "may strip the path or not; default: $GRADIO_ROOT_PATH",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        metavar="NAME",
        help="host name in the visitors' address bar, where a proxy passes another Host on; may "
        "be repeated",
    )
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        metavar="CIDR",
        help="address or network of a proxy whose X-Forwarded-For is believed; may be repeated; "
        "default: $FORWARDED_ALLOW_IPS (on a Space private networks)",
    )
    parser.add_argument(
        "--allow-embed",
        action="append",
        metavar="ORIGIN",
        help="site whose pages may show this one in a frame, such as https://example.org; may be "
        f"repeated; default: ${EMBED_VARIABLE}, separated by commas",
    )


def read_deployment(
    arguments: argparse.Namespace, environment: Mapping[str, str] | None = None
) -> Deployment:
    """Return the deployment of the flags, or else of the environment.

    Args:
        arguments: the parsed flags.
        environment: the variables; this process's when None.

    Raises:
        ServerError: a value is invalid.
    """
    environment = os.environ if environment is None else environment

    def read(flag: str, variable: str) -> tuple[str, str]:
        """Return the name of the flag or variable that is set, and its value."""
        value = getattr(arguments, flag.removeprefix("--").replace("-", "_"))
        return (variable, environment.get(variable, "")) if value is None else (flag, value)

    def read_list(flag: str, variable: str) -> list[tuple[str, str]]:
        """Return the same for each of several values; a variable's are separated by commas."""
        if given := getattr(arguments, flag.removeprefix("--").replace("-", "_")):
            return [(flag, value) for value in given]
        listed = environment.get(variable, "").split(",")
        return [(variable, value.strip()) for value in listed if value.strip()]

    _, host = read("--host", "GRADIO_SERVER_NAME")
    port = read("--port", "GRADIO_SERVER_PORT")
    proxies = read_list("--trusted-proxy", "FORWARDED_ALLOW_IPS")
    networks = tuple(_parse_network(*each) for each in proxies)
    embedding = read_list("--allow-embed", EMBED_VARIABLE)
    root_path = _parse_root_path(*read("--root-path", "GRADIO_ROOT_PATH"))
    names = {_parse_host_name("--allow-host", value) for value in arguments.allow_host or ()}
    names |= {environment.get("SPACE_HOST", "").lower(), urlsplit(root_path).netloc.lower()}
    return Deployment(
        host=host.strip().removeprefix("[").removesuffix("]") or LOCALHOST,
        port=_parse_port(*port) if port[1] else None,
        root_path=root_path,
        allowed_hosts=frozenset(names - {""}),
        trusted_proxies=networks or (PRIVATE_NETWORKS if on_space(environment) else ()),
        embedding_origins=tuple(_parse_embedding_origin(*each) for each in embedding),
    )


def on_space(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether this is a Space, where every connection comes from the Hub's proxy."""
    return "SPACE_ID" in (os.environ if environment is None else environment)


def is_loopback(host: str) -> bool:
    """Return whether a host, with or without a port, is localhost or a loopback address."""
    try:
        name = urlsplit(f"//{host}").hostname if host.count(":") < 2 or "[" in host else host
        return name == "localhost" or ipaddress.ip_address(name or "").is_loopback
    except ValueError:
        return False


def _parse_port(source: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 6 and int(value) <= 65535):
        raise ServerError(
            f"{source} is {value!r}; it must be a whole number from 0 (any free port) to 65535."
        )
    return int(value)


def _parse_root_path(source: str, value: str) -> str:
    root = value.rstrip("/")
    found = None
    with suppress(ValueError):  # an invalid IPv6 address
        urlsplit(root)
        found = _ROOT.fullmatch(root)
    if found is None:
        raise ServerError(
            f"{source} is {value!r}; it must be a path such as /demo, or an address such as "
            "https://example.org/demo."
        )
    if found["path"].split("/")[1:2] in _RESERVED_PATHS:
        raise ServerError(
            f"{source} is {value!r}; the page has addresses of its own there: choose another path."
        )
    return root


def _parse_host_name(source: str, value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ServerError(
            f"{source} is {value!r}; it must be a host name such as demo.example.org, with or "
            "without a port, and without https://."
        )
    return value.lower()


def _parse_embedding_origin(source: str, value: str) -> str:
    # Content-Security-Policy, in which it is sent, has no syntax for IPv6 addresses.
    if not _ORIGIN.fullmatch(value) or "[" in value:
        raise ServerError(
            f"{source} is {value!r}; it must be the site of the page with the frame, such as "
            "https://example.org or http://localhost:8000, without a path or an IPv6 address."
        )
    return value.lower()


def _parse_network(source: str, value: str) -> str:
    with suppress(ValueError):
        network = ipaddress.ip_network(value, strict=False)
        if network.prefixlen > 0:
            return str(network)
    raise ServerError(
        f"{source} is {value!r}; it must be the proxy's own address, such as 127.0.0.1, or a "
        "network that no visitor comes from."
    )


def choose_port(host: str, port: int | None) -> int:
    """Return a port that the server can listen at.

    Args:
        host: the name or address to listen at.
        port: 0 for any free port, None for the first free one from FIRST_PORT on.

    Raises:
        ServerError: the port is taken, or the host is not this machine's.
    """
    try:
        _bind(host, 0)
    except (OSError, UnicodeError) as error:
        raise ServerError(
            f"--host {host} cannot be listened at ({reason(error)}); name an address of this "
            f"machine, such as {LOCALHOST}, 0.0.0.0 or ::1."
        ) from error
    last = FIRST_PORT + NUM_PORTS - 1
    for candidate in range(FIRST_PORT, last + 1) if port is None else [port]:
        try:
            return _bind(host, candidate)
        except OSError as error:
            why = error.strerror or reason(error)
    ports = f"ports {FIRST_PORT} to {last}" if port is None else f"port {port}"
    raise ServerError(
        f"{ports} of {host} cannot be used ({why}); name another one with --port, or any free one "
        "with --port 0."
    )


def _bind(host: str, port: int) -> int:
    """Return a port that is free at the host, and at 127.0.0.1, where gradio tries it."""
    for name in (host, LOCALHOST):
        family, *_, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        with socket.create_server(address[:2], family=family) as server:
            port = server.getsockname()[1]
    return port


def prepare_launch(deployment: Deployment) -> dict[str, Any]:
    """Return gradio's arguments for the address, and set variables for what has no argument.

    Raises:
        ServerError: the server cannot listen there.
    """
    host = deployment.host
    port = choose_port(host, deployment.port)
    for variable in GRADIO_VARIABLES:  # their values are in the deployment
        os.environ.pop(variable, None)
    # Uvicorn, which gradio starts, takes its trusted proxies from this variable.
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(deployment.trusted_proxies)
    # Gradio sends its server a request to see if it is up; HTTP_PROXY must not apply.
    old = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    names = [*([old] if old else []), "localhost", LOCALHOST, "::1", host]
    os.environ["no_proxy"] = ",".join(dict.fromkeys(names))
    name = f"[{host}]" if ":" in host else host
    return {"server_name": name, "server_port": port, "root_path": deployment.root_path}
