"""The submissions of one project: which of them counts, and how the others differ from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpixl import marker as markers
from kpixl.intake.extracted import Extracted
from kpixl.model import Form, Project, Value
from kpixl.problems import Location, Problem
from kpixl.values import text_of

MAX_DIFFERENCES = 12


@dataclass(frozen=True, slots=True)
class Returned:
    """One form with the file it came in."""

    file: str
    sha256: str
    form: Extracted

    @property
    def place(self) -> Location:
        """Return its file and sheet."""
        return Location(self.file, self.form.sheet)

    def at(self, key: str) -> Location:
        """Return the place where a value of it was typed."""
        return replace(self.place, cell=self.form.cells.get(key))


@dataclass(frozen=True, slots=True)
class Version:
    """One of the forms in which a project came back. `same`: it has the values of the one that was taken."""

    file: str
    sheet: str | None
    same: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A submission of a project, and the project as read from it. `foreign`: its marker is of another portfolio."""

    item: Returned
    project: Project
    foreign: bool = False

    def is_unfilled(self, form: Form, sent: Project | None) -> bool:
        """Tell whether every value is the one that was sent out, by the marker's digest or by the roster (`sent`), and
        something is still to be filled in: a complete one that comes back as it was sent is an answer."""
        if _is_complete(form, self.project):
            return False
        mark = self.item.form.marker
        if mark is not None and mark.sent and mark.sent == markers.content_digest(self.project):
            return True
        return sent is not None and replace(self.project, id=sent.id) == sent

    def extends(self, other: Candidate) -> bool:
        """Tell whether it has every value of another submission, and more."""
        mine, theirs = _filled(self.project), _filled(other.project)
        return len(mine) > len(theirs) and theirs.items() <= mine.items()


def _is_complete(form: Form, project: Project) -> bool:
    """Tell whether all that is required is there: fields, and a row of each table that requires something."""
    if any(field.required and project.values[key] is None for key, field in form.fields.items()):
        return False
    needed = (t.key for t in form.tables.values() if any(c.required for c in t.columns.values()))
    return all(project.tables[key] for key in needed)


def _filled(project: Project) -> dict[tuple[str, int, str], object]:
    """Map every value that is not blank by table ("" outside tables), row and key."""
    values: dict[tuple[str, int, str], object] = {
        ("", 0, key): value for key, value in project.values.items() if value is not None
    }
    for table, rows in project.tables.items():
        values |= {
            (table, number, key): value
            for number, row in enumerate(rows)
            for key, value in row.items()
            if value is not None
        }
    return values


def best(form: Form, candidates: Sequence[Candidate], sent: Project | None) -> Candidate:
    """Choose the submission that counts; `sent`: the project in the roster.

    One of this portfolio before one of another, a filled one before one as it was sent out, one that has more before
    one that only lacks some of it (a workbook of before the digest of what was sent), else the first.
    """
    if len(candidates) == 1:
        return candidates[0]
    ranks = [(c.foreign, c.is_unfilled(form, sent)) for c in candidates]
    first, *others = (c for c, rank in zip(candidates, ranks, strict=True) if rank == min(ranks))
    for other in others:
        if other.extends(first):
            first = other
    return first


def superseded(form: Form, other: Candidate, taken: Candidate, sent: Project | None) -> Problem:
    """Report a submission that was not taken."""
    item, used = other.item, taken.item
    project_id = taken.project.id
    if other.project == taken.project:
        details: dict[str, object] = {"id": project_id, "other": str(used.place)}
        return Problem("returned-twice", item.place, details, project=project_id)
    if other.is_unfilled(form, sent):
        details = {"id": project_id, "used": str(used.place)}
        return Problem("returned-unfilled", item.place, details, project=project_id)
    differences = _differences(form, other, taken)
    texts = list(differences.values())
    shown = "；".join(texts[:MAX_DIFFERENCES]) + ("……" if len(texts) > MAX_DIFFERENCES else "")
    details = {"id": project_id, "used": str(used.place), "differences": shown}
    # A total differs because a part of it does.
    typed = [key for key in differences if key in item.form.cells and not (key in form.fields and form.fields[key].sum)]
    place = item.at(typed[0]) if typed else item.place
    return Problem("returned-differently", place, details, project=project_id)


def _differences(form: Form, other: Candidate, taken: Candidate) -> dict[str, str]:
    """Describe for each value in which two submissions of a project differ how, with the cells."""
    a, b = other.project, taken.project

    def line(label: str, key: str, x: Value, y: Value) -> str:
        here, there = other.item.form.cells.get(key, ""), taken.item.form.cells.get(key, "")
        return f"{label.rstrip(':：')} {here} “{_short(x)}” ≠ {there} “{_short(y)}”"

    found = {
        key: line(f.heading, key, a.values[key], b.values[key])
        for key, f in form.fields.items()
        if a.values[key] != b.values[key]
    }
    for table, rows in a.tables.items():
        others = b.tables[table]
        for number in range(max(len(rows), len(others))):
            mine = rows[number] if number < len(rows) else {}
            theirs = others[number] if number < len(others) else {}
            for key, column in form.tables[table].columns.items():
                if mine.get(key) != theirs.get(key):
                    label = f"{form.tables[table].label}{number + 1}.{column.label}"
                    place = f"{table}.{number}.{key}"
                    found[place] = line(label, place, mine.get(key), theirs.get(key))
    return found


def _short(value: Value) -> str:
    text = text_of(value)
    return text if len(text) <= 24 else text[:23] + "…"
