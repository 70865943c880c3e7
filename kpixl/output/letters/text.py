"""A letter as text: its values in the words and the order of a template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from kpixl.output.letters.model import Letter
from kpixl.output.pages import LETTER_TEMPLATES, choose_template, page_environment, render
from kpixl.output.status import Status
from kpixl.output.status.tell import due_text, label, moment_text
from kpixl.output.status.words import BLANK
from kpixl.problems import Problem
from kpixl.readers import BETWEEN
from kpixl.texts import say

if TYPE_CHECKING:
    from jinja2 import Template

MAX_ERRORS, MAX_WARNINGS = 200, 50  # that a letter lists; the annotated copies list all
_MAX_SUBJECT = 200  # characters


class LetterText(NamedTuple):
    """A letter in words."""

    subject: str
    text: str


def letter_template(status: Status, lang: str, extra: Sequence[Path] = (), own: Path | None = None) -> Template:
    """Find the template of letters: the user's `own`, else the form's, else the shared one.

    Raises KpixlError `template-invalid`.
    """
    name = LETTER_TEMPLATES[lang]
    environment = page_environment(status.form, extra, own.absolute().parent if own else None, escape=False)
    return choose_template(environment, *([own.name] if own else [name, f"shared/{name}"]))


def letter_text(
    template: Template, letter: Letter, status: Status, attachments: Sequence[str], lang: str
) -> LetterText:
    """Write a letter. `attachments`: the names of the files that go with it. Raises KpixlError `template-invalid`."""
    names = _Names(letter)
    values: dict[str, Any] = {
        "lang": lang,
        "unit": _line(letter.unit) or say(BLANK, lang),
        "form": status.form.title,
        "year": status.roster.year,
        "organization": status.roster.organization,
        "due": due_text(status.due) if status.due is not None else "",
        "complete": letter.is_complete and not letter.warnings,
        "came": [
            {
                "name": names.of(one.file),
                "time": moment_text(one.time),
                "sender": _line(one.delivery.sender) if one.delivery is not None else "",
                "projects": [_line(label(project)) for project in one.projects],
            }
            for one in letter.came
        ],
        "unread": [{"name": names.place(item.problem), **_texts(item.problem, lang)} for item in letter.unread],
        "missing": [_line(label(project)) for project in letter.missing],
        "attachments": list(attachments),
    }
    labels = {project.id: _line(label(project)) for _, project in status.projects}
    for key, problems, most in (("fix", letter.errors, MAX_ERRORS), ("check", letter.warnings, MAX_WARNINGS)):
        listed = problems[:most]
        values |= {
            key: _groups(listed, names, labels, lang),
            f"{key}_count": len(problems),
            f"{key}_listed": len(listed),
        }
    text = render(template, len(letter.errors) + len(letter.warnings) + len(labels), **values)
    subject, _, body = text.strip().partition("\n")
    return LetterText(_line(subject)[:_MAX_SUBJECT], body.strip() + "\n")


def _groups(problems: Iterable[Problem], names: _Names, labels: Mapping[str, str], lang: str) -> list[dict[str, Any]]:
    """Group problems by file, sheet and project."""
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for problem in problems:
        place = names.place(problem)
        project = labels.get(problem.project or "", "")
        where = " ".join(part for part in (problem.location.address, problem.location.field) if part)
        item = {"where": _line(where), **_texts(problem, lang)}
        groups.setdefault((place, "" if project in place else project), []).append(item)
    return [{"place": place, "project": project, "findings": found} for (place, project), found in groups.items()]


def _texts(problem: Problem, lang: str) -> dict[str, str]:
    return {"message": _line(problem.message(lang)), "hint": _line(problem.hint(lang))}


class _Names:
    """Calls files as their sender knows them: by their own names, without the folders and mails that they came in."""

    def __init__(self, letter: Letter) -> None:
        problems = (*letter.errors, *letter.warnings, *(item.problem for item in letter.unread))
        files = {one.file for one in letter.came} | {p.location.file for p in problems if p.location.file}
        self._counts = Counter(map(own_name, files))

    def of(self, file: str) -> str:
        name = own_name(file)
        return _line(name if self._counts[name] < 2 else file)

    def place(self, problem: Problem) -> str:
        file, sheet = problem.location.file, problem.location.sheet
        return BETWEEN.join(part for part in (self.of(file) if file else "", _line(sheet or "")) if part)


def own_name(file: str) -> str:
    """Return the name of a file itself, of all that is shown of where it is."""
    return PurePosixPath(file.rpartition(BETWEEN)[2]).name or file


def _line(text: str) -> str:
    """Return a text on one line, without what a letter cannot hold."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
