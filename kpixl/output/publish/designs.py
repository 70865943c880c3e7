"""A form's definition and templates, copied for people who want a design of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from kpixl.disk import Output, Written, commit
from kpixl.forms.load import DEFINITION, folders, known_forms
from kpixl.output.pages import LETTER_TEMPLATES
from kpixl.output.publish import html, pdf
from kpixl.problems import Problem, failure

TEMPLATES = (html.TEMPLATE, pdf.TEMPLATE, *LETTER_TEMPLATES.values())


def copy_design(
    form_id: str, folder: Path, extra: Sequence[Path] = (), *, lang: str = "zh", today: date
) -> tuple[list[Written], list[Problem]]:
    """Copy the definition of a form and its templates into a new folder.

    A template of the form's own comes with the shared one that it extends. Raises KpixlError `form-unknown` or
    `folder-not-empty`.
    """
    known = known_forms(extra)
    if form_id not in known:
        raise failure("form-unknown", form=form_id, known=", ".join(known))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise failure("folder-not-empty", path=str(folder))
    files = {Path(DEFINITION): known[form_id] / DEFINITION}
    for name in TEMPLATES:
        own, shared = known[form_id] / name, _shared(name, extra)
        if own.is_file():
            files[Path(name)] = own
            files[Path("shared", name)] = shared
        else:
            files[Path(name)] = shared
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    outputs = [Output(folder / name, source.read_bytes(), "design") for name, source in files.items()]
    return commit(outputs, lang=lang, today=today)


def _shared(name: str, extra: Sequence[Path]) -> Path:
    return next(path for place in folders(extra) if (path := place / "shared" / name).is_file())
