"""The configurations for hubs, Binder and Codespaces: what they say, and whose form they keep."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.notebooks import ROOT
from tools.verify import hub

VALUES = ROOT / "deploy" / "zero-to-jupyterhub.yaml"
CHART = ["--repo", "https://hub.jupyter.org/helm-chart/", "--version", "4.*"]
DEVCONTAINER = ROOT / ".devcontainer" / "devcontainer.json"
DEVCONTAINER_SCHEMA = "https://raw.githubusercontent.com/devcontainers/spec/main/schemas/devContainer.base.schema.json"
NO_NETWORK = re.compile(r"dial tcp|no such host|lookup |resolve|connect|refused|proxy", re.I)
needs_bash = pytest.mark.skipif(
    os.name == "nt" or not shutil.which("bash"), reason="needs bash, and is for Linux servers"
)


def run(*command: str | Path, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **kwargs)


def values() -> dict:
    return yaml.safe_load(VALUES.read_text(encoding="utf-8"))


# The Littlest JupyterHub


@needs_bash
def test_tljh_makes_users_and_leaves_time_and_memory(tmp_path):
    assert hub.settings(tmp_path) == {
        "auth": {"FirstUseAuthenticator": {"create_users": True}},
        "user_environment": {"default_app": "jupyterlab"},
        "limits": {"memory": "3G", "cpu": 2},
        "services": {"cull": {"timeout": 10800, "every": 600}},
    }
    said = (tmp_path / "said").read_text()
    assert "install -r requirements.txt -c constraints.txt" in said
    assert said.endswith("reload\nreload proxy\n")
    snippet = tmp_path / "config" / "jupyterhub_config.d" / "course.py"
    assert snippet.read_text() == (ROOT / "deploy" / "jupyterhub_config.py").read_text()


@needs_bash
def test_tljh_has_https_where_it_has_a_name(tmp_path):
    said = hub.settings(tmp_path, DOMAIN="hub.example.org", EMAIL="me@example.org")
    assert said["https"] == {
        "enabled": True,
        "letsencrypt": {"email": "me@example.org", "domains": ["hub.example.org"]},
    }


@needs_bash
def test_a_certificate_needs_an_address(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        hub.settings(tmp_path, DOMAIN="hub.example.org", EMAIL="")
    assert "EMAIL: is needed for a certificate" in failed.value.stderr


# Zero to JupyterHub


@needs_bash
def test_both_hubs_give_the_same(tmp_path):
    tljh, z2jh = hub.settings(tmp_path), values()
    assert z2jh["singleuser"]["memory"]["limit"] == tljh["limits"]["memory"]
    assert z2jh["singleuser"]["cpu"]["limit"] == tljh["limits"]["cpu"]
    assert z2jh["cull"] == tljh["services"]["cull"] | {"enabled": True}
    assert z2jh["hub"]["config"]["FirstUseAuthenticator"]["create_users"]
    snippet = (ROOT / "deploy" / "jupyterhub_config.py").read_text(encoding="utf-8")
    for name, value in z2jh["singleuser"]["extraEnv"].items():
        assert f'"{name}": "{value}"' in snippet


@needs_bash
def test_a_pull_that_fails_stops_no_server():
    command = values()["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"]
    result = run(*command, env={"PATH": "/usr/bin:/bin"})  # where there is no gitpuller
    assert result.returncode == 0


@pytest.mark.slow
def test_the_chart_accepts_the_values():
    if not shutil.which("helm"):
        pytest.skip("needs helm, and the network for its chart")
    result = run("helm", "template", "hub", "jupyterhub", *CHART, "--values", VALUES)
    if result.returncode and NO_NETWORK.search(result.stderr):
        pytest.skip("needs the network, for the chart")
    assert result.returncode == 0, result.stderr
    kinds = {part["kind"] for part in yaml.safe_load_all(result.stdout) if part}
    assert {"Deployment", "StatefulSet", "DaemonSet", "PriorityClass"} <= kinds
    spoilt = values() | {"cul": {}}
    result = run(
        *["helm", "template", "hub", "jupyterhub", *CHART, "--values", "-"],
        input=yaml.safe_dump(spoilt),
    )
    assert result.returncode, "a misspelt key should be refused"


# Codespaces


def test_the_container_makes_what_make_knows():
    container = json.loads(DEVCONTAINER.read_text(encoding="utf-8"))
    target = container["updateContentCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    shown = container["customizations"]["codespaces"]["openFiles"]
    assert all((ROOT / name).exists() for name in shown)
    version = container["image"].rpartition(":")[2]
    assert (ROOT / ".binder" / "runtime.txt").read_text().strip() == f"python-{version}"


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), [("", ""), ('"8gb"', '"8 GB"'), ('"image"', '"imago"')])
def test_the_specification_accepts_the_container(tmp_path, old, new):
    path = tmp_path / "devcontainer.json"
    path.write_text(DEVCONTAINER.read_text(encoding="utf-8").replace(old, new))
    check = [sys.executable, "-m", "check_jsonschema", "--schemafile", DEVCONTAINER_SCHEMA]
    result = run(*check, path)
    if result.returncode and "validation errors were" not in result.stdout + result.stderr:
        pytest.skip("needs the network, for the specification's schema")
    assert (result.returncode == 0) == (old == new), result.stdout


@pytest.mark.slow
def test_the_reference_implementation_reads_the_container(tmp_path):
    command = hub.PROXY.with_name("devcontainer")
    if not command.exists():
        pytest.skip("needs @devcontainers/cli, which `make hub-test` brings")
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n")  # there are no containers yet
    docker.chmod(0o755)
    result = run(command, "read-configuration", "--docker-path", docker, "--workspace-folder", ROOT)
    assert result.returncode == 0, result.stderr
    read = json.loads(result.stdout)["configuration"]
    assert read["image"] == json.loads(DEVCONTAINER.read_text(encoding="utf-8"))["image"]


# Binder


def test_binder_installs_what_make_lab_does():
    text = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8")
    named = re.findall(r"^-[rc] (\S+)", text, re.M)
    assert named == ["../requirements.txt", "../constraints.txt"]
    assert all((ROOT / ".binder" / name).exists() for name in named)


@pytest.mark.slow
def test_binder_copies_the_course_before_it_installs_from_it():
    pytest.importorskip("repo2docker", reason="requirements-hub.txt brings jupyter-repo2docker")
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    result = run(*command)
    assert result.returncode == 0, result.stderr
    file = result.stdout + result.stderr
    install = file.index('install --no-cache-dir -r ".binder/requirements.txt"')
    assert file.rindex("COPY --chown=", 0, install) > 0
    assert " src/ ${REPO_DIR}/" in file[:install]
    assert "python=3.12" in file or "py-3.12" in file
