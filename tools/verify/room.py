"""A room of learners on a hub of this machine: how long each waits, what fails, how much memory.

    python -m tools.verify.room --learners 5

Each of them, all at once: logs in by the course's link, has the course copied, starts a kernel, and
runs lesson 00 up to its first figure and on to its ten seeds. The hub has the settings of deploy/,
and both listen on the loopback only. Everything ends by itself: after `--minutes` at the latest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import psutil
import requests
import websocket

from tools.verify import hub
from tools.verify.colab import copy_course, push_to
from tools.write.publish import FIRST_LESSON, FOLDER

MOST_LEARNERS, MOST_MINUTES = 60, 30
LAST_CELL = "ten-seeds"
STEPS = ["login", "copy", "kernel", "first figure", "ten seeds"]


class Failure(Exception):
    """Says at what a learner failed."""


class Learner:
    """Somebody with a browser: cookies first, then a token of their own for what a page does.

    hub    where the hub is, on the loopback
    name   of the account, which the first login makes
    end    the time by `time.monotonic` at which patience ends
    """

    def __init__(self, url: str, name: str, end: float) -> None:
        if not url.startswith("http://127.0.0.1:"):
            raise ValueError(f"url {url!r} is not on the loopback, the only place for a load test")
        self.url, self.name, self.end = url, name, end
        self.server = f"{url}/user/{name}"
        self.browser = requests.Session()
        self.token = ""
        self.seconds: dict[str, float] = {}

    def left(self) -> float:
        """Seconds of patience."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise Failure("out of time")
        return left

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        return self.browser.get(url, timeout=min(60, self.left()), **kwargs)

    def log_in(self, password: str = "a long password", then: str = "/hub/home") -> str:
        """Log in, and wait until what the link leads to is there; return where that is."""
        page = self.get(f"{self.url}/hub/login")
        form = {"username": self.name, "password": password}
        form["_xsrf"] = self.browser.cookies.get("_xsrf", path="/hub/") or ""
        login = page.url if "login" in page.url else f"{self.url}/hub/login"
        answer = self.browser.post(login, params={"next": then}, data=form, timeout=self.left())
        if not answer.ok:
            raise Failure(f"login: {answer.status_code}")
        while then.startswith("/hub/user-redirect") and not answer.url.startswith(self.server):
            time.sleep(0.5)
            answer = self.get(self.url + then)
            if answer.status_code >= 400:
                raise Failure(f"start of the server: {answer.status_code}")
        self.get(f"{self.url}/hub/token")  # a page whose cookie goes with the next request
        given = self.browser.post(
            f"{self.url}/hub/api/users/{self.name}/tokens",
            json={},
            headers={"X-XSRFToken": self.browser.cookies.get("_xsrf", path="/hub/")},
            timeout=self.left(),
        )
        if not given.ok:
            raise Failure(f"token: {given.status_code} {given.text[:200]}")
        self.token = given.json()["token"]
        return answer.url

    def api(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Ask the learner's own server."""
        headers = {"Authorization": f"token {self.token}"}
        url = f"{self.server}/{path}"
        return requests.request(
            method, url, headers=headers, timeout=min(60, self.left()), **kwargs
        )

    def copy(self, repository: str, branch: str, **more: str) -> str:
        """Have nbgitpuller copy the course, as its page does; return what it says last."""
        wanted = {"repo": repository, "branch": branch, "targetpath": FOLDER} | more
        answer = self.api("GET", f"git-pull/api?{urlencode(wanted)}", stream=True)
        said = [line[6:] for line in answer.iter_lines(decode_unicode=True) if line[:6] == "data: "]
        last = json.loads(said[-1]) if said else {"phase": "error", "message": answer.reason}
        if last["phase"] != "finished":
            raise Failure(f"copy: {last.get('message', last)}")
        return last["phase"]

    def start_kernel(self, folder: str = f"{FOLDER}/notebooks") -> Kernel:
        answer = self.api("POST", "api/kernels", json={"name": "python3", "path": folder})
        if answer.status_code != 201:
            raise Failure(f"kernel: {answer.status_code} {answer.text[:200]}")
        return Kernel(self, answer.json()["id"])

    def lesson(self, path: str = FIRST_LESSON) -> list[dict]:
        cells = self.api("GET", f"api/contents/{FOLDER}/{path}").json()["content"]["cells"]
        return [cell for cell in cells if cell["cell_type"] == "code"]


class Kernel:
    """A learner's kernel, through the hub's proxy."""

    def __init__(self, learner: Learner, id: str) -> None:
        self.learner, self.id = learner, id
        at = learner.server.replace("http", "ws", 1)
        header = [f"Authorization: token {learner.token}"]
        url = f"{at}/api/kernels/{id}/channels"
        self.socket = websocket.create_connection(url, header=header, timeout=learner.left())

    def run(self, code: str) -> list[dict]:
        """Run code to its end; return the messages with what it showed."""
        id = uuid.uuid4().hex
        header = {"msg_id": id, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": self.learner.name, "session": id, "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": True}
        content |= {"user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps(message | {"channel": "shell", "buffers": []}))
        shown = []
        while True:
            self.socket.settimeout(self.learner.left())
            try:
                said = json.loads(self.socket.recv())
            except websocket.WebSocketTimeoutException as error:
                raise Failure("out of time") from error
            if said["parent_header"].get("msg_id") != id:
                continue
            kind, content = said["msg_type"], said["content"]
            if kind == "error":
                raise Failure(f"{content['ename']}: {content['evalue']}")
            if kind == "status" and content["execution_state"] == "idle":
                return shown
            if kind in ("stream", "display_data", "execute_result"):
                shown.append(content)

    def text(self, code: str) -> str:
        """What code prints."""
        return "".join(part.get("text", "") for part in self.run(code)).strip()

    def bytes(self) -> int:
        """The kernel's memory; what processes share counts in part for each."""
        process = psutil.Process(int(self.text("import os; print(os.getpid())")))
        memory = process.memory_full_info()
        return getattr(memory, "pss", memory.rss)


def is_figure(shown: dict) -> bool:
    return "image/png" in shown.get("data", {})


def attend(learner: Learner, repository: str, branch: str) -> dict[str, float]:
    """What a learner does; seconds from the click to the end of each step, and memory in GB."""
    start, done = time.monotonic(), {}

    def note(step: str) -> None:
        done[step] = time.monotonic() - start

    asked = urlencode({"repo": repository, "branch": branch, "targetPath": FOLDER})
    learner.log_in(then=f"/hub/user-redirect/git-pull?{asked}")
    note("login")
    learner.copy(repository, branch)
    note("copy")
    kernel = learner.start_kernel()
    kernel.run("")
    note("kernel")
    for cell in learner.lesson():
        shown = kernel.run("".join(cell["source"]))
        if "first figure" not in done and any(map(is_figure, shown)):
            note("first figure")
            done["GB at the first figure"] = kernel.bytes() / 1e9
        if cell["id"] == LAST_CELL:
            note("ten seeds")
            done["GB after ten seeds"] = kernel.bytes() / 1e9
            break
    return done


def report(results: list[dict[str, float] | str]) -> str:
    """Medians and maxima of what learners waited for and took, and what failed."""
    attended = [result for result in results if isinstance(result, dict)]
    failures = [result for result in results if isinstance(result, str)]
    lines = [f"{len(attended)} of {len(results)} learners came through", *failures]
    if attended:
        lines += ["", f"{'seconds from the click to':<28} {'median':>7} {'longest':>8}"]
    for step in [*STEPS, "GB at the first figure", "GB after ten seeds"] if attended else []:
        values = [result[step] for result in attended]
        digits = 2 if step.startswith("GB") else 1
        lines.append(
            f"{step:<28} {statistics.median(values):>7.{digits}f} {max(values):>8.{digits}f}"
        )
    return "\n".join(lines)


def room(learners: int, minutes: float, folder: Path) -> list[dict[str, float] | str]:
    """Let so many learners attend at once, on a hub of their own; a failure is a sentence."""
    push_to(folder / "remote", copy_course(folder / "pushed"))
    said = hub.settings(folder / "tljh")
    url = hub.write_config(folder, said)
    end = time.monotonic() + 60 * minutes

    def one(number: int) -> dict[str, float] | str:
        learner = Learner(url, f"learner{number}", end)
        try:
            return attend(learner, (folder / "remote").as_uri(), "main")
        except (Failure, OSError, websocket.WebSocketException) as error:
            return f"{learner.name}: {error}"

    with hub.running(folder, url), ThreadPoolExecutor(learners) as pool:
        return list(pool.map(one, range(1, learners + 1)))


def bounded(kind: type, most: int) -> Any:
    def read(word: str) -> Any:
        value = kind(word)
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f"is from 1 to {most}, not {word}")
        return value

    return read


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.verify.room", description=__doc__)
    parser.add_argument("--learners", type=bounded(int, MOST_LEARNERS), default=5)
    parser.add_argument("--minutes", type=bounded(float, MOST_MINUTES), default=10)
    choice = parser.parse_args(words)
    with TemporaryDirectory() as folder:
        results = room(choice.learners, choice.minutes, Path(folder))
    print(report(results))
    return int(any(isinstance(result, str) for result in results))


if __name__ == "__main__":
    sys.exit(main())
