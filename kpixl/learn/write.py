"""Writes a proposal as form.yaml, each guess explained in a comment with the cell it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kpixl.forms.dated import without_year
from kpixl.learn.proposal import PlacedCell, PlacedRow, Proposal, ProposedField, ProposedList, ProposedTable, Remark
from kpixl.texts import Text, say
from kpixl.yaml_text import BLOCK_FROM, quote, scalar

HEAD: Text = (
    "由 kpixl forms learn 从 {file} 的工作表“{sheet}”推断。每项上方写明依据的单元格；标有“待核对”的请逐项确认。",
    "Proposed by kpixl forms learn from the sheet {sheet} of {file}. Above each part is the cell it came from; look at "
    "all that is marked CHECK.",
)
NEXT: Text = (
    "核对后运行 kpixl forms test {folder}；各键的含义见 docs/forms.md。",
    "Then run kpixl forms test {folder}. docs/forms.md explains every key.",
)
CHECK: Text = ("待核对：", "CHECK: ")
FIELD: Text = ("{cell} “{label}” → {value}；类型依据：{reason}", "{cell} {label} -> {value}; type by {reason}")
COLUMN: Text = ("{cell} “{label}”；类型依据：{reason}", "{cell} {label}; type by {reason}")
TABLE: Text = ("{cell} 一行为表头", "its headings are in {cell}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]+")
MAX_COMMENT = 300


def definition_text(proposal: Proposal, lang: str) -> str:
    """Write the definition."""
    return "\n".join(_Writer(proposal, lang).lines()) + "\n"


def _flow(value: Any) -> str:
    """Write a value within one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        value = _CONTROL.sub(lambda found: "\n" if "\n" in found[0] else " ", value)
        return quote(value) if "\n" in value or len(value) >= BLOCK_FROM else scalar(value, "")
    return f"{value:g}"


class _Writer:
    def __init__(self, proposal: Proposal, lang: str) -> None:
        self.proposal, self.lang = proposal, lang

    def lines(self) -> Iterator[str]:
        p = self.proposal
        yield self._comment(say(HEAD, self.lang, file=p.file, sheet=p.sheet))
        yield self._comment(say(NEXT, self.lang, folder=p.form_id))
        yield from self._remarks(p.remarks)
        yield "kpixl-form: 1"
        yield f"id: {_flow(p.form_id)}"
        yield 'version: "1"'
        yield f"title: {_flow(p.title)}"
        if p.subtitle:
            yield f"subtitle: {_flow(p.subtitle)}"
        yield f"description: {_flow({'zh': without_year(p.title)})}"
        yield f"money: {p.money}"
        yield ""
        yield f"id-field: {_flow({'label': p.id_label, 'synonyms': p.id_synonyms})}"
        if p.organization:
            yield f"organization-field: {p.organization}"
        yield f"key-fields: {_flow(p.key_fields)}"
        yield ""
        yield "fields:"
        for one in p.fields:
            yield from self._field(one, "  ", FIELD)
        if p.tables:
            yield "\ntables:"
            for table in p.tables:
                yield from self._table(table)
        yield "\nlayout:"
        yield f"  widths: {_flow(p.widths)}"
        if p.entry_widths:
            widths = [one[0] if len(one) == 1 else one for one in p.entry_widths]
            yield f"  entry-widths: {_flow(widths)}"
        yield "  rows:"
        for row in p.rows:
            yield from self._row(row)
        yield from self._flat()
        yield from self._lists()
        yield from self._rest()

    # --- parts --------------------------------------------------------------------------------

    def _comment(self, text: str, indent: str = "") -> str:
        return f"{indent}# {' '.join(_CONTROL.sub(' ', text).split())[:MAX_COMMENT]}"

    def _remarks(self, remarks: Iterable[Remark], indent: str = "") -> Iterator[str]:
        for one in dict.fromkeys(remarks):
            mark = say(CHECK, self.lang) if one.unsure else ""
            yield self._comment(mark + say(one.text, self.lang), indent)

    def _field(self, one: ProposedField, indent: str, text: Text) -> Iterator[str]:
        reason = say(one.guess.reason, self.lang)
        details = {"cell": one.cell, "label": one.label, "value": one.value_cell, "reason": reason}
        yield self._comment(say(text, self.lang, **details), indent)
        yield from self._remarks(one.remarks, indent)
        yield f"{indent}{one.key}: {_flow(self._facts(one))}"

    def _facts(self, one: ProposedField) -> dict[str, Any]:
        facts: dict[str, Any] = {"label": one.label}
        facts |= {"heading": one.heading} if one.heading else {}
        facts["type"] = one.type
        facts |= {"choices": one.choices} if one.choices else {}
        facts |= {"required": True} if one.required else {}
        facts |= {"fill": True} if one.fill else {}
        facts |= {"lines": one.lines} if one.lines > 1 else {}
        facts |= {"sum": one.sum} if one.sum else {}
        facts["width"] = one.width
        return facts | ({"help": one.help} if one.help else {})

    def _table(self, table: ProposedTable) -> Iterator[str]:
        yield self._comment(say(TABLE, self.lang, cell=table.cell), "  ")
        yield from self._remarks(table.remarks, "  ")
        yield f"  {table.key}:"
        yield f"    label: {_flow(table.label)}"
        yield f"    rows: {table.rows}"
        yield "    columns:"
        for column in table.columns:
            yield from self._field(column, "      ", COLUMN)
        if table.target:
            parts = {"label": table.target, "operator": "operator", "value": "value", "unit": "unit"}
            yield f"    targets:\n      target: {_flow(parts)}"
        if table.presets:
            yield "    presets:"
            yield from (f"    - {_flow(preset)}" for preset in table.presets)

    def _row(self, row: PlacedRow) -> Iterator[str]:
        height = f"height: {row.height:g}, " if row.height else ""
        if not row.table:
            cells = "[" + ", ".join(map(_cell, row.cells)) + "]"
            yield f"  - {{{height}cells: {cells}}}"
            return
        names = [row.table, *([row.beside.table] if row.beside else [])]
        yield f"  - tables: {_flow(names)}" if row.beside else f"  - table: {row.table}"
        if row.height:
            yield f"    height: {row.height:g}"
        if row.caption:
            yield f"    caption: {_flow(row.caption)}"
        own = {"table": row.table} if row.beside else {}
        shared = row.beside.shared if row.beside else ()
        entry = [{**own, kind: key} for kind, key in row.entry]
        printed = [_heading(kind, key, span, {} if key in shared else own) for kind, key, span in row.print]
        if row.beside:
            other = {"table": row.beside.table}
            keys = row.beside.entry[len(shared) :]
            entry += [{**other, kind: key} for kind, key in row.beside.entry]
            spans = (span for *_, span in row.beside.print)
            printed += [_heading(kind, key, span, other) for (kind, key), span in zip(keys, spans, strict=True)]
        yield f"    entry: {_flow(entry)}"
        yield f"    print: {_flow(printed)}"

    def _flat(self) -> Iterator[str]:
        if not self.proposal.flat:
            return
        yield "\nflat:"
        if self.proposal.unit_line:
            yield f"  unit-line: {_flow(self.proposal.unit_line)}"
        yield "  columns:"
        yield from (f"  - {_flow({kind: key, 'width': width})}" for kind, key, width in self.proposal.flat)

    def _lists(self) -> Iterator[str]:
        if self.proposal.lists:
            yield "\nchoices:"
            yield from (f"  {name}: {_flow(_list(one))}" for name, one in self.proposal.lists.items())
        if self.proposal.trees:
            yield "\ntrees:"
            for name, tree in self.proposal.trees.items():
                yield f"  {name}:"
                yield from (f"    {_flow(item)}: {_flow(below or {})}" for item, below in tree.items())

    def _checks(self) -> Iterator[str]:
        """Write which columns describe an indicator, where a table has them all."""
        for table in self.proposal.tables:
            if table.target and {"level1", "level2", "name"} <= {column.key for column in table.columns}:
                roles = {"level1": "level1", "level2": "level2", "name": "name", "target": "target"}
                yield f"\nchecks:\n  rows: {_flow({table.key: roles})}"
                rules = ("choice-unlisted", "indicator-duplicate", "operator-missing")
                yield "\n".join(["  rules:", *(f"  - {{rule: {rule}}}" for rule in rules)])
                return

    def _rest(self) -> Iterator[str]:
        yield from self._checks()
        p = self.proposal
        page = {"paper": p.paper} if p.paper else {}
        page |= {"margins": dict(p.margins)} if p.margins else {}  # type: ignore[dict-item]
        if page:
            yield f"\nprint: {_flow(page)}"
        if p.fonts:
            yield f"fonts: {_flow(p.fonts)}"
        if p.instructions:
            yield "\ninstructions:\n  zh:"
            yield from (f"  - {_flow(' '.join(text.split()))}" for text in p.instructions)


def _heading(kind: str, key: str, columns: int, table: Mapping[str, str]) -> dict[str, Any]:
    return {**table, kind: key, **({"columns": columns} if columns > 1 else {})}


def _cell(cell: PlacedCell) -> str:
    plain = cell.kind in ("title", "subtitle", "blank")
    facts: dict[str, Any] = {cell.kind: True if plain else cell.content}
    facts |= {"rows": cell.rows} if cell.rows > 1 else {}
    facts |= {"columns": cell.columns} if cell.columns > 1 else {}
    return _flow(facts | ({"vertical": True} if cell.vertical else {}))


def _list(one: ProposedList) -> dict[str, Any]:
    facts: dict[str, Any] = {"open": not one.closed}
    if one.tree:
        facts |= {"tree": one.tree} | ({"parent": one.parent} if one.parent else {})
    else:
        facts["items"] = one.items
    return facts | ({"qualitative": one.qualitative} if one.qualitative else {})
