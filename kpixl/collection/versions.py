"""The submissions of one project: where each is from, and whether it was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kpixl.a1 import ValuePlace
from kpixl.forms.definition import Form
from kpixl.keys import Key
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.model import Project, filled_keys
from kpixl.problems import Location
from kpixl.readers import Delivery
from kpixl.readers.properties import NO_PROPERTIES, Properties
from kpixl.recognise.submission import Submission

# Problems of reading that leave a value blank which may have been filled in.
UNREAD = frozenset(
    {"cell-error", "formula-uncached", "label-missing", "label-unclear", "heading-missing", "table-missing"}
)


@dataclass(frozen=True, slots=True)
class Returned:
    """One form with the file it came in. `time`, `properties`, `origins`, `delivery`: as in FileResult.

    `keyed`: it is a project of a portfolio, where the place of a value is its key. `below`: where that portfolio had it
    from, as far as that is known.
    """

    file: str
    sha256: str
    form: Submission
    time: datetime | None = None
    properties: Properties = NO_PROPERTIES
    origins: tuple[str, ...] = ()
    delivery: Delivery | None = None
    keyed: bool = False
    below: Source | None = None

    @property
    def place(self) -> Location:
        """Return its file and sheet."""
        return Location(self.file, self.form.sheet)

    @property
    def date(self) -> str:
        """Return when it was saved, to the minute: as its program recorded it (UTC), else when it came back."""
        saved = self.properties.saved or self.time
        return f"{saved:%Y-%m-%d %H:%M}" if saved is not None else ""

    @property
    def unread(self) -> frozenset[Key]:
        """Return the keys of the values of which a problem reports that they could not be read."""
        return frozenset(key for problem in self.form.problems if problem.code in UNREAD for key in problem.keys)

    def at(self, key: Key | None) -> Location:
        """Return the place where a value of it was typed; its sheet for a row that is gone."""
        return replace(self.place, cell=self.cell(key) if key else None)

    def cell(self, key: Key) -> ValuePlace | None:
        """Return the cell of a value, or its key in a portfolio; None where nobody typed it."""
        return key if self.keyed else self.form.cells.get(key)

    @property
    def cells(self) -> Mapping[Key, ValuePlace]:
        """Return the cell of every value that was typed."""
        if self.keyed:
            return {key: key for key in filled_keys(self.form.values, self.form.tables)}
        return self.form.cells


@dataclass(frozen=True, slots=True)
class Version:
    """One of the forms in which a project came back. `same`: it has the values of the first one.

    `superseded`: a later one was made from it. `unfilled`: it is as it was sent out. `twin`: an earlier one is equal.
    """

    file: str
    sheet: str | None
    same: bool
    superseded: bool = False
    unfilled: bool = False
    twin: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where a project came from: file, digest, sheet, and the cell of each value.

    `raw`: what was typed, by value, where it was read otherwise than plainly. `others`: further files of which a
    project was merged, each with the cells of the values it gave. `delivery`: how the file came by mail. `below`: of
    a project of a lower level's portfolio, whose sheet is the project and whose cells are keys, where that one had it
    from.
    """

    file: str
    sha256: str
    sheet: str | None
    cells: Mapping[Key, ValuePlace] = field(default_factory=dict)
    raw: Mapping[Key, str] = field(default_factory=dict)
    others: tuple[Source, ...] = ()
    delivery: Delivery | None = None
    below: Source | None = None

    def __str__(self) -> str:
        own = f"{self.file} › {self.sheet}" if self.sheet else self.file
        return "；".join([own, *map(str, self.others)])

    def address(self, key: Key) -> str | None:
        """Return the cell of a value as people know it; None where nobody typed it in this file."""
        cell = self.cells.get(key)
        return None if cell is None else str(cell)

    def giver(self, key: Key | None) -> Source:
        """Return the file that gave a value; of one that nobody typed, the one that gave most."""
        return next((s for s in (self, *self.others) if key in s.cells), self)

    def at(self, key: Key | None) -> Location:
        """Return the place of a value; of one that nobody typed, the file and sheet that gave most."""
        giver = self.giver(key)
        return Location(giver.file, giver.sheet, giver.cells.get(key) if key else None)


@dataclass(frozen=True, slots=True)
class Lower:
    """A portfolio of a lower level: its id as in sheet ids, what its office is called, the source of each project."""

    file: str
    portfolio: str
    name: str
    sources: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """A submission of a project, and the project as read from it. `foreign`: its sheet id is of another portfolio."""

    item: Returned
    project: Project
    foreign: bool = False

    def is_as_sent(self) -> bool:
        """Return whether every value is the one that was sent out, by the digest in the sheet id."""
        sheet_id = self.item.form.sheet_id
        return sheet_id is not None and bool(sheet_id.sent) and sheet_id.sent == sheet_ids.content_digest(self.project)

    def is_unfilled(self, form: Form, sent: Project | None) -> bool:
        """Return whether every value is the one sent out, by the sheet id's digest or by the roster (`sent`), and
        something is still to be filled in: a complete one that comes back as it was sent is an answer."""
        if _is_complete(form, self.project):
            return False
        return self.is_as_sent() or (sent is not None and replace(self.project, id=sent.id) == sent)


def _is_complete(form: Form, project: Project) -> bool:
    """Return whether all that is required is there: fields, and a row of each table that requires something."""
    if any(field.required and project.values[key] is None for key, field in form.fields.items()):
        return False
    needed = (t.key for t in form.tables.values() if any(c.required for c in t.columns.values()))
    return all(project.tables[key] for key in needed)
