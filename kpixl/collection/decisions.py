"""decisions.yaml: what the office decided, each with its reason; an input of every run (design section 8).

kpixl-decisions: 1
decisions:
- project: "07"
  field: funding.total.amount
  value: 120000
  was: 100000
  candidates: [120000, 150000]
  reason: 与财务科电话核实
  by: 待决定
  date: 2026-11-25
- {exclude: 作废.xlsx, sha256: 9f2c..., reason: 试填}
- {supersede: 旧.xlsx, with: 新.xlsx, reason: 来电说明}

A later entry about the same value replaces an earlier one. `candidates`: what there was to choose from; where a file
has changed since, the decision is reported. What people add to the file, comments too, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from kpixl import yaml_text
from kpixl.forms.definition import Form
from kpixl.inputs import read_input
from kpixl.portfolio.merge_model import DELETE, Address, Choice, Parts
from kpixl.portfolio.three_way import columns_of
from kpixl.portfolio.wording import address_key, value_data, value_of
from kpixl.problems import KpixlError, Location, Problem

NAME = "decisions.yaml"
FORMAT = 1
BY_SHEET, BY_YAML, BY_COMMAND = "待决定", "YAML", "kpixl decide"
PROJECT = Address("")  # a project as a whole: DELETE leaves it out
_HEAD = f"# kpixl: decisions of the office, see docs/merging.md\nkpixl-decisions: {FORMAT}\ndecisions:\n"
_KEYS = frozenset({"project", "field", "row", "value", "was", "candidates", "reason", "by", "date", "remove"})
_FILE_KEYS = frozenset({"exclude", "supersede", "with", "sha256", "reason", "date"})


@dataclass(frozen=True, slots=True)
class Decision:
    """A value that the office chose. `was`: what it replaced; `candidates`: what there was to choose from, None where
    that is not recorded; `by`: where it was chosen; `date`: as ISO text."""

    project: str
    choice: Choice
    reason: str = ""
    by: str = ""
    date: str = ""
    was: Parts | None = None
    candidates: tuple[Parts, ...] | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A file that does not count, by its digest or, where that is not given, by its name."""

    file: str
    sha256: str = ""
    reason: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Supersession:
    """A file that another supersedes, both by name."""

    file: str
    newer: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the office decided so far. `text`: the file as it is; `file`: its name."""

    values: tuple[Decision, ...] = ()
    excluded: tuple[Exclusion, ...] = ()
    superseded: tuple[Supersession, ...] = ()
    text: str = ""
    file: str = NAME
    read: str = ""  # the text as it was read, before this run added to it

    def is_on(self, portfolio: Path) -> bool:
        """Return whether the file beside a portfolio is still the one that was read."""
        path = decisions_path(portfolio)
        return (path.read_bytes().decode("utf-8-sig", "replace") if path.is_file() else "") == self.read

    def by_project(self) -> dict[str, list[Decision]]:
        """Return those that count, by project: of several about one address the last."""
        last: dict[tuple[str, Address], Decision] = {}
        for decision in self.values:
            key = (decision.project, decision.choice.address)
            last.pop(key, None)
            last[key] = decision
        found: dict[str, list[Decision]] = {}
        for decision in last.values():
            found.setdefault(decision.project, []).append(decision)
        return found


NONE = Decisions()


class Pick(NamedTuple):
    """What was typed on the sheet 待决定: the choice as typed, the value that it means as it is shown, the reason.

    `field` and `row` as in this file.
    """

    project: str
    field: str
    row: str
    choice: str
    value: str
    reason: str


def decisions_path(portfolio: Path) -> Path:
    """Return where the decisions about a portfolio file are kept: beside it."""
    return portfolio.with_name(NAME)


def load_decisions(path: Path, form: Form) -> Decisions:
    """Read a file of decisions; none where it does not exist. Raises KpixlError with everything that is wrong."""
    if not path.is_file():
        return NONE
    return read_decisions(yaml_text.decode(read_input(path), path.name), form, path.name)


def read_decisions(text: str, form: Form, file: str = NAME) -> Decisions:
    """Read the text of a file of decisions. Raises KpixlError with everything that is wrong, each with its line."""
    data = yaml_text.parse(text, file)
    reader = _Reader(form, yaml_text.marks(text, file), file)
    items = data.get("decisions") if isinstance(data, dict) else None
    if not isinstance(data, dict) or data.get("kpixl-decisions") != FORMAT or not isinstance(items or [], list):
        reader.wrong((), "kpixl-decisions: 1, decisions: [...]")
        items = []
    for number, item in enumerate(items or []):
        reader.read(item, ("decisions", number))
    if reader.problems:
        raise KpixlError(*reader.problems)
    return Decisions(tuple(reader.values), tuple(reader.excluded), tuple(reader.superseded), text, file, text)


@dataclass(slots=True)
class _Reader:
    form: Form
    marks: yaml_text.Marks
    file: str
    values: list[Decision] = field(default_factory=list)
    excluded: list[Exclusion] = field(default_factory=list)
    superseded: list[Supersession] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.problems += self.marks.problems

    def wrong(self, path: yaml_text.Path, what: str) -> None:
        """Note an entry that cannot be understood, with its line."""
        details = {"line": yaml_text.line_of(self.marks.lines, path), "what": what}
        self.problems.append(Problem("decision-invalid", Location(self.file), details))

    def read(self, item: Any, path: yaml_text.Path) -> None:
        """Read one entry."""
        if not isinstance(item, dict):
            self.wrong(path, str(item)[:80])
            return
        files = "exclude" in item or "supersede" in item
        if unknown := set(map(str, item)) - (_FILE_KEYS if files else _KEYS):
            self.wrong(path, ", ".join(sorted(unknown)))
        elif files:
            self._file(item, path)
        else:
            self._value(item, path)

    def _file(self, item: Mapping[Any, Any], path: yaml_text.Path) -> None:
        texts = {str(key): str(value) for key, value in item.items() if value is not None}
        if "exclude" in texts:
            self.excluded.append(
                Exclusion(texts["exclude"], texts.get("sha256", ""), texts.get("reason", ""), texts.get("date", ""))
            )
        elif "with" in texts:
            self.superseded.append(Supersession(texts["supersede"], texts["with"], texts.get("reason", "")))
        else:
            self.wrong(path, "supersede without with")

    def _value(self, item: Mapping[Any, Any], path: yaml_text.Path) -> None:
        project = item.get("project")
        if not isinstance(project, str):
            self.wrong((*path, "project"), 'project: "07"')
            return
        address = PROJECT if item.get("remove") is True else self._address(item)
        if address is None:
            self.wrong((*path, "field"), f"field: {item.get('field')}")
            return
        value = DELETE if address == PROJECT else value_of(self.form, address, item.get("value"))
        if value is None:
            self.wrong((*path, "value"), f"value: {item.get('value')}")
            return
        listed = item.get("candidates")
        candidates = None
        if isinstance(listed, list) and address != PROJECT:
            read = [value_of(self.form, address, each) for each in listed]
            candidates = tuple(each for each in read if each is not None)
        was = value_of(self.form, address, item["was"]) if "was" in item and address != PROJECT else None
        texts = {key: str(item.get(key) or "") for key in ("reason", "by", "date")}
        self.values.append(Decision(project, Choice(address, value), **texts, was=was, candidates=candidates))

    def _address(self, item: Mapping[Any, Any]) -> Address | None:
        name, row = item.get("field"), item.get("row")
        if not isinstance(name, str) or not isinstance(row, str | None):
            return None
        return known_address(self.form, name, row)


def known_address(form: Form, name: str, row: str | None) -> Address | None:
    """Return the address of a field, or of a column of a row, as it is written in files; None where there is none."""
    if row is None:
        return Address(name) if name in form.fields else None
    rows = (Address(key, row, column) for key, t in form.tables.items() for column in ("", *columns_of(t)))
    return next((address for address in rows if address_key(address) == name), None)


# --- writing ----------------------------------------------------------------------------------


def with_more(
    form: Form, old: Decisions, values: Sequence[Decision] = (), excluded: Sequence[Exclusion] = ()
) -> Decisions:
    """Add decisions at the end of the file; what is there stays to the letter."""
    if not values and not excluded:
        return old
    text = old.text or _HEAD
    if not text.endswith("\n"):
        text += "\n"
    entries = [_value_entry(form, decision) for decision in values] + [_file_entry(one) for one in excluded]
    for indent in ("", "  "):  # people indent lists, or do not
        longer = text + "".join(_indented(entry, indent) for entry in entries)
        try:
            read = read_decisions(longer, form, old.file)
        except KpixlError:
            continue
        if len(read.values) == len(old.values) + len(values):
            return replace(read, read=old.read)
    # Written as no entry can follow, [...] on one line: everything again in our spelling.
    kept = [_value_entry(form, decision) for decision in old.values] + [_file_entry(one) for one in old.excluded]
    kept += [_entry({"supersede": s.file, "with": s.newer, "reason": s.reason}) for s in old.superseded]
    return replace(read_decisions(_HEAD + "".join([*kept, *entries]), form, old.file), read=old.read)


def _value_entry(form: Form, decision: Decision) -> str:
    address, value = decision.choice.address, decision.choice.value
    facts: dict[str, Any] = {"project": decision.project}
    if address == PROJECT:
        facts["remove"] = True
    else:
        facts["field"] = address_key(address)
        if address.row:
            facts["row"] = address.row
        facts["value"] = value_data(form, address, value)
        if decision.was is not None:
            facts["was"] = value_data(form, address, decision.was)
        if decision.candidates is not None:
            facts["candidates"] = [value_data(form, address, each) for each in decision.candidates]
    facts |= {"reason": decision.reason, "by": decision.by, "date": decision.date}
    return _entry(facts)


def _file_entry(one: Exclusion) -> str:
    return _entry({"exclude": one.file, "sha256": one.sha256, "reason": one.reason, "date": one.date})


def _entry(facts: Mapping[str, Any]) -> str:
    lines = [f"{key}: {_spelled(value)}" for key, value in facts.items() if value != ""]
    return "".join(f"{'- ' if number == 0 else '  '}{line}\n" for number, line in enumerate(lines))


def _spelled(value: Any) -> str:
    """Spell a value on one line: JSON's spelling, which YAML reads alike, with what cannot be seen escaped."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_spelled, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_spelled(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str):
        return yaml_text.quote(value)
    return yaml_text.scalar(value, "")


def _indented(entry: str, indent: str) -> str:
    return "".join(f"{indent}{line}" for line in entry.splitlines(keepends=True))


# --- files ------------------------------------------------------------------------------------


def excluded_files(decisions: Decisions, files: Iterable[tuple[str, str]]) -> tuple[frozenset[str], list[Problem]]:
    """Find among files (name, digest) those that do not count; by content where it is recorded, whatever the name."""
    by_digest = {one.sha256: one for one in decisions.excluded if one.sha256}
    by_name = {one.file: one for one in decisions.excluded}
    found: set[str] = set()
    problems = []
    for file, digest in files:
        one = by_digest.get(digest) or by_name.get(file)
        if one is None:
            continue
        if one.sha256 not in ("", digest):
            problems.append(Problem("exclusion-outdated", Location(file), {"file": file}))
            continue
        found.add(file)
        problems.append(Problem("file-excluded", Location(file), {"reason": one.reason or "-"}))
    return frozenset(found), problems
