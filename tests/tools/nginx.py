"""nginx in front of the app, with TLS and the location block of docs/deployment.md."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fashion_ddpm.publishing.space_trial import find_free_port
from tests.tools import TIMEOUT_S
from tests.tools.serving import ROOT

NO_NGINX = "nginx or openssl is not on the PATH"
SYSTEM_PROGRAMS = "/usr/sbin"
"""Debian's folder of nginx, which is not on every user's PATH."""

ORDINARY_USER = "nobody"
"""The user that root starts nginx as."""

APP_ADDRESS = "http://127.0.0.1:7860"
"""The app's address in the documentation."""

CONFIGURATION = """
daemon off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        location = /favicon.ico {{ return 204; }}  # browsers request it at the root of a site
        {location}
    }}
}}
"""


def nginx_path() -> str | None:
    """Return nginx's path, or None if it or openssl is missing."""
    folders = f"{os.environ['PATH']}{os.pathsep}{SYSTEM_PROGRAMS}"
    return shutil.which("nginx", path=folders) if shutil.which("openssl") else None


def documented_proxy() -> tuple[str, list[str]]:
    """Return nginx's location block and the flags of the app behind it, as documented."""
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    found = re.search(r"```nginx\n(.+?)```\s+```\npython app.py (.+?)\n", text, re.DOTALL)
    assert found, "docs/deployment.md has no nginx block with the app's command after it"
    return found[1], shlex.split(found[2])


def make_certificate(folder: Path) -> None:
    """Write a certificate for this machine that no authority signed."""
    files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"]
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*line, *files], check=True, capture_output=True)


@contextmanager
def serve_nginx(upstream: str, keep_prefix: bool = False, port: int | None = None) -> Iterator[str]:
    """Start nginx as an ordinary user; yield its address. At the end, drop all connections.

    Args:
        upstream: the app's address.
        keep_prefix: whether the app gets the path with the prefix.
        port: the port to listen at; a free one when None.
    """
    port = port or find_free_port()
    location, _ = documented_proxy()
    location = location.replace(f"{APP_ADDRESS}/", upstream if keep_prefix else f"{upstream}/")
    assert upstream in location
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_certificate(folder)
        content = CONFIGURATION.format(folder=folder, port=port, location=location)
        (folder / "nginx.conf").write_text(content)
        user = ORDINARY_USER if os.geteuid() == 0 else None
        if user:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
        line = [str(nginx_path()), "-e", "stderr", "-p", name, "-c", "nginx.conf"]
        process = subprocess.Popen(line, user=user, extra_groups=[] if user else None)
        try:
            _wait_for_port(port, process)
            yield f"https://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nginx does not listen; exit status: {process.poll()}")
