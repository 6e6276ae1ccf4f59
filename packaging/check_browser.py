"""Open the site and a report in headless Chromium: no errors, nothing too wide, search finds, dark mode reads, links lead on.

    python packaging/check_browser.py [--strict] [--site FOLDER]

Builds the site first, unless FOLDER has one; screenshots are in build/browser. A machine without a browser says so and passes,
except with --strict. Chromium is looked for where playwright has its own, then as chromium, chromium-browser, google-chrome.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
NOT_DONE = "browser check: not done: "
SCREENSHOTS = CHECKOUT / "build" / "browser"
WIDTHS = (390, 1280)
SEARCHES = {"icc": "estat", "statsmodels": "statsmodels", "install": "index"}
"""What is looked for, and a page that must be among what is found."""
SHOWN = ("index", "gallery", "likelihood", "command-language", "report")
"""Pages of which screenshots are kept."""
LEFT = "net::ERR_ABORTED"
"""What is told of a file that was still loading when the next page was asked for, as on a busy machine: no file is missing."""
WIDER = """() => {
  const wide = document.documentElement.clientWidth
  const hides = e => ["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)
  const outside = e => { for (; e; e = e.parentElement) if (hides(e)) return false; return true }
  const over = e => e.getBoundingClientRect().right > wide + 1 && outside(e.parentElement)
  const found = [...document.body.querySelectorAll("*")].filter(over)
  return document.documentElement.scrollWidth > wide ? ["the page", ...found.map(e => e.tagName)] : []
}"""
CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const paper = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor
    if (!/, 0\\)$|transparent/.test(c)) return c } return "rgb(255, 255, 255)" }
  const kinds = "p, h1, h2, td, th, li, dd, figcaption, svg text"
  const texts = [...document.querySelectorAll(kinds)].filter(e => e.textContent.trim())
  const ratio = e => { const s = getComputedStyle(e), a = light(e.closest("svg") ? s.fill : s.color), b = light(paper(e))
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }
  const low = texts.filter(e => e.getClientRects().length && ratio(e) < 3)
  return low.slice(0, 3).map(e => `${e.tagName} '${e.textContent.trim().slice(0, 40)}' ${ratio(e).toFixed(1)}`)
}"""


class NoBrowserError(Exception):
    """There is no browser, or no playwright."""


class Watch:
    """What goes wrong, page by page."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.where = ""

    def window(self, browser: Any, width: int, scheme: str) -> Any:
        """An empty window; what its pages say on the console, and what they fail to load or load from elsewhere, are faults."""
        page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()

        def told(fault: str) -> None:
            self.faults.append(f"{self.where} at {width} px, {scheme}: {fault}")

        page.on("console", lambda said: told(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: told(str(error)))
        page.on("requestfailed", lambda request: told(f"not loaded: {request.url}") if request.failure != LEFT else None)
        page.on("request", lambda asked: told(f"network: {asked.url}") if asked.url.startswith("http") else None)
        return page

    def opened(self, page: Any, path: Path) -> None:
        """Go to a page."""
        self.where = path.name
        page.goto(path.as_uri())
        page.wait_for_load_state("load")

    def looked_at(self, browser: Any, paths: list[Path]) -> None:
        """Both widths and both schemes."""
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                page = self.window(browser, width, scheme)
                for path in paths:
                    self.opened(page, path)
                    wider = page.evaluate(WIDER)
                    if wider:
                        self.faults.append(f"{path.name} at {width} px: wider than the screen: {', '.join(wider[:4])}")
                    self.faults += [f"{path.name}, {scheme}: hard to read: {text}" for text in page.evaluate(CONTRAST)]
                    if path.stem in SHOWN:
                        page.screenshot(path=SCREENSHOTS / f"{path.stem}-{width}-{scheme}.png", full_page=True)
                page.context.close()

    def searched(self, browser: Any, index: Path) -> None:
        """Words and pages that the search must find."""
        for word, wanted in SEARCHES.items():
            page = self.window(browser, WIDTHS[1], "light")
            self.opened(page, index)
            page.click("input[data-md-component='search-query']")
            page.keyboard.type(word)
            try:
                page.wait_for_selector(".md-search-result__item a", timeout=15_000)
            except Exception:  # playwright's error, which only who has playwright could name
                self.faults.append(f"search for {word!r} finds nothing")
                page.context.close()
                continue
            found = page.eval_on_selector_all(".md-search-result__item a", "every => every.map(e => e.href)")
            if not any(wanted in link for link in found):
                self.faults.append(f"search for {word!r} does not find {wanted}: {found[:5]}")
            page.screenshot(path=SCREENSHOTS / f"search-{word}.png")
            page.context.close()

    def links(self, browser: Any, pages: list[Path]) -> None:
        """Every link within the site leads to a file, and to an element of it."""
        page = self.window(browser, WIDTHS[1], "light")
        targets: dict[Path, set[str]] = {}
        asked: dict[tuple[Path, str], str] = {}
        for path in pages:
            self.opened(page, path)
            targets[path.resolve()] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
            for link in page.evaluate("[...document.links].map(a => a.href)"):
                if link.startswith("file:"):
                    file, _, anchor = link.removeprefix("file://").partition("#")
                    asked[Path(file).resolve(), anchor] = path.name
        for (file, anchor), where in asked.items():
            if not file.is_file():
                self.faults.append(f"{where}: a link to {file.name}, which is not there")
            elif anchor and file in targets and anchor not in targets[file] and not anchor.startswith("__"):
                self.faults.append(f"{where}: a link to {file.name}#{anchor}, which is not there")
        page.context.close()


def started(playwright: Any) -> Any:
    """A browser.

    Raises
    ------
    NoBrowserError
    """
    places: list[str | None] = [None, *(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))]
    said = "there is no Chromium"
    for place in dict.fromkeys(places):
        try:
            return playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])
        except Exception as error:  # playwright's error, which only who has playwright could name
            said = str(error).splitlines()[0]
    raise NoBrowserError(said)


def built(folder: Path | None) -> Path:
    """The folder of the site."""
    if folder is not None:
        if not (folder / "index.html").is_file():
            sys.exit(f"browser check: there is no site in {folder}")
        return folder.resolve()
    target = CHECKOUT / "build" / "site"
    config = CHECKOUT / "docs" / "site" / "mkdocs.yml"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(config), "-d", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\nbrowser check: the site does not build")
    return target


def write_report() -> Path:
    """A report of a fit whose names a page must escape."""
    import sparsemixed

    data = sparsemixed.datasets.load("clinics").rename(columns={"arm": "arm<b>"})
    fit = sparsemixed.mixed(
        "score ~ baseline + `arm<b>` * visit + (1 + visit | patient)", data, reml=True, dfmethod="satterthwaite"
    )
    fit.report(SCREENSHOTS / "report.html")
    return SCREENSHOTS / "report.html"


def check(folder: Path | None) -> list[str]:
    """Everything that is wrong.

    Raises
    ------
    NoBrowserError
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowserError("the package playwright is not installed") from None
    with sync_playwright() as playwright:
        browser = started(playwright)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        site, watch = built(folder), Watch()
        pages = sorted(path for path in site.glob("*.html") if path.name != "404.html")
        watch.looked_at(browser, [write_report(), *pages])
        watch.searched(browser, site / "index.html")
        watch.links(browser, pages)
        browser.close()
    return list(dict.fromkeys(watch.faults))


def main() -> None:
    """Check, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="fail where there is no browser")
    parser.add_argument("--site", type=Path, metavar="FOLDER", help="a site that is built already")
    options = parser.parse_args()
    try:
        faults = check(options.site)
    except NoBrowserError as error:
        print(f"{NOT_DONE}{error}")
        sys.exit(1 if options.strict else 0)
    for fault in faults:
        print(f"browser check: {fault}")
    print(f"browser check: {len(faults) or 'no'} faults; screenshots are in {SCREENSHOTS.relative_to(CHECKOUT)}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
