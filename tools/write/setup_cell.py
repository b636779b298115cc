# @title Setup: run this first
# The same in every notebook: find the course's helpers; on Colab, fetch them first.
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

REPOSITORY, REF = "", ""  # not published yet

places = [Path.cwd(), *Path.cwd().parents, Path("course").resolve()]
root = next((place for place in places if (place / "utils" / "claims.py").exists()), places[-1])
if not (root / "utils" / "claims.py").exists():
    if not (find_spec("google") and find_spec("google.colab")):
        raise FileNotFoundError("No folder `utils` here or above: open the notebook in the course.")
    if not REPOSITORY:
        raise RuntimeError("This copy of the course is not published, so Colab cannot fetch it.")
    git = subprocess.getstatusoutput(f'git clone -q --depth=1 -b {REF} {REPOSITORY} "{root}"')
    if git[0]:
        raise RuntimeError(f"Cannot fetch {REPOSITORY} at {REF}: {git[1].split('fatal: ')[-1]}")
sys.path.insert(0, str(root))

import utils

if str(root / "utils") not in getattr(utils, "__path__", ()):
    raise ImportError(f"`utils` is {utils}, not the course's: restart the kernel, run this first.")
