"""A hub with the settings of deploy/, on this machine: what a room does there, step by step.

`make hub-test` brings what it needs, and runs it.
"""

import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
import requests
from nbformat.v4 import new_code_cell, new_notebook

from tools.verify import hub, room
from tools.verify.colab import git, push_to
from tools.verify.room import Failure, Learner

pytest.importorskip("jupyterhub", reason="requirements-hub.txt brings JupyterHub")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (hub.PROXY.exists() or shutil.which("configurable-http-proxy")),
        reason="needs configurable-http-proxy, which `make hub-test` brings",
    ),
]
PATIENCE = 120  # seconds for each learner
LESSON = "notebooks/00_overfitting.ipynb"


def write_lesson(course: Path, **cells: str) -> None:
    path = course / LESSON
    path.parent.mkdir(parents=True, exist_ok=True)
    code = [new_code_cell(source, id=name.replace("_", "-")) for name, source in cells.items()]
    nbformat.write(new_notebook(cells=code), path)


@pytest.fixture
def teacher(tmp_path):
    """The teacher's copy of a small course; its `origin` is what learners copy."""
    course = tmp_path / "teacher"
    write_lesson(course, setup="a = 1", middle="b = 2\n" * 8, ten_seeds="print(a)")
    push_to(tmp_path / "remote", course)
    return course


def push(course: Path, **cells: str) -> None:
    write_lesson(course, **cells)
    git(course, "commit", "--quiet", "--all", "--message=A fix")
    git(course, "push", "--quiet", "origin", "main")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A hub with the settings of deploy/."""
    folder = tmp_path_factory.mktemp("hub")
    at = hub.write_config(folder, hub.settings(folder / "tljh"))
    with hub.running(folder, at):
        yield at


@pytest.fixture
def comes(url, teacher):
    """Let somebody come by the link; returns the learner, and where the course is to be had."""
    repository = (teacher.parent / "remote").as_uri()

    def come(name: str) -> Learner:
        learner = Learner(url, name, time.monotonic() + PATIENCE)
        asked = f"repo={repository}&branch=main&targetPath=course"
        learner.log_in(then=f"/hub/user-redirect/git-pull?{asked}")
        learner.repository = repository
        return learner

    return come


def sources(learner: Learner) -> list[str]:
    return ["".join(cell["source"]) for cell in learner.lesson()]


def edit(learner: Learner, number: int, source: str) -> None:
    """Change a cell and save, as JupyterLab does."""
    at = f"api/contents/course/{LESSON}"
    model = learner.api("GET", at).json()
    model["content"]["cells"][number]["source"] = source
    answer = learner.api("PUT", at, json={"type": "notebook", "content": model["content"]})
    assert answer.ok, answer.text


# The first login


def test_without_the_setting_a_first_login_fails(tmp_path):
    said = hub.settings(tmp_path / "tljh")
    said["auth"]["FirstUseAuthenticator"]["create_users"] = False  # as TLJH has it by itself
    at = hub.write_config(tmp_path, said)
    with hub.running(tmp_path, at), pytest.raises(Failure, match="login: 403"):
        Learner(at, "ada", time.monotonic() + PATIENCE).log_in()


def test_a_short_password_and_a_taken_name_are_refused(comes, url):
    with pytest.raises(Failure, match="login: 403"):
        Learner(url, "short", time.monotonic() + PATIENCE).log_in("short")
    comes("taken")
    with pytest.raises(Failure, match="login: 403"):
        Learner(url, "taken", time.monotonic() + PATIENCE).log_in("another password")


def test_a_link_without_a_login(tmp_path):
    said = hub.settings(tmp_path / "tljh")
    said["auth"] = {"type": "tmpauthenticator.TmpAuthenticator"}
    said["auth"]["TmpAuthenticator"] = {"allow_all": True}  # else 500: nobody is allowed
    at = hub.write_config(tmp_path, said)
    with hub.running(tmp_path, at):
        browser, end = requests.Session(), time.monotonic() + PATIENCE
        page = browser.get(f"{at}/hub/user-redirect/lab")
        while "/user/" not in page.url and time.monotonic() < end:
            time.sleep(0.5)
            page = browser.get(f"{at}/hub/user-redirect/lab")
        assert page.url.startswith(f"{at}/user/")
        assert page.status_code == 200


# The course's folder


def test_the_course_is_in_a_folder_whose_name_is_known(comes):
    learner = comes("ada")
    learner.copy(learner.repository, "main")
    kernel = learner.start_kernel()
    assert kernel.text("import os; print(os.getcwd())").endswith("/ada/course/notebooks")
    limits = "import os; print(os.environ['CPU_LIMIT'], os.environ['MEM_LIMIT'])"
    assert kernel.text(limits) == f"2.0 {3 * 2**30}"
    assert kernel.text("print(os.environ['TF_NUM_INTRAOP_THREADS'])") == "2"


def test_a_fix_arrives_and_an_edit_stays(comes, teacher):
    learner = comes("bea")
    learner.copy(learner.repository, "main")
    edit(learner, 2, "print('mine')")
    push(teacher, setup="a = 3", middle="b = 2\n" * 8, ten_seeds="print(a)")
    learner.copy(learner.repository, "main")
    assert sources(learner)[::2] == ["a = 3", "print('mine')"]
    push(teacher, setup="a = 3", middle="b = 2\n" * 8, ten_seeds="print('fixed')")
    learner.copy(learner.repository, "main")
    assert sources(learner)[2] == "print('mine')"


def test_a_spoilt_notebook_comes_back(comes):
    learner = comes("cleo")
    learner.copy(learner.repository, "main")
    edit(learner, 0, "spoilt")
    assert learner.api("DELETE", f"api/contents/course/{LESSON}").ok
    learner.copy(learner.repository, "main")
    assert sources(learner)[0] == "a = 1"
    edit(learner, 0, "spoilt")
    learner.copy(learner.repository, "main", backup="true")
    assert sources(learner)[0] == "a = 1"
    kept = [entry["name"] for entry in learner.api("GET", "api/contents/").json()["content"]]
    assert any(name.startswith("course_backup_") for name in kept)


def test_two_pulls_at_once_lose_nothing(comes):
    learner = comes("dora")

    def copy(_):
        try:
            return learner.copy(learner.repository, "main")
        except Failure as failure:
            return str(failure)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(copy, range(2)))
    assert "finished" in said
    assert all(one == "finished" or "Another git operation" in one for one in said), said
    assert sources(learner)[0] == "a = 1"


@pytest.mark.parametrize(
    ("change", "branch", "message"),
    [("", "v9", "branch"), ("-gone", "main", "Remote content unavailable")],
)
def test_a_wrong_place_is_said(comes, change, branch, message):
    learner = comes("elsa")
    with pytest.raises(Failure, match=f"(?i)copy: .*({message})"):
        learner.copy(learner.repository + change, branch)
    assert learner.copy(learner.repository, "main") == "finished"


# One learner and another


def test_nobody_gets_at_what_is_anothers(comes):
    ada, bea = comes("ada"), comes("bea")
    place = bea.start_kernel("").text("import os; print(os.environ['JUPYTERHUB_SERVICE_URL'])")
    for base in (bea.server, place.rstrip("/")):  # by the proxy, and at the port itself
        for path in ("api/contents", "api/kernels", "api/terminals"):
            for token, status in ((bea.token, 200), (ada.token, 403), ("", 403), ("guess", 403)):
                headers = {"Authorization": f"token {token}"} if token else {}
                answer = requests.get(f"{base}/{path}", headers=headers, timeout=30)
                assert answer.status_code == status, (base, path, answer.text)
    for path in ("", "/tokens", "/server"):
        answer = requests.post(
            f"{ada.url}/hub/api/users/bea{path}",
            headers={"Authorization": f"token {ada.token}"},
            timeout=30,
        )
        assert answer.status_code in (403, 404, 405), path
    page = ada.get(f"{bea.server}/lab")  # with the cookies of another
    assert page.status_code == 403 or "/user/bea" not in page.url


AS_TLJH = """
import subprocess
c.JupyterHub.spawner_class = "localprocess"
def make_user(spawner):
    name = spawner.user.name
    subprocess.run(["useradd", "--create-home", name], check=True)
    subprocess.run(["chmod", "o-rwx", f"/home/{name}"], check=True)
c.Spawner.pre_spawn_hook = make_user
c.Spawner.args = []
"""


@pytest.mark.skipif(
    not os.environ.get("SYSTEM_USERS"),
    reason="makes two system users, and removes them: as root, with SYSTEM_USERS=1",
)
def test_homes_are_closed_where_learners_are_system_users(tmp_path):
    names = ["course-room-a", "course-room-b"]
    at = hub.write_config(tmp_path, hub.settings(tmp_path / "tljh"), AS_TLJH)
    try:
        with hub.running(tmp_path, at):
            kernels = []
            for name in names:
                learner = Learner(at, name, time.monotonic() + PATIENCE)
                learner.log_in(then="/hub/user-redirect/lab")
                kernels.append(learner.start_kernel(""))
            ada, bea = kernels
            bea.run("open('mine.txt', 'w').write('mine')")
            what = "import os, sys, ipykernel.kernelapp as k; "
            what += "print(os.getcwd(), os.getppid(), k.IPKernelApp.instance().abs_connection_file)"
            home, server, connection = bea.text(what).split()
            assert home == f"/home/{names[1]}"
            for path in (f"{home}/mine.txt", connection, f"/proc/{server}/environ"):
                assert bea.text(f"print(len(open({path!r}).read()) > 0)") == "True"
                with pytest.raises(Failure, match="PermissionError"):
                    ada.run(f"open({path!r}).read()")
    finally:
        for name in names:
            subprocess.run(["userdel", "--remove", "--force", name], capture_output=True)


# When something stops


def test_a_killed_hub_takes_no_variable(tmp_path):
    no_culler = "c.JupyterHub.services, c.JupyterHub.load_roles = [], []"  # it would stay alone
    at = hub.write_config(tmp_path, hub.settings(tmp_path / "tljh"), no_culler)
    with hub.running(tmp_path, at) as process:
        learner = Learner(at, "ada", time.monotonic() + PATIENCE)
        learner.log_in(then="/hub/user-redirect/lab")
        kernel = learner.start_kernel("")
        kernel.run("x = 42")
        process.kill()
        process.wait()
    with hub.running(tmp_path, at):
        again = room.Kernel(learner, kernel.id)
        assert again.text("print(x)") == "42"


def test_culling_takes_variables_and_no_file(tmp_path, teacher):
    said = hub.settings(tmp_path / "tljh")
    said["services"]["cull"] = {"timeout": 4, "every": 1}  # three hours, in a test
    more = "c.JupyterHub.activity_resolution = c.JupyterHub.last_activity_interval = 1\n"
    more += "c.Spawner.environment.update({'JUPYTERHUB_ACTIVITY_INTERVAL': '1'})"
    at = hub.write_config(tmp_path, said, more)
    with hub.running(tmp_path, at):
        learner = Learner(at, "ada", time.monotonic() + PATIENCE)
        learner.log_in(then="/hub/user-redirect/lab")
        learner.copy((teacher.parent / "remote").as_uri(), "main")
        edit(learner, 0, "saved")
        while learner.api("GET", "api/status").ok:  # until nothing answers any more
            time.sleep(8)
        assert (tmp_path / "homes" / "ada" / "course" / LESSON).exists()
        learner.log_in(then="/hub/user-redirect/lab")
        assert sources(learner)[0] == "saved"


# A room


def test_five_learners_come_through(tmp_path, monkeypatch):
    def small(folder: Path) -> Path:
        figure = "import matplotlib.pyplot as plt\n%matplotlib inline\nplt.plot([1, 2]); plt.show()"
        write_lesson(folder, setup=figure, ten_seeds="print(1)")
        return folder

    monkeypatch.setattr(room, "copy_course", small)
    results = room.room(5, 4, tmp_path)
    assert room.report(results).startswith("5 of 5 learners came through\n"), results
    for result in results:
        assert list(result)[:4] == ["login", "copy", "kernel", "first figure"]
        assert 0.01 < result["GB at the first figure"] < 1


def test_a_room_ends_by_itself(tmp_path, monkeypatch):
    def endless(folder: Path) -> Path:
        write_lesson(folder, setup="while True: pass", ten_seeds="")
        return folder

    monkeypatch.setattr(room, "copy_course", endless)
    start = time.monotonic()
    results = room.room(1, 0.5, tmp_path)
    assert results == ["learner1: out of time"]
    assert time.monotonic() - start < 90
    assert json.dumps(results)
