"""kpixl.yaml: which rules an office applies, how severely, and which projects are exempt and why.

select: [completeness, goal, rate-over-100]   # codes, prefixes of codes, or categories; all where it is not given
ignore: [benefit-qualitative]
severity: {level-missing.cost: info}
waivers:
- {project: "07", code: level-missing.satisfaction, reason: 防灾科普面向不特定公众}
nothing_to_report:
- {unit: 企业服务部, reason: 本年度没有项目}
contacts: {企业服务部: qyfw@example.cn, 办公室: [a@example.cn, b@example.cn]}   # for kpixl letters

In a collection folder it also has the keys of `folder_settings`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kpixl import yaml_text
from kpixl.checks.folder_settings import FOLDER_KEYS, read_settings
from kpixl.checks.mapping_reader import A_MAPPING, MappingReader
from kpixl.checks.registry import ENTRIES
from kpixl.checks.rule import CATEGORIES
from kpixl.files import ADDRESS
from kpixl.inputs import read_input
from kpixl.problems import KpixlError, Severity

CONFIG = "kpixl.yaml"
NOTHING = "nothing_to_report"
CONTACTS = "contacts"
KEYS = ("select", "ignore", "severity", "waivers", NOTHING, CONTACTS)
WAIVER_KEYS = ("project", "code", "reason", "cell", "field")
DECLARATION_KEYS = ("unit", "project", "reason")


@dataclass(frozen=True, slots=True)
class Waiver:
    """What is let be in one project, and why; `cell` or `field` (its label or key) narrow it down."""

    project: str
    code: str
    reason: str
    cell: str | None = None
    field: str | None = None
    line: int = 1


@dataclass(frozen=True, slots=True)
class Declaration:
    """A unit, or one project by its id, of which nothing will come back, and why. One of the two is given."""

    unit: str | None
    project: str | None
    reason: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Config:
    """An office's choice. `file` is how messages call the file it was read from, None for the defaults."""

    file: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    contacts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def wants(self, code: str, category: str) -> bool:
        """Return whether findings of `code` are to be reported; `select` chooses among rules only."""
        chosen = not self.select or not category or any(matches(s, code, category) for s in self.select)
        return chosen and not any(matches(s, code, category) for s in self.ignore)

    def severity_of(self, code: str, category: str) -> Severity | None:
        """Return the severity set for `code`, by the longest selector that matches; None where none does."""
        found = [s for s in self.severity if matches(s, code, category)]
        return self.severity[max(found, key=lambda s: (s not in CATEGORIES, len(s)))] if found else None


NO_CONFIG = Config()


def matches(selector: str, code: str, category: str) -> bool:
    """Return whether a selector means `code`: the code, a prefix of it up to - or a dot, or its category."""
    return selector in (code, category) or (code.startswith(selector) and code[len(selector)] in "-.")


def find_config(paths: Iterable[Path], name: str = CONFIG) -> Path | None:
    """Return the kpixl.yaml beside the data: in a folder given, beside a file or folder given, or here."""
    folders: list[Path] = []
    for path in paths:
        folders += [path, path.absolute().parent] if path.is_dir() else [path.absolute().parent]
    return next(
        (folder / name for folder in [*folders, Path()] if (folder / name).exists() and not (folder / name).is_dir()),
        None,
    )


def load_config(path: Path, codes: Iterable[str] = ()) -> Config:
    """Read a kpixl.yaml. `codes`: those of the forms' own checks. Raises KpixlError with all that is wrong."""
    return loads_config(yaml_text.decode(read_input(path), path.name), path.name, codes)


def loads_config(text: str, file: str, codes: Iterable[str] = ()) -> Config:
    """Read the text of a kpixl.yaml."""
    reader = _Reader(yaml_text.marks(text, file), file, codes)
    config = reader.read(yaml_text.parse(text, file))
    if reader.problems:
        raise KpixlError(*sorted(reader.problems, key=lambda p: int(str(p.details["line"]))))
    return config


class _Reader(MappingReader):
    """Reads the parsed text of a kpixl.yaml."""

    def __init__(self, marks: yaml_text.Marks, file: str, codes: Iterable[str]) -> None:
        super().__init__(marks, file)
        self.codes = {code: entry.category for code, entry in ENTRIES.items()}
        self.codes |= {code: ENTRIES[code.partition(".")[0]].category for code in codes}

    def read(self, data: Any) -> Config:
        if data is None:
            return Config(self.file)
        if not isinstance(data, dict):
            self.wrong((), A_MAPPING, data)
            return Config(self.file)
        for key in data:
            if key not in (*FOLDER_KEYS, *KEYS):
                self.unknown((str(key),), (*FOLDER_KEYS, *KEYS))
        read_settings(self, data)
        return Config(
            self.file,
            self.selectors("select", data.get("select")),
            self.selectors("ignore", data.get("ignore")),
            self.severities(data.get("severity")),
            tuple(w for n, item in enumerate(self.list("waivers", data.get("waivers"))) if (w := self.waiver(n, item))),
            tuple(
                d for n, item in enumerate(self.list(NOTHING, data.get(NOTHING))) if (d := self.declaration(n, item))
            ),
            self.contacts(data.get(CONTACTS)),
        )

    def contacts(self, value: Any) -> dict[str, tuple[str, ...]]:
        """Read the addresses of units: one, or a list of them."""
        if value is not None and not isinstance(value, dict):
            self.wrong((CONTACTS,), ("一组键值（单位: 邮箱）", "a mapping (unit: address)"), value)
            return {}
        found = {}
        for unit, given in (value or {}).items():
            addresses = given if isinstance(given, list) else [given]
            if all(isinstance(one, str) and ADDRESS.fullmatch(one) for one in addresses):
                found[str(unit)] = tuple(addresses)
            else:
                expected = ("邮箱地址，例如 a@example.cn，多个写成 [a@example.cn, b@example.cn]",
                            "an address such as a@example.cn, or a list of them")  # fmt: skip
                self.wrong((CONTACTS, str(unit)), expected, given)
        return found

    def selectors(self, key: str, value: Any) -> tuple[str, ...]:
        items = [(str(item), (key, number)) for number, item in enumerate(self.list(key, value))]
        return tuple(item for item, path in items if self.is_code(item, key, path))

    def is_code(self, text: str, key: str, path: yaml_text.Path) -> bool:
        if any(matches(text, code, category) for code, category in self.codes.items()):
            return True
        near = difflib.get_close_matches(text, [*self.codes, *CATEGORIES], 1)
        zh = f"是否应为 {near[0]}？" if near else "代码见 kpixl rules。"
        en = f"Did you mean {near[0]}?" if near else "For all codes, type: kpixl rules"
        self.note("config-code-unknown", path, code=text, key=key, suggestion=(zh, en))
        return False

    def severities(self, value: Any) -> dict[str, Severity]:
        found = {}
        for code, word in self.mapping(("severity",), value).items():
            path = ("severity", code)
            if word not in list(Severity):
                words = ", ".join(Severity)
                self.wrong(path, (f"{words} 之一", f"one of {words}"), word)
            elif self.is_code(code, "severity", path):
                found[code] = Severity(word)
        return found

    def declaration(self, number: int, item: Any) -> Declaration | None:
        path = (NOTHING, number)
        texts = self.texts(path, item, DECLARATION_KEYS)
        if texts is None:
            return None
        if not (texts["reason"] or "").strip():
            self.note("key-missing", path, key="reason")
        if (texts["unit"] is None) == (texts["project"] is None):
            self.wrong(path, ("unit 或 project 之一", "one of unit and project"), item)
        line = self.line(path)
        return Declaration(texts["unit"], texts["project"], texts["reason"] or "", line)

    def waiver(self, number: int, item: Any) -> Waiver | None:
        path = ("waivers", number)
        texts = self.texts(path, item, WAIVER_KEYS)
        if texts is None:
            return None
        if not texts["reason"] or not texts["reason"].strip():
            self.note("waiver-no-reason", path)
        missing = [key for key in ("project", "code") if item.get(key) is None]
        for key in missing:
            self.note("key-missing", path, key=key)
        project, code = texts["project"], texts["code"]
        if project is None or code is None or not self.is_code(code, "code", (*path, "code")):
            return None
        line = self.line(path)
        return Waiver(project, code, texts["reason"] or "", texts["cell"], texts["field"], line)
