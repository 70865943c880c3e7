"""What makes a kpixl.yaml that of a collection folder: form, year, due date, and where things are in it.

form: shanghai-target    # or a list: the first is that of the round, each further one gets a portfolio of its own
year: 2026
organization: 上海市科学技术协会
due: 2026-11-20          # or 2026-11-20 17:00
by: unit                 # a workbook is sent to each value of this field
paths: {returned: 收回}  # where something has another name than usual
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from kpixl import yaml_text
from kpixl.checks.mapping_reader import MappingReader
from kpixl.texts import Text

FOLDER_KEYS = ("form", "year", "organization", "due", "by", "paths")
# By key, what a path is called where kpixl.yaml has no other name for it; {year} is filled in.
PATHS: Mapping[str, str] = {
    "roster": "roster.yaml",
    "sent": "sent",
    "returned": "returned",
    "portfolio": "{year}.yaml",
    "summary": "{year}.xlsx",
    "status": "status.xlsx",
    "status_page": "status.html",
    "annotated": "annotated",
    "letters": "letters",
    "page": "{year}.html",
    "export": "export",
}
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "roster": (".yaml", ".yml"),
    "portfolio": (".yaml", ".yml"),
    "summary": (".xlsx", ".xlsm"),
    "status": (".xlsx",),
    "status_page": (".html",),
    "page": (".html", ".docx", ".pdf", ".md"),
}
_READ = ("sent", "returned")  # folders in which no output may lie
_DUE = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
_FORM: Text = (
    "表式的编号，或几个不同编号的列表，见 kpixl forms",
    "the id of a form, or a list of different ones, see kpixl forms",
)
_YEAR: Text = ("年份，例如 2026", "a year such as 2026")
_DATE: Text = ('日期，例如 2026-11-20 或 "2026-11-20 17:00"', 'a date, 2026-11-20 or "2026-11-20 17:00"')
_INSIDE: Text = (
    "本文件夹之内的相对路径，例如 {name}（不能以 / 开头，不能含 ..）",
    "a relative path inside of this folder such as {name} (no leading /, no ..)",
)
_ENDED: Text = ("以 {endings} 结尾的文件名，例如 {name}", "a file name that ends in {endings}, such as {name}")
_ALONE: Text = ("与其他路径不同、也不在 sent 和 returned 之内的路径", "a path of its own, outside of sent and returned")


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """The settings of a collection folder. `due`: local time; a date alone means its whole day. `by`: a field.
    `lines`: where each key is. `further`: forms that are collected from the same files, each on its own.
    """

    form: str
    year: int | None = None
    organization: str | None = None
    due: datetime | None = None
    by: str | None = None
    paths: Mapping[str, PurePosixPath] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    further: tuple[str, ...] = ()


def read_settings(reader: MappingReader, data: Mapping[str, Any]) -> FolderSettings | None:
    """Read the keys of a collection folder; None where the file has no form, as one with rules only."""
    texts = {key: reader.text(data.get(key), (key,)) for key in ("organization", "by")}
    year, due, given = _year(reader, data.get("year")), _due(reader, data.get("due")), data.get("form")
    paths = _paths(reader, data.get("paths"), year)
    forms: list[Any] = given if isinstance(given, list) else [given]
    named = [form for form in forms if isinstance(form, str) and form.strip()]
    if not forms or len(set(named)) < len(forms):
        if given is not None:
            reader.wrong(("form",), _FORM, given)
        return None
    lines = {key: reader.line((key,)) for key in FOLDER_KEYS}
    form, *further = named
    return FolderSettings(form, year, texts["organization"], due, texts["by"], paths, lines, tuple(further))


def _year(reader: MappingReader, value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 1900 <= value <= 2999):
        return value
    reader.wrong(("year",), _YEAR, value)
    return None


def _due(reader: MappingReader, value: Any) -> datetime | None:
    if value is None:
        return None
    for spelling in _DUE:
        try:
            return datetime.strptime(str(value), spelling)
        except ValueError:
            continue
    reader.wrong(("due",), _DATE, value)
    return None


def _paths(reader: MappingReader, value: Any, year: int | None) -> dict[str, PurePosixPath]:
    given = reader.mapping(("paths",), value)
    for key in given:
        if key not in PATHS:
            reader.unknown(("paths", key), PATHS)
    usual = {key: name.format(year=year or "portfolio") for key, name in PATHS.items()}
    paths = {key: _path(reader, key, given.get(key), name) for key, name in usual.items()}
    for key in _clashing(paths):
        reader.wrong(("paths", key), _ALONE, given.get(key, paths[key]))
    return paths


def _path(reader: MappingReader, key: str, value: Any, usual: str) -> PurePosixPath:
    """Read a path that must lead to something inside of the folder."""
    where: yaml_text.Path = ("paths", key)
    if value is None:
        return PurePosixPath(usual)
    text = str(value)
    path, endings = PurePosixPath(text), ENDINGS.get(key, ())
    # A drive or a backslash is a way out on Windows only, and the folder may be opened there tomorrow.
    if (
        not isinstance(value, str)
        or not path.parts
        or path.is_absolute()
        or {"..", "."} & set(text.split("/"))
        or PureWindowsPath(text).drive
        or "\\" in text
    ):
        reader.wrong(where, _filled(_INSIDE, name=usual), value)
    elif endings and path.suffix.lower() not in endings:
        reader.wrong(where, _filled(_ENDED, endings="、".join(endings), name=usual), value)
    else:
        return path
    return PurePosixPath(usual)


def _filled(text: Text, **values: object) -> Text:
    """Fill in both languages of a text."""
    return text[0].format(**values), text[1].format(**values)


def _clashing(paths: Mapping[str, PurePosixPath]) -> Iterator[str]:
    """Yield the key of each path that another has too, and of each output that lies where files are read."""
    taken: set[str] = set()
    for key, path in paths.items():
        folded = str(path).casefold()
        inside = any(key != read and path.is_relative_to(paths[read]) for read in _READ)
        if folded in taken or inside:
            yield key
        taken.add(folded)
