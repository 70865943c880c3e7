"""What every page for the office must be: well-formed, safe, linked, accessible, and no wider than a phone."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from tests.applications import NODE, TIMEOUT, absent, command

PHONE = 390  # pixels
VOID = {"meta", "col", "br", "input", "wbr"}


def assert_sound(page: str, lang: str = "zh", *, script: bool = False) -> Any:
    """Parse a page and assert what holds for every one; return its root. `script`: it has one script of its own."""
    strict = etree.fromstring(page.encode(), etree.HTMLParser(recover=False, encoding="utf-8"))
    assert strict is not None
    _assert_balanced(page)
    root = lxml_html.document_fromstring(page)
    assert root.get("lang") == ("en" if lang == "en" else "zh-Hans")
    assert len(root.xpath("//script")) == int(script)
    assert not root.xpath("//link | //img | //iframe | //object | //*[@onclick or @onload or @onerror]")
    # The name space of a drawing is an address that nothing is loaded from.
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg\")", page)
    ids = [str(i) for i in root.xpath("//@id")]
    assert len(ids) == len(set(ids))
    targets = {str(link)[1:] for link in root.xpath("//a/@href")} | {str(i) for i in root.xpath("//@aria-labelledby")}
    assert targets <= set(ids)
    levels = [int(heading.tag[1]) for heading in root.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(cell.get("scope") in ("row", "col", "rowgroup") for cell in root.xpath("//th"))
    assert root.xpath("//main") and root.xpath("//a[@class='skip']")
    return root


def _assert_balanced(page: str) -> None:
    """Assert that every tag is closed in order, which a lenient parser would not mind."""
    opened: list[str] = []
    body = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    for closing, tag, ending in re.findall(r"<(/?)([a-z][a-z0-9]*)\b[^>]*?(/?)>", body):
        if tag in VOID or ending:
            continue
        if closing:
            assert opened.pop() == tag
        else:
            opened.append(tag)
    assert opened == []


def assert_fits_a_phone(page: str, folder: Path) -> None:
    """Assert in a browser that nothing makes the page wider than a phone's screen."""
    assert_fit_a_phone({"page": page}, folder)


def assert_fit_a_phone(pages: Mapping[str, str], folder: Path) -> None:
    """Assert of each of several pages, in one browser, that nothing makes it wider than a phone's screen."""
    frames = "".join(
        f'<iframe title="{name}" style="width:{PHONE}px;height:800px;border:0" srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
    )
    script = (
        "<script>onload = () => { const told = [...document.querySelectorAll('iframe')].map(f => {"
        " const d = f.contentDocument;"
        " const wide = [...d.querySelectorAll('main *')].filter(e => !e.closest('.scroll') && !e.closest('thead') &&"
        f" e.getBoundingClientRect().right > {PHONE} + 0.5).map(e => e.outerHTML.slice(0, 200));"
        " return [f.title, d.documentElement.scrollWidth, wide.slice(0, 3)]; });"
        " document.getElementById('told').textContent = JSON.stringify(told); }</script>"
    )
    assert _told(f"{frames}<p id='told'></p>{script}", folder) == [[name, PHONE, []] for name in pages]


def _told(body: str, folder: Path, *, dark: bool = False) -> Any:
    """Open a page in a browser and return what its scripts wrote into the element `told`, as JSON."""
    path = folder / "told.html"
    path.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{body}", encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"]
    options += ["--virtual-time-budget=60000", *(["--force-dark-mode"] if dark else [])]
    done = subprocess.run(
        [command("chromium"), *options, f"--user-data-dir={folder / 'browser'}", path.as_uri()],
        capture_output=True,
        timeout=TIMEOUT,
        check=True,
    )
    (found,) = re.findall(r'<p id="told">(.*?)</p>', done.stdout.decode(), re.DOTALL)
    return json.loads(html.unescape(found))


_AXE = """
<script>
axe.run(document, {resultTypes: ["violations"]}).then(found => parent.postMessage(
  [window.name, found.violations.map(v => [v.id, v.impact, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))])], "*"));
</script>
"""
_COLLECT = """
<p id='told'></p>
<script>
const told = {};
onmessage = event => {
  told[event.data[0]] = event.data[1];
  if (Object.keys(told).length === COUNT) document.getElementById("told").textContent = JSON.stringify(told);
};
</script>
"""


def violations(page: str, folder: Path, *, dark: bool = False) -> list[list[Any]]:
    """Return what axe-core finds against the accessibility of a page: [rule, impact, elements] each."""
    return violations_of({"page": page}, folder, dark=dark)["page"]


def violations_of(pages: Mapping[str, str], folder: Path, *, dark: bool = False) -> dict[str, list[list[Any]]]:
    """Return what axe-core finds against each of several pages, all opened in one browser."""
    script = NODE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        absent("axe-core (npm install --prefix tests/node)")
    frames = ""
    for name, page in pages.items():
        open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
        tested = open_page.replace("</body>", f'<script src="{script.as_uri()}"></script>{_AXE}</body>')
        look = "width:1200px;height:900px;border:0"
        frames += f'<iframe name="{name}" style="{look}" srcdoc="{html.escape(tested)}"></iframe>'
    # The listener comes first: a small page may be through before the next is read.
    told: dict[str, list[list[Any]]] = _told(_COLLECT.replace("COUNT", str(len(pages))) + frames, folder, dark=dark)
    return told
