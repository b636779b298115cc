"""Asks a real browser, without a window, where everything on the slides lies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bs4 import BeautifulSoup

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
BROWSER = os.environ.get("BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
SECONDS = 120

# Every slide is shown in turn, with all of its fragments; lengths are in pixels of 1280 × 720.
MEASURE = """
<script>
Reveal.on("ready", () => {
  const report = [];
  for (const slide of Reveal.getSlides()) {
    Reveal.slide(Reveal.getIndices(slide).h, 0, 999);
    const frame = slide.getBoundingClientRect(), scale = Reveal.getScale();
    let right = 0, bottom = 0, smallest = 999, figure = 999, broken = 0;
    for (const element of slide.querySelectorAll(":scope > :not(aside), :scope > :not(aside) *")) {
      if (element.tagName === "ANNOTATION") continue;
      const box = element.getBoundingClientRect();
      right = Math.max(right, (box.right - frame.left) / scale, element.scrollWidth);
      bottom = Math.max(bottom, (box.bottom - frame.top) / scale);
      if (element.tagName === "IMG") {
        figure = Math.min(figure, box.height / scale);
        broken += element.naturalWidth === 0;
      }
      const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
      const size = parseFloat(getComputedStyle(element).fontSize);
      if (own && !element.closest("math")) smallest = Math.min(smallest, size);
    }
    report.push({heading: slide.querySelector("h2").textContent.trim(), 
                 right, bottom, smallest, figure, broken});
  }
  const result = document.createElement("script");
  result.type = "application/json"; result.id = "report";
  result.textContent = JSON.stringify(report);
  document.body.append(result);
});
</script>
"""


def measured(page: str) -> list[dict]:
    """For each slide of the page: how far it reaches, its smallest letters and figure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slides.html")
        before, end, after = page.rpartition("</body>")
        path.write_text(before + MEASURE + end + after, encoding="utf-8")
        command = [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu",
            f"--user-data-dir={folder}/user", "--window-size=1280,720",
            "--virtual-time-budget=20000", "--dump-dom", path.as_uri(),
        ]  # fmt: skip
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    report = BeautifulSoup(result.stdout, "html.parser").find(id="report")
    if report is None:
        raise RuntimeError(f"the slides did not start in {BROWSER}: {result.stderr[-2000:]}")
    return json.loads(report.string)
