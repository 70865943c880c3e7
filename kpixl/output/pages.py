"""What every page of ours is made with: the Jinja2 environment, its templates and filters, and escaping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template, TemplateError
from markupsafe import Markup

from kpixl.forms.definition import Form
from kpixl.forms.load import folders, known_forms
from kpixl.portfolio.print_layout import PrintedCell, environment, printed_text
from kpixl.problems import failure

# HTML has no way to write these; their pictures (U+2400...) are shown in their place.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def page_environment(form: Form, extra: Sequence[Path]) -> Environment:
    """Make the environment in which templates are found in the form's own folder, then in the shared ones.

    `extra`: the folders of definitions given by the user. Everything is escaped; nothing is loaded from elsewhere.
    """
    known = known_forms(extra)
    own = [known[form.id]] if form.id in known else []
    jinja = environment(FileSystemLoader([*own, *folders(extra)]), autoescape=True)
    jinja.filters |= {"show": show, "css_name": css_name}
    return jinja


def choose_template(jinja: Environment, *names: str) -> Template:
    """Find the first of the templates that there is. Raises KpixlError `form-invalid`."""
    try:
        return jinja.select_template(names)
    except TemplateError as error:
        raise failure("form-invalid", key=names[0], reason=str(error)) from error


def render(template: Template, **values: object) -> str:
    """Render a page. Raises KpixlError `form-invalid` where its template cannot be rendered."""
    try:
        return template.render(values)
    except TemplateError as error:
        raise failure("form-invalid", key=template.name, reason=str(error)) from error


def show(cell: PrintedCell | str) -> str:
    """Print a cell or a text for a page."""
    text = cell if isinstance(cell, str) else printed_text(cell)
    return _CONTROLS.sub(lambda match: chr(0x2400 + ord(match[0])), text)


def css_name(name: object) -> Markup:
    """Quote a font's name for a style sheet, in which HTML escapes mean nothing."""
    return Markup('"{}"').format(Markup(re.sub(r"[^\w -]", "", str(name))))
