"""A hub on this machine, with the settings of deploy/, for tests and for `make room`.

It listens on the loopback only. What a server of its own would do is left out: HTTPS, system users
and the enforcement of limits, which systemd and Kubernetes do.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from tools.notebooks import BUILD, ROOT

PROXY = BUILD / "hub" / "node_modules" / ".bin" / "configurable-http-proxy"
STUB = '#!/bin/sh\necho "$@" >>"$TLJH/said"\n'
CONFIG = """
import json, sys
c = get_config()
c.JupyterHub.bind_url, c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url = {urls!r}
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.spawner_class = "simple"  # a process for each learner, in a folder of their own
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser", *{args!r}]
c.Spawner.ip = "127.0.0.1"
c.Spawner.default_url = "/lab"

said = json.loads({settings!r})
auth = {{"type": "firstuseauthenticator.FirstUseAuthenticator"}} | said.get("auth", {{}})
c.JupyterHub.authenticator_class = auth.pop("type")
for name, values in auth.items():
    c[name].update(values)
c.Spawner.mem_limit, c.Spawner.cpu_limit = said["limits"]["memory"], said["limits"]["cpu"]
cull = said["services"]["cull"]
c.JupyterHub.services = [{{
    "name": "cull-idle",
    "command": [sys.executable, "-m", "jupyterhub_idle_culler",
                f"--timeout={{cull['timeout']}}", f"--cull-every={{cull['every']}}"],
}}]
c.JupyterHub.load_roles = [{{
    "name": "cull-idle", "services": ["cull-idle"],
    "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
}}]
load_subconfig({deployed!r})
{more}
"""


def settings(folder: Path, **environment: str) -> dict:
    """What deploy/tljh.sh tells TLJH, as nested settings, without a TLJH."""
    commands = folder / "user" / "bin"
    commands.mkdir(parents=True)
    for name in ("pip", "tljh-config"):
        (commands / name).write_text(STUB)
        (commands / name).chmod(0o755)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    environment = os.environ | {"TLJH": str(folder), "PATH": path} | environment
    script = ["bash", ROOT / "deploy" / "tljh.sh"]
    subprocess.run(script, env=environment, check=True, capture_output=True, text=True)
    said: dict = {}
    for line in (folder / "said").read_text().splitlines():
        verb, *words = line.split()
        if verb in ("set", "add-item"):
            *parents, last = words[0].split(".")
            place = said
            for parent in parents:
                place = place.setdefault(parent, {})
            value = json.loads(words[1]) if words[1] in ("true", "false") else words[1]
            value = int(words[1]) if words[1].isdigit() else value
            place[last] = value if verb == "set" else [*place.get(last, []), value]
    return said


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def write_config(folder: Path, said: dict, more: str = "") -> str:
    """Write the hub's configuration into `folder`; return where learners will find it."""
    urls = [f"http://127.0.0.1:{free_port()}" for _ in range(3)]
    text = CONFIG.format(
        urls=urls,
        proxy=[shutil.which("configurable-http-proxy") or str(PROXY)],
        homes=str(folder / "homes" / "{username}"),
        args=["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else [],
        settings=json.dumps(said),
        deployed=str(ROOT / "deploy" / "jupyterhub_config.py"),
        more=more,
    )
    (folder / "homes").mkdir(exist_ok=True)
    (folder / "jupyterhub_config.py").write_text(text)
    return urls[0]


@contextmanager
def running(folder: Path, url: str, patience: float = 60) -> Iterator[subprocess.Popen]:
    """The hub whose configuration is in `folder`, from the moment it answers."""
    command = [sys.executable, "-m", "jupyterhub", f"--config={folder / 'jupyterhub_config.py'}"]
    with (folder / "hub.log").open("a") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(f"{url}/hub/health", process, patience)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)  # it stops the proxy and the learners' servers
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for(url: str, process: subprocess.Popen, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.3)
        with suppress(requests.ConnectionError):
            if requests.get(url, timeout=5).ok:
                return
    raise RuntimeError(f"the hub does not answer at {url}: see hub.log beside its configuration")
