"""The live status of a sheet: what is missing or wrong, counted, the first of it named and linked.

Hidden cells below the sheet id list it, one token for each place; the status cell counts them and names the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from kpixl.a1 import Span, a1, absolute, area, column_name
from kpixl.forms.definition import Form, Row, Table
from kpixl.output.template.conditions import (
    Condition,
    Refs,
    TableConditions,
    field_conditions,
    table_conditions,
    with_computed,
)
from kpixl.output.template.formulas import quoted_text
from kpixl.portfolio.model import Project
from kpixl.portfolio.own_texts import (
    AND,
    CLOSE_SIGN,
    DONE,
    FIRST,
    LISTED,
    MISSING,
    MISSING_SIGN,
    OPEN_SIGN,
    WRONG,
    WRONG_SIGN,
)
from kpixl.portfolio.sheet_id import OWN_LINK, STATUS
from kpixl.texts import say

Places = Mapping[str, Span]  # where each field is, its first cell, and each column of a table
MAX_FORMULA = 7_500  # characters of one hidden cell; Excel takes 8,192
_LAST_ROW = 1_000_000  # more than a sheet has rows for a form


@dataclass(frozen=True, slots=True)
class StatusWords:
    """The words of a status, in the workbook's language."""

    done: str
    missing: str
    wrong: str


@dataclass(frozen=True, slots=True)
class SheetStatus:
    """The status cell of a sheet, and its present text."""

    cell: str
    text: str
    words: StatusWords
    first_input: str


@dataclass(frozen=True, slots=True)
class PlacedRows:
    """A table of the sheet: its rows, where its columns stand, and what is asked of them. `sent`: how many rows the
    project has already."""

    table: Table
    first: int
    last: int
    columns: Mapping[str, int]
    asked: TableConditions
    sent: int = 0

    @property
    def filled(self) -> int:
        """Return in how many rows something is written: those of the project, or the presets."""
        return self.sent or len(self.table.presets)

    def refs(self, key: str) -> str:
        """Return the cells of a column."""
        col = self.columns[key]
        return f"{absolute(self.first, col)}:{absolute(self.last, col)}"


def refs_to(places: Places) -> Refs:
    """Return the function that names in formulas the cell of a field, or the cells of a column (`table.column`)."""

    def ref(key: str) -> str:
        span = places[key]
        return area(span) if span.last_row > span.row else absolute(*span[:2])

    return ref


def words_in(lang: str) -> StatusWords:
    """Return the words of a status."""
    return StatusWords(say(DONE, lang), say(MISSING, lang), say(WRONG, lang))


def in_row(col: int, below: int = 0) -> str:
    """Return a formula's reference to column `col` of the row that it is evaluated for, or of one `below` it.

    A plain $B13 becomes #REF! in LibreOffice and others when the first row of the rule's range is deleted; a whole
    column cannot be. SUM, because in rules Excel takes ROW() for an array, which INDIRECT does not accept.
    """
    letter, offset = column_name(col), f"{below:+}" if below else ""
    return f"INDEX(${letter}:${letter},SUM(ROW()){offset})"


def any_of(conditions: Iterable[Condition], refs: Refs) -> str:
    """Return the formula that counts which of the conditions hold.

    It begins with 0: one truth value alone would not be a number, and Excel and Gnumeric hold FALSE>0 to be true.
    """
    return "0+" + "+".join(f"({condition.formula(refs)})" for condition in conditions)


# --- the hidden list --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the hidden list: its formula, and its text for the values that a sheet is built with."""

    formula: str
    now: Callable[[Project], str]


class Asked:
    """What is asked of the fields and tables of a form. Formulas are kept: most sheets of a workbook share them."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.fields = field_conditions(form)
        self._tables: dict[tuple[str, bool], TableConditions] = {}
        self._pieces: dict[object, list[list[_Piece]]] = {}
        self._tints: dict[object, dict[str, str]] = {}

    def of_table(self, table: Table, *, presets: bool) -> TableConditions:
        """Return what is asked of a table, on which preset rows were written or not."""
        key = (table.key, presets)
        if key not in self._tables:
            self._tables[key] = table_conditions(self.form, table, presets=presets)
        return self._tables[key]

    def tints(self, places: Places) -> Mapping[str, str]:
        """Return for each field the formula by which its cell turns red."""
        key = tuple(places.items())
        if key not in self._tints:
            asked = {field: conditions for field, conditions in self.fields.items() if conditions}
            self._tints[key] = {
                field: f"=({any_of(conditions, refs_to(places))})>0" for field, conditions in asked.items()
            }
        return self._tints[key]

    def row_tints(self, placed: PlacedRows) -> Mapping[str, str]:
        """Return for each column of a table the formula by which a cell turns red, in the row it is evaluated for."""
        key = (placed.table.key, id(placed.asked), *placed.columns.items())
        if key not in self._tints:
            begun = placed.asked.begun.formula(lambda k: in_row(placed.columns[k]))
            self._tints[key] = {
                column: f"={begun}*({any_of(conditions, lambda k: in_row(placed.columns[k]))})>0"
                for column, conditions in placed.asked.columns.items()
                if conditions
            }
        return self._tints[key]

    def listed(self, project: Project, places: Places, tables: Sequence[PlacedRows]) -> list[tuple[str, str]]:
        """Return the formulas of the hidden list and what they give now: the fields, then the tables by column."""
        key = (tuple(places.items()), tuple((t.first, t.last, id(t.asked)) for t in tables))
        if key not in self._pieces:
            pieces = [piece for field in self.fields for piece in self._field_pieces(field, places)]
            self._pieces[key] = _packed([*pieces, *(p for placed in tables for p in _table_pieces(placed))])
        return [
            (f'="{LISTED}"&' + "&".join(p.formula for p in cell), LISTED + "".join(p.now(project) for p in cell))
            for cell in self._pieces[key]
        ]

    def _field_pieces(self, key: str, places: Places) -> Iterator[_Piece]:
        if not self.fields[key]:
            return
        row, col = places[key][:2]
        label = f" {self.form.fields[key].heading}{CLOSE_SIGN}"
        for sign, asked in _by_sign(self.fields[key]):
            token = f'"{sign}{OPEN_SIGN}{column_name(col)}"&ROW({a1(row, col)})&{quoted_text(label)}'
            formula = f'IF(({any_of(asked, refs_to(places))})>0,{token},"")'
            yield _Piece(formula, partial(_field_now, self.form, asked, f"{sign}{OPEN_SIGN}{a1(row, col)}{label}"))


def _field_now(form: Form, asked: Sequence[Condition], token: str, project: Project) -> str:
    values = with_computed(form, project)
    return token if any(c.holds(values) for c in asked) else ""


def _by_sign(conditions: Sequence[Condition]) -> Iterator[tuple[str, list[Condition]]]:
    """Part conditions into what is missing and what is wrong."""
    for sign, missing in ((MISSING_SIGN, True), (WRONG_SIGN, False)):
        if asked := [c for c in conditions if c.missing is missing]:
            yield sign, asked


def _named_column(placed: PlacedRows) -> str:
    """Return the column to point at where a table has no row: the first required one that nothing is set in."""
    columns = placed.table.columns
    required = [key for key, field in columns.items() if field.required]
    return next((key for key in required if not columns[key].fill), required[0])


def _table_pieces(placed: PlacedRows) -> Iterator[_Piece]:
    columns = placed.table.columns
    begun = placed.asked.begun.formula(placed.refs)
    if placed.table.required and any(field.required for field in columns.values()):
        key = _named_column(placed)
        letter, label = column_name(placed.columns[key]), f" {columns[key].label}{CLOSE_SIGN}"
        place = f'"{MISSING_SIGN}{OPEN_SIGN}{letter}"&SUMPRODUCT(MIN(ROW({placed.refs(key)})))&{quoted_text(label)}'
        token = f"{MISSING_SIGN}{OPEN_SIGN}{letter}{placed.first + 1}{label}"
        yield _Piece(f'IF(SUMPRODUCT({begun})=0,{place},"")', partial(_empty_now, placed, token))
    for key, conditions in placed.asked.columns.items():
        letter, label = column_name(placed.columns[key]), f" {columns[key].label}{CLOSE_SIGN}"
        for sign, asked in _by_sign(conditions):
            hits = f"{begun}*(({any_of(asked, placed.refs)})>0)"
            top = f"SUMPRODUCT(MAX({hits}*({_LAST_ROW}-ROW({placed.refs(key)}))))"
            place = f'IFERROR("{OPEN_SIGN}{letter}"&({_LAST_ROW}-ROUND(1/(1/{top}),0))&{quoted_text(label)},"")'
            formula = f'REPT("{sign}",SUMPRODUCT({hits}))&{place}'
            yield _Piece(formula, partial(_column_now, placed, asked, sign, f"{OPEN_SIGN}{letter}{{row}}{label}"))


def _begun(placed: PlacedRows, project: Project) -> Iterator[tuple[int, Row]]:
    """Yield the rows that somebody went on with, and where they stand, as people count."""
    for number, row in enumerate(project.tables[placed.table.key], placed.first + 1):
        if placed.asked.begun.holds(row):
            yield number, row


def _empty_now(placed: PlacedRows, token: str, project: Project) -> str:
    return "" if any(True for _ in _begun(placed, project)) else token


def _column_now(placed: PlacedRows, asked: Sequence[Condition], sign: str, place: str, project: Project) -> str:
    rows = [number for number, row in _begun(placed, project) if any(c.holds(row) for c in asked)]
    return sign * len(rows) + place.replace("{row}", str(rows[0])) if rows else ""


def _packed(pieces: Iterable[_Piece]) -> list[list[_Piece]]:
    """Put pieces into as few cells as Excel takes."""
    cells: list[list[_Piece]] = []
    length = MAX_FORMULA
    for piece in pieces:
        length += len(piece.formula)
        if length >= MAX_FORMULA:
            cells.append([])
            length = len(piece.formula)
        cells[-1].append(piece)
    return cells


# --- the status cell --------------------------------------------------------------------------


def status_text(listed: str, lang: str) -> str:
    """Return how far a sheet is, from the text of its hidden list."""
    words = words_in(lang)
    if OPEN_SIGN not in listed:
        return words.done
    counts = ((words.missing, listed.count(MISSING_SIGN)), (words.wrong, listed.count(WRONG_SIGN)))
    said = say(AND, lang).join(f"{word} {count}" for word, count in counts if count)
    return said + say(FIRST, lang, place=listed.partition(OPEN_SIGN)[2].partition(CLOSE_SIGN)[0])


def status_formula(cell: str, first_input: str, lang: str) -> str:
    """Return the formula of the status over the list in `cell`."""
    words = words_in(lang)
    missing, wrong = (f'(LEN({cell})-LEN(SUBSTITUTE({cell},"{sign}","")))' for sign in (MISSING_SIGN, WRONG_SIGN))
    opened = f'FIND("{OPEN_SIGN}",{cell})'
    place = f'MID({cell},{opened}+1,FIND("{CLOSE_SIGN}",{cell})-{opened}-1)'
    before, after = say(FIRST, lang, place="\0").split("\0")
    joined = f'IF({missing}*{wrong}>0,"{say(AND, lang)}","")'
    said = f'IF({missing}>0,"{words.missing} "&{missing},"")&{joined}&IF({wrong}>0,"{words.wrong} "&{wrong},"")'
    first = f'"{before}"&{place}&"{after}"'
    text = f'IF({missing}+{wrong}=0,"{words.done}",{said}&{first})'
    link = f'IFERROR(LEFT({place},FIND(" ",{place})-1),"{first_input}")'
    return f'{OWN_LINK}{link},"{STATUS}"&{text}),"{STATUS}{words.wrong}")'
