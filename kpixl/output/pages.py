"""What every page of ours is made with: the Jinja2 environment, its templates and filters, and escaping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from jinja2 import FileSystemLoader, Template
from markupsafe import Markup

from kpixl.forms.definition import Form
from kpixl.forms.load import folders, known_forms
from kpixl.forms.snippets import PAGE, PAGE_ITEM, BoundedEnvironment, Faults, rendered
from kpixl.portfolio.print_layout import PrintedCell, printed_text
from kpixl.problems import KpixlError, failure

# HTML has no way to write these; their pictures (U+2400...) are shown in their place.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


# By language; one name for all who look for them.
LETTER_TEMPLATES = {"zh": "letter.zh.j2", "en": "letter.en.j2"}


def page_environment(
    form: Form, extra: Sequence[Path], design: Path | None = None, *, escape: bool = True
) -> BoundedEnvironment:
    """Make the environment in which templates are found in the form's own folder, then in the shared ones.

    `extra`: the folders of definitions given by the user; `design`: a folder of templates that comes before all.
    Everything is escaped, unless it is for plain text; nothing is loaded from elsewhere.
    """
    known = known_forms(extra)
    own = [known[form.id]] if form.id in known else []
    first = [design] if design is not None else []
    jinja = BoundedEnvironment(FileSystemLoader([*first, *own, *folders(extra)]), autoescape=escape)
    jinja.filters |= {"show": show, "css_name": css_name}
    return jinja


class _Mistakes(Faults):
    """Turns whatever a template of a page raises into the KpixlError `template-invalid`."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        except KpixlError as fault:
            details = fault.problems[0].details
            file, _, line = str(details["key"]).rpartition(":")
            path, number = (file, int(line)) if line.isdecimal() else (str(details["key"]), 1)
            raise failure("template-invalid", path=path, line=number, reason=details["reason"]) from error


def choose_template(jinja: BoundedEnvironment, *names: str) -> Template:
    """Find the first of the templates that there is. Raises KpixlError `template-invalid`."""
    with _Mistakes(names[0]):
        return jinja.select_template(names)


def render(template: Template, items: int, **values: object) -> str:
    """Render a page with so many projects or problems on it. Raises KpixlError `template-invalid`."""
    with _Mistakes(template.filename or ""):
        return rendered(template, values, PAGE + PAGE_ITEM * items)


def show(cell: PrintedCell | str) -> str:
    """Print a cell or a text for a page."""
    text = cell if isinstance(cell, str) else printed_text(cell)
    return _CONTROLS.sub(lambda match: chr(0x2400 + ord(match[0])), text)


def css_name(name: object) -> Markup:
    """Quote a font's name for a style sheet, in which HTML escapes mean nothing."""
    return Markup('"{}"').format(Markup(re.sub(r"[^\w -]", "", str(name))))
