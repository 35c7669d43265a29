"""Tests of the deployment: flags, environment, ports."""

import argparse
import os
import re
import shlex
import socket
from collections.abc import Mapping
from urllib.request import proxy_bypass

import pytest

from fashion_ddpm.core.paths import ROOT
from fashion_ddpm.server.deployment import (
    FIRST_PORT,
    GRADIO_VARIABLES,
    PRIVATE_NETWORKS,
    Deployment,
    add_address_flags,
    choose_port,
    is_loopback,
    prepare_launch,
    read_deployment,
)
from fashion_ddpm.server.errors import ServerError


def parse(*flags: str, **environment: str) -> Deployment:
    parser = argparse.ArgumentParser()
    add_address_flags(parser)
    return read_deployment(parser.parse_args(flags), environment)


def test_the_default_deployment_is_local() -> None:
    assert parse() == Deployment()
    assert Deployment().is_local


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        (("--host", "::1"), {}, {"host": "::1"}),
        (("--host", "[::1]"), {}, {"host": "::1"}),
        ((), {"GRADIO_SERVER_NAME": "0.0.0.0"}, {"host": "0.0.0.0"}),
        (("--host", "::"), {"GRADIO_SERVER_NAME": "0.0.0.0"}, {"host": "::"}),
        ((), {"GRADIO_SERVER_NAME": "", "GRADIO_SERVER_PORT": ""}, {}),
        (("--port", "0"), {}, {"port": 0}),
        (("--port", "7"), {"GRADIO_SERVER_PORT": "abc"}, {"port": 7}),
        ((), {"GRADIO_SERVER_PORT": "65535"}, {"port": 65535}),
        (("--root-path", "/"), {}, {}),
        (("--root-path", "/a/b-1/"), {}, {"root_path": "/a/b-1"}),
        ((), {"GRADIO_ROOT_PATH": "/demo"}, {"root_path": "/demo"}),
        (
            ("--root-path", "https://A.example:8443/demo"),
            {},
            {
                "root_path": "https://A.example:8443/demo",
                "allowed_hosts": frozenset({"a.example:8443"}),
            },
        ),
        (
            ("--allow-host", "A.example", "--allow-host", "b:80"),
            {"SPACE_HOST": "me.hf.space"},
            {"allowed_hosts": frozenset({"a.example", "b:80", "me.hf.space"})},
        ),
        (
            ("--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.7/8"),
            {"FORWARDED_ALLOW_IPS": "*"},
            {"trusted_proxies": ("127.0.0.1/32", "10.0.0.0/8")},
        ),
        ((), {"FORWARDED_ALLOW_IPS": "::1, "}, {"trusted_proxies": ("::1/128",)}),
        ((), {"SPACE_ID": "user/name"}, {"trusted_proxies": PRIVATE_NETWORKS}),
        (
            (),
            {"FASHION_DDPM_ALLOW_EMBED": "https://a.example, http://b.example"},
            {"embedding_origins": ("https://a.example", "http://b.example")},
        ),
        (
            ("--allow-embed", "https://A.example", "--allow-embed", "http://localhost:80"),
            {},
            {"embedding_origins": ("https://a.example", "http://localhost:80")},
        ),
    ],
)
def test_flags_come_before_the_environment(
    flags: tuple[str, ...], environment: Mapping[str, str], expected: Mapping[str, object]
) -> None:
    assert parse(*flags, **environment) == Deployment(**expected)  # type: ignore[arg-type]


def test_the_documented_flags_are_accepted() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"(?m)^[^`\n]*python app\.py (.+)", text)]
    commands += [line.split(", ") for line in re.findall(r"command: \[(.+)\]", text)]
    assert len(commands) > 3
    for flags in commands:
        assert parse(*flags).prefix == "/demo"


@pytest.mark.parametrize(
    ("source", "value", "allowed"),
    [
        ("GRADIO_SERVER_PORT", "abc", "0 .* to 65535"),
        ("--port", "65536", "0 .* to 65535"),
        ("--port", "-1", "0 .* to 65535"),
        ("--port", "1e3", "0 .* to 65535"),
        ("--port", "9" * 5000, "0 .* to 65535"),
        ("--port", "٣", "0 .* to 65535"),
        ("--root-path", "demo", "such as /demo"),
        ("--root-path", "/a/../b", "such as /demo"),
        ("--root-path", "//evil.example", "such as /demo"),
        ("--root-path", "/a?b", "such as /demo"),
        ("--root-path", "https:///demo", "such as /demo"),
        ("--root-path", "http://[", "such as /demo"),
        ("--root-path", "https://[1:2]/x", "such as /demo"),
        ("--port", "00000000099999", "to 65535"),
        ("GRADIO_ROOT_PATH", "ftp://a/b", "such as /demo"),
        ("--root-path", "/config", "another path"),
        ("--root-path", "https://a.example/assets/b", "another path"),
        ("--allow-host", "https://a.example", "without https://"),
        ("--allow-host", "*", "without https://"),
        ("--allow-host", "", "without https://"),
        *(
            ("--allow-embed", value, r"such as https://example\.org .+ without a path")
            for value in (
                *("", "*", "a.example", "https://a.example/", "https://a.example/course"),
                *("ftp://a.example", "https://*.example", "https://[::1]", "https://a https://b"),
                *("https://a.example; script-src *", "https://a.example\n", "'none'", "null"),
            )
        ),
        ("FASHION_DDPM_ALLOW_EMBED", "a.example", "without a path"),
        ("--trusted-proxy", "nginx", "such as 127.0.0.1"),
        ("--trusted-proxy", "0.0.0.0/0", "such as 127.0.0.1"),
        ("FORWARDED_ALLOW_IPS", "*", "such as 127.0.0.1"),
    ],
)
def test_an_invalid_value_is_refused_with_its_source_and_what_is_allowed(
    source: str, value: str, allowed: str
) -> None:
    is_flag = source.startswith("--")
    flags, environment = ([f"{source}={value}"], {}) if is_flag else ([], {source: value})
    with pytest.raises(ServerError, match=allowed) as failure:
        parse(*flags, **environment)
    assert str(failure.value).startswith(f"{source} is {value!r}; ")


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        (Deployment(), True),
        (Deployment("::1"), True),
        (Deployment("localhost"), True),
        (Deployment("0.0.0.0"), False),
        (Deployment("::"), False),
        (Deployment("10.0.0.1"), False),
        (Deployment(root_path="/demo"), False),
        (Deployment(allowed_hosts=frozenset({"a"})), False),
        (Deployment(trusted_proxies=("127.0.0.1/32",)), False),
    ],
)
def test_is_local_unless_others_connect(deployment: Deployment, expected: bool) -> None:
    assert deployment.is_local == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((name, True) for name in ("localhost", "localhost:1", "127.0.0.9", "::1", "[::1]:1")),
        *((name, False) for name in ("", "a.example", "127.0.0.1.evil", "::", "[bad", "10.0.0.1")),
    ],
)
def test_loopback_hosts_are_recognized(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


def test_the_prefix_is_the_path_of_the_root_path() -> None:
    roots = {"": "", "/a": "/a", "https://b/a": "/a", "https://b": ""}
    assert {root: Deployment(root_path=root).prefix for root in roots} == roots


def test_a_free_port_is_found_and_a_taken_one_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"port {port} of 127.+ in use.+--port 0"):
            choose_port("127.0.0.1", port)
        assert choose_port("127.0.0.1", 0) not in (0, port)
    assert choose_port("127.0.0.1", port) == port
    assert choose_port("127.0.0.1", None) >= FIRST_PORT


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "x" * 300])
def test_a_host_that_is_not_this_machine_is_refused(host: str) -> None:
    with pytest.raises(ServerError, match=rf"--host {host[:100]}"):
        choose_port(host, 0)


def test_gradio_and_uvicorn_get_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*GRADIO_VARIABLES, "FORWARDED_ALLOW_IPS"):
        monkeypatch.setenv(name, "abc")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    monkeypatch.setenv("no_proxy", "")
    arguments = prepare_launch(Deployment("localhost", 0, "/demo", trusted_proxies=("10.0.0.0/8",)))
    assert (arguments["server_name"], arguments["root_path"]) == ("localhost", "/demo")
    assert arguments["server_port"] > 0
    assert os.environ["FORWARDED_ALLOW_IPS"] == "10.0.0.0/8"
    assert not set(GRADIO_VARIABLES) & set(os.environ)
    for host in ("localhost:7860", "127.0.0.1:7860", "intranet.example"):
        assert proxy_bypass(host), f"{host} is requested through the proxy"
    assert not proxy_bypass("elsewhere.example")
