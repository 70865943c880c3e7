"""A publication as one self-contained HTML page: contents, totals, then every form in its official look.

What is on the page is computed by the print model; how it looks is written in the Jinja2 template `page.html.j2` of
the user's own design, of the form's own folder, or of `shared/`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from kpixl.forms.definition import Form
from kpixl.forms.types import FIELD_TYPES
from kpixl.output.pages import choose_template, page_environment, render, show
from kpixl.output.publish.model import Publication, draft_mark, is_long, long_fields, publication
from kpixl.portfolio.flat_print import is_landscape, printed_widths
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.print_layout import PrintedRow

TEMPLATE = "page.html.j2"
SHARED = f"shared/{TEMPLATE}"

# The search box. The page allows this one script, by its digest, so that no text of a form can ever run.
SCRIPT = """\
const box = document.getElementById("search"), found = document.getElementById("found");
const rows = [...document.querySelectorAll(".contents tbody tr")];
const forms = rows.map(row => document.getElementById(row.querySelector("a").hash.slice(1)));
const plain = text => text.normalize("NFKC").toLowerCase().replace(/\\s+/g, "");
const texts = rows.map((row, n) => plain(row.textContent + forms[n].textContent));
box.closest("form").hidden = false;
box.closest("form").addEventListener("submit", event => event.preventDefault());
box.addEventListener("input", () => {
  const wanted = box.value.split(/\\s+/).map(plain).filter(Boolean);
  let shown = 0;
  rows.forEach((row, n) => {
    const fits = wanted.every(word => texts[n].includes(word));
    row.hidden = forms[n].hidden = !fits;
    shown += fits;
  });
  found.textContent = wanted.length ? found.dataset.text.replace("{shown}", shown).replace("{all}", rows.length) : "";
});
"""


def render_page(form: Form, portfolio: Portfolio, *, lang: str = "zh", extra: Sequence[Path] = ()) -> str:
    """Render the page of `portfolio`; `extra` are the folders of definitions given by the user.

    Raises KpixlError `template-invalid` where the template cannot be rendered.
    """
    return page_html(publication(form, portfolio, lang=lang), extra=extra)


def page_html(item: Publication, *, extra: Sequence[Path] = (), design: Path | None = None) -> str:
    """Render the page of a publication; `design` is a folder whose templates come first."""
    form = item.form
    return render(
        _template(form, extra, design),
        len(item.portfolio.projects),
        form=form,
        lang=item.lang,
        words=item.words(),
        draft=item.draft,
        mark=Markup(draft_mark()) if item.draft else "",
        heading=item.heading,
        disclosure=item.disclosure,
        columns=item.columns,
        contents=item.contents,
        total=item.total,
        totals=item.totals,
        widths=_percentages(printed_widths(form)),
        landscape=is_landscape(form),
        forms=item.forms(),
        script=Markup(SCRIPT),
        script_digest=_digest(SCRIPT),
    )


def _template(form: Form, extra: Sequence[Path], design: Path | None) -> Template:
    """Find the user's template, the form's own, else the shared one; each may extend the next."""
    jinja = page_environment(form, extra, design)
    jinja.filters["cells"] = partial(html_cells, long=long_fields(form))
    return choose_template(jinja, TEMPLATE, SHARED)


@lru_cache(maxsize=8)
def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


# --- the filter of the template ---------------------------------------------------------------


def html_cells(row: PrintedRow, long: frozenset[str]) -> Iterator[tuple[str, Markup, str]]:
    """Turn a row into (tag, attributes, content) per cell; `long` are the fields that hold running text.

    In Python and not in the template, where the sandbox looks at every attribute: 13,000 projects have a
    million cells.
    """
    for cell in row.cells:
        tag = "td" if cell.kind in ("value", "blank") else "th"
        name = _CLASSES.get(cell.type) or ("vertical" if cell.vertical else "")
        if is_long(cell, long):
            name = "long"
        text = show(cell)
        # A line end alone is a blank to whatever reads the page without its style sheet.
        shown = Markup("<br>").join(text.split("\n")) if "\n" in text else text
        content = Markup("<span>{}</span>").format(shown) if cell.vertical else shown
        yield tag, _attributes(cell.columns, cell.rows, cell.scope, name), content


_CLASSES = {name: kind.css_class for name, kind in FIELD_TYPES.items()}


@lru_cache(maxsize=1024)
def _attributes(columns: int, rows: int, scope: str, name: str) -> Markup:
    given = {"colspan": columns, "rowspan": rows, "scope": scope, "class": name}
    return Markup().join(Markup(' {}="{}"').format(key, value) for key, value in given.items() if value not in (1, ""))


def _percentages(widths: Sequence[float]) -> list[str]:
    return [f"{100 * width / sum(widths):.3f}%" for width in widths]
