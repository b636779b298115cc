"""Every page of the site in a real browser: seen, read aloud, on a phone, and without a mouse.

The browser is offline. axe-core looks for violations of WCAG 2.2, levels A and AA.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import BROWSER
from tools.notebooks import replace_file
from tools.write import site
from tools.write.publish import read_course

playwright = pytest.importorskip("playwright.sync_api", reason="`make site-test` brings playwright")
axe = pytest.importorskip("axe_playwright_python", reason="`make site-test` brings axe-core")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome: nobody looks at the site"),
]
AXE = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = [f"wcag{version}{level}" for version in ("2", "21", "22") for level in ("a", "aa")]
LIGHTEST = 1_000_000  # bytes that a page may weigh before its pictures


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for name, data in site.sources(read_course()).items():
        replace_file(folder / "in" / name, data)
    assert site.build(folder / "in", folder / "out") == 0
    return folder / "out"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])


@pytest.fixture
def tab(browser):
    """Open a page with this theme and width; nothing comes from the web."""
    contexts = []

    def opened(theme="light", width=1280):
        size = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=size, color_scheme=theme, offline=True))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def violations(page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def sideways(page) -> int:
    """By how many pixels the page, or its text, is wider than its place."""
    script = "all => Math.max(...all.map(part => part.scrollWidth - part.clientWidth))"
    return page.locator("html, body, .main, .content").evaluate_all(script)


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_shuts_anybody_out(pages, tab, theme, width):
    page, problems, asked = tab(theme, width), {}, set()
    page.on("request", lambda request: asked.add(request.url.partition("://")[0]))
    for path in sorted(pages.rglob("*.html")):
        page.goto(path.as_uri())
        found = violations(page)
        if (wider := sideways(page)) > 0:
            found.append(f"{wider} pixels too wide")
        if found:
            problems[path.relative_to(pages).as_posix()] = found
    assert not problems
    assert asked == {"file"}, "the pages ask for something from the web"


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<img src="x.png">', "image-alt"),
        ('<p style="color: #999; background: #fff">pale</p>', "color-contrast"),
        ('<p style="width: 2000px">wide</p>', "too wide"),
    ],
)
def test_a_planted_fault_is_found(pages, tab, html, found):
    page = tab(width=320)
    page.goto((pages / "docs" / "cluster.html").as_uri())
    assert violations(page) == []
    page.evaluate("html => { document.querySelector('article').innerHTML += html }", html)
    wide = ["too wide"] if sideways(page) > 0 else []
    assert any(found in problem for problem in violations(page) + wide)


@pytest.mark.parametrize("width", [320, 1280])
def test_from_the_search_to_a_solution_without_a_mouse(pages, tab, width):
    page = tab(width=width)
    page.goto((pages / "index.html").as_uri())
    reach(page, ".sidebar-search" if width > 1000 else "#__navigation")
    if width < 1000:
        page.keyboard.press("Space")  # opens the drawer, in which the search is
        reach(page, ".sidebar-search")
    page.keyboard.type("co-adaptation")
    page.keyboard.press("Enter")
    lesson = "#search-results a[href*='notebooks/02_co_adaptation_dropout.html']"
    page.wait_for_selector(lesson)
    follow(page, lesson)
    assert "02 · Co-adaptation" in page.locator("h1").inner_text()
    follow(page, "article a[href*='exercises/02_co_adaptation_dropout.html']")
    solution = page.locator("details.solution").first
    assert not solution.locator("pre").first.is_visible()
    reach(page, "details.solution > summary")
    page.keyboard.press("Enter")
    assert solution.locator("pre").first.is_visible()


def reach(page, selector: str) -> None:
    """Press Tab until it has the focus, and shows it."""
    for _ in range(400):
        if page.evaluate("name => document.activeElement.matches(name)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no number of tabs reaches {selector}")


def follow(page, selector: str) -> None:
    reach(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_what_is_too_wide_can_be_scrolled_with_the_keyboard(pages, tab):
    page = tab(width=320)
    page.goto((pages / "notebooks" / "00_overfitting.html").as_uri())
    page.wait_for_selector("pre[tabindex='0']")
    reach(page, "pre[tabindex='0']")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_a_lesson_is_light_before_its_pictures(pages, tab):
    for path in sorted((pages / "notebooks").glob("*.html")):
        page, loaded = tab(), []
        page.on("request", lambda request, loaded=loaded: loaded.append(request.url))
        page.goto(path.as_uri())
        files = {url.partition("?")[0].removeprefix("file://") for url in loaded}
        weight = sum(Path(file).stat().st_size for file in files if not file.endswith(".png"))
        assert weight < LIGHTEST, path.name


def test_paper_has_no_sidebar_and_no_solution(pages, tab):
    page = tab()
    page.goto((pages / "notebooks" / "exercises" / "00_overfitting.html").as_uri())
    page.emulate_media(media="print")
    for hidden in (".sidebar-drawer", "details.solution", "footer"):
        assert not page.locator(hidden).first.is_visible()
    assert page.locator("article h1").is_visible()
