"""The collection folder: one round of one form, so that no command needs a path or an option (design section 8).

kpixl.yaml      form (or several), year, due date, rules, waivers
roster.yaml     the projects
sent/           the workbooks that went out, and roster.yaml as it was then
returned/       what came back
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kpixl import yaml_text
from kpixl.checks.configuration import CONFIG
from kpixl.checks.folder_settings import FOLDER_KEYS, FolderSettings, read_settings
from kpixl.checks.mapping_reader import MappingReader
from kpixl.forms.definition import Field, Form
from kpixl.forms.load import among
from kpixl.forms.names import field_called, unit_field
from kpixl.inputs import read_input
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Location, Problem, failure
from kpixl.texts import Text

AS_SENT = "roster.yaml"  # in the folder of what was sent


@dataclass(frozen=True, slots=True)
class Folder:
    """A collection folder: its settings and, by key, where things are in it."""

    root: Path
    settings: FolderSettings
    paths: Mapping[str, Path]

    @property
    def config(self) -> Path:
        """Return its kpixl.yaml."""
        return self.root / CONFIG

    @property
    def as_sent(self) -> Path:
        """Return the roster as it was when the workbooks went out."""
        return self.paths["sent"] / AS_SENT

    @property
    def base(self) -> Path:
        """Return the roster as it was sent, or as it is where nothing went out yet."""
        return self.as_sent if self.as_sent.is_file() else self.paths["roster"]


@dataclass(frozen=True, slots=True)
class Rosters:
    """The roster as it is, and as it was when the workbooks went out; `sent` is None where none went out yet."""

    form: Form
    roster: Portfolio
    sent: Portfolio | None


def find_folder(root: Path) -> Folder | None:
    """Open the collection folder at `root`; None where it is none. Raises KpixlError where its kpixl.yaml is wrong."""
    config = root / CONFIG
    if not config.is_file():
        return None
    text = yaml_text.decode(read_input(config), config.name)
    data = yaml_text.parse(text, config.name)
    if not isinstance(data, dict) or not set(FOLDER_KEYS) & set(map(str, data)):
        return None
    reader = MappingReader(yaml_text.marks(text, config.name), config.name)
    settings = read_settings(reader, data)
    if settings is None and not reader.problems:
        reader.note("key-missing", (), key="form")
    if reader.problems or settings is None:
        raise KpixlError(*reader.problems)
    return Folder(root, settings, _inside(root, settings, reader))


def _inside(root: Path, settings: FolderSettings, reader: MappingReader) -> dict[str, Path]:
    """Return the paths; a link that leads out of the folder is none of it."""
    home, found = root.resolve(), {}
    for key, name in settings.paths.items():
        path = root / name
        if not path.resolve().is_relative_to(home):
            details = {"key": f"paths.{key}", "line": reader.line(("paths", key)), "path": str(name)}
            raise KpixlError(Problem("path-outside", Location(CONFIG), {**details, "target": str(path.resolve())}))
        found[key] = path
    return found


def open_folder(root: Path) -> Folder:
    """Open a collection folder. Raises KpixlError, also where `root` is none."""
    folder = find_folder(root)
    if folder is None:
        raise failure("no-collection-folder", path=str(root))
    return folder


def load_rosters(folder: Folder, forms: Mapping[str, Form]) -> Rosters:
    """Load both rosters of a folder. Raises KpixlError where one is wrong or contradicts kpixl.yaml."""
    form = forms.get(folder.settings.form)
    if form is None:
        raise _wrong(folder, "form", ("、".join(forms), " or ".join(forms)))
    roster = _load(form, folder.paths["roster"])
    _compare(folder, roster)
    sent = _load(form, folder.as_sent) if folder.as_sent.is_file() else None
    return Rosters(form, roster, sent)


def further_forms(folder: Folder, forms: Mapping[str, Form]) -> list[Form]:
    """Return the forms that kpixl.yaml names beside that of the round. Raises KpixlError where one is not known."""
    if any(form_id not in forms for form_id in folder.settings.further):
        raise _wrong(folder, "form", ("、".join(forms), " or ".join(forms)))
    return [forms[form_id] for form_id in folder.settings.further]


def grouping_field(folder: Folder, form: Form) -> Field | None:
    """Return the field by which a folder groups its projects. Raises KpixlError where the form has no such field."""
    if folder.settings.by is None:
        return unit_field(form)
    try:
        return field_called(form, folder.settings.by)
    except KpixlError as error:
        known = "、".join(f"{key}（{field.heading}）" for key, field in form.fields.items())
        raise _wrong(folder, "by", (known, known)) from error


def _wrong(folder: Folder, key: str, expected: Text) -> KpixlError:
    found = getattr(folder.settings, key)
    if key == "form":
        found = ", ".join((folder.settings.form, *folder.settings.further))
    line = folder.settings.lines.get(key, 1)
    return failure("value-wrong", CONFIG, line=line, key=key, expected=expected, found=found)


def _compare(folder: Folder, roster: Portfolio) -> None:
    settings, name = folder.settings, folder.paths["roster"].name
    pairs = {"year": (settings.year, roster.year), "organization": (settings.organization, roster.organization)}
    for key, (mine, theirs) in pairs.items():
        if mine is not None and mine != theirs:
            details = {"line": settings.lines.get(key, 1), "key": key, "mine": mine, "roster": name, "theirs": theirs}
            raise failure("folder-differs", CONFIG, **details)


def _load(form: Form, path: Path) -> Portfolio:
    return canonical.load(path, among([form]))[1]
