"""What every page of ours is made with: the Jinja2 environment, its templates and filters, and escaping."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template, TemplateError, TemplateSyntaxError
from markupsafe import Markup

from kpixl.forms.definition import Form
from kpixl.forms.load import folders, known_forms
from kpixl.portfolio.print_layout import PrintedCell, environment, printed_text
from kpixl.problems import KpixlError, failure

# HTML has no way to write these; their pictures (U+2400...) are shown in their place.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
# What a template can run into besides Jinja's own errors: a filter or an operator that does not fit its value.
_MISTAKES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


def page_environment(form: Form, extra: Sequence[Path], design: Path | None = None) -> Environment:
    """Make the environment in which templates are found in the form's own folder, then in the shared ones.

    `extra`: the folders of definitions given by the user; `design`: a folder of templates that comes before all.
    Everything is escaped; nothing is loaded from elsewhere.
    """
    known = known_forms(extra)
    own = [known[form.id]] if form.id in known else []
    first = [design] if design is not None else []
    jinja = environment(FileSystemLoader([*first, *own, *folders(extra)]), autoescape=True)
    jinja.filters |= {"show": show, "css_name": css_name}
    return jinja


def choose_template(jinja: Environment, *names: str) -> Template:
    """Find the first of the templates that there is. Raises KpixlError `template-invalid`."""
    try:
        return jinja.select_template(names)
    except TemplateError as error:
        raise _invalid(error, names[0]) from error


def render(template: Template, **values: object) -> str:
    """Render a page. Raises KpixlError `template-invalid` where its template cannot be rendered."""
    try:
        return template.render(values)
    except _MISTAKES as error:
        raise _invalid(error, template.name or "?") from error


def _invalid(error: Exception, name: str) -> KpixlError:
    """Name file and line of a mistake in a template; Jinja's own message names the variable."""
    file, line = name, 0
    if isinstance(error, TemplateSyntaxError):
        file, line = error.filename or error.name or name, error.lineno
    else:
        # Jinja gives the frames of a template its file and line; the innermost is where the mistake is.
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename.endswith(".j2"):
                file, line = frame.filename, frame.lineno or 0
    return failure("template-invalid", path=file, line=line, reason=str(error) or type(error).__name__)


def show(cell: PrintedCell | str) -> str:
    """Print a cell or a text for a page."""
    text = cell if isinstance(cell, str) else printed_text(cell)
    return _CONTROLS.sub(lambda match: chr(0x2400 + ord(match[0])), text)


def css_name(name: object) -> Markup:
    """Quote a font's name for a style sheet, in which HTML escapes mean nothing."""
    return Markup('"{}"').format(Markup(re.sub(r"[^\w -]", "", str(name))))
