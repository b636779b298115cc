"""`make matrix`: the notebooks under two TensorFlows, threads and first seeds, oneDNN off and on.

All 24 run but those that have passed, which build/matrix/ remembers. Examples of ARGS: `--list`,
`-k "tf220 and seed1000"`, and behind `--` what make is told, as `-- KERAS=3.13.*` or, for another
Python, `-- PYTHON=python3.12 ENV=.venv-python3.12`.
"""

from pathlib import Path

import nox

nox.options.envdir = "build/nox"


@nox.session(venv_backend="none")
@nox.parametrize("tensorflow", ["2.20.*", ""], ids=["tf220", "pinned"])
@nox.parametrize("threads", [1, 2], ids=["thread1", "thread2"])
@nox.parametrize("onednn", [0, 1], ids=["plain", "onednn"])
@nox.parametrize("seed", [0, 1000, 2000], ids=["seed0", "seed1000", "seed2000"])
def notebooks(session: nox.Session, tensorflow: str, threads: int, onednn: int, seed: int) -> None:
    """Run `make test` on the notebooks with these settings."""
    passed = Path("build/matrix", " ".join([session.name, *session.posargs]).replace("/", "_"))
    if passed.exists():
        session.skip(f"passed before; to run it again, remove {passed}")
    settings = {
        "COURSE_FIRST_SEED": seed,
        "TF_ENABLE_ONEDNN_OPTS": onednn,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }
    env = {name: str(value) for name, value in settings.items()} | {"MAKEFLAGS": None}
    version = [f"TENSORFLOW={tensorflow}"] if tensorflow else []
    make = ["make", "test", "ARGS=notebooks", *version, *session.posargs]
    session.run(*make, env=env, external=True)
    passed.parent.mkdir(parents=True, exist_ok=True)
    passed.touch()
