"""The columns of the table of projects: which there are, in which order, and how wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kpixl.forms.definition import Field, Form, Value
from kpixl.forms.names import unit_field
from kpixl.forms.types import FIELD_TYPES, TEXT, FieldType
from kpixl.portfolio.model import Portfolio
from kpixl.text_fit import fitting_width
from kpixl.texts import Text, say

_SOURCE: Text = ("来源", "Source")
_SEEN: Text = ("筛选后可见", "Shown by the filter")
_COUNT: Text = ("{label}数", "{label}: number")

_SIZE = 10.0
_LONG_WIDTH = 70.0  # a goal of 518 characters takes 13 lines, a third of a laptop's screen
_LEAST_LONG_WIDTH = 45.0  # twenty lines, which is as high as a row of a printed table should be
_NAME_WIDTH = (16.0, 30.0)
_TEXTS = ("field", "source")
_SHORT = 12.0  # what is no wider than this gains nothing by being narrower
_LEAST_SHARE = 0.6  # of the width of a short text: a name that took one line takes two
# Column units across a landscape A4 at 70 %, at which ten points are seven.
_A4_WIDTH = 210.0
_MOST_PAGES = 2  # side by side


@dataclass(frozen=True, slots=True)
class SummaryColumn:
    """A column of the sheet. `kind`: id, field, count, source, seen; `type`: that of its field, else text."""

    kind: str
    key: str
    heading: str
    width: float
    type: FieldType = TEXT
    blank: bool = False
    long: bool = False


def list_columns(form: Form, portfolio: Portfolio, lang: str, sources: Mapping[str, str] | None) -> list[SummaryColumn]:
    """List the columns of the table, in their order."""
    projects = portfolio.projects
    ids = [p.id for p in projects]
    columns = [SummaryColumn("id", "", form.id_field.heading, text_width(ids, form.id_field.heading, 6, 16))]
    for number, key in enumerate(_field_order(form)):
        columns.append(_field_column(number, form.fields[key], [p.values[key] for p in projects]))
    for key, table in form.tables.items():
        columns.append(SummaryColumn("count", key, say(_COUNT, lang, label=table.label), 10))
    if sources is not None:
        width = text_width(list(sources.values()), say(_SOURCE, lang), 10, 36)
        columns.append(SummaryColumn("source", "", say(_SOURCE, lang), width))
    columns.append(SummaryColumn("seen", "", say(_SEEN, lang), 8))
    return _fit_pages(columns, frozen_columns(form))


def _field_column(number: int, field: Field, values: Sequence[Value]) -> SummaryColumn:
    """Make the column of a field, the `number`th of them from 0; the first two are shown even where all is blank."""
    heading, kind = _heading_lines(field), FIELD_TYPES[field.type]
    blank = number > 1 and bool(values) and not field.required and all(v is None for v in values)
    width, long = kind.width(values), False
    if width is None:
        long = field.lines > 1
        least, most = _NAME_WIDTH if number == 0 else (9, field.width)
        texts = [v for v in values if isinstance(v, str)]
        width = _LONG_WIDTH if long else text_width(texts, heading, least, most)
    return SummaryColumn("field", field.key, heading, width, kind, blank, long)


def frozen_columns(form: Form) -> int:
    """Count the columns that stay in view, and are on each page: id, name, and the amount if the form has one."""
    return 3 if form.summary.amount is not None else 2


def pages_across(columns: Sequence[SummaryColumn], frozen: int) -> tuple[int, bool]:
    """Count the pages side by side that the columns take, and whether A4 is wide enough for them."""
    if _printed_width(columns) <= _A4_WIDTH:
        return 1, True
    return _MOST_PAGES, _surplus(columns, frozen) <= 0


def _fit_pages(columns: list[SummaryColumn], frozen: int) -> list[SummaryColumn]:
    """Make columns of texts narrower where that brings the table onto two pages of A4: long texts, then the others."""
    shown = [column for column in columns if not column.blank]
    long = [column for column in shown if column.long]
    short = [column for column in shown[frozen:] if _may_be_narrower(column)]
    for texts, least in ((long, _LEAST_LONG_WIDTH / _LONG_WIDTH), (short, _LEAST_SHARE)):
        columns = _narrowed(columns, texts, _surplus(columns, frozen), least)
    return columns


def _narrowed(
    columns: list[SummaryColumn], texts: Sequence[SummaryColumn], surplus: float, least: float
) -> list[SummaryColumn]:
    """Take the surplus from the widths of some of the columns, of which each keeps at least the share `least`."""
    width = sum(column.width for column in texts)
    if not width or surplus <= 0:
        return columns
    share = max(least, 1 - surplus / width)
    return [replace(c, width=c.width * share) if c in texts else c for c in columns]


def _may_be_narrower(column: SummaryColumn) -> bool:
    return column.kind in _TEXTS and column.type is TEXT and not column.long and column.width > _SHORT


def _surplus(columns: Sequence[SummaryColumn], frozen: int) -> float:
    """Return how much wider the columns are than the pages of A4, with the frozen ones on each."""
    repeated = sum(column.width for column in columns[:frozen]) * (_MOST_PAGES - 1)
    return _printed_width(columns) + repeated - _MOST_PAGES * _A4_WIDTH


def _printed_width(columns: Sequence[SummaryColumn]) -> float:
    return sum(column.width for column in columns if not column.blank and column.kind != "seen")


def _heading_lines(field: Field) -> str:
    """Break the heading of a cell of a grid between its row and its column: programs break it anywhere."""
    return field.heading if field.heading.isascii() else field.heading.replace(" ", "\n")


def _field_order(form: Form) -> list[str]:
    """List the fields: name, the amount that the summary is about, whose it is, its group, then as on the form."""
    unit = unit_field(form)
    first = [form.key_fields[0], form.summary.amount, unit.key if unit else None, form.summary.subtotals]
    return list(dict.fromkeys([*[key for key in first if key is not None], *form.fields]))


def text_width(texts: Sequence[str], heading: str, least: float, most: float) -> float:
    """Choose a width that shows the longest of `texts` on one line, between `least` and `most`.

    A heading may take two lines.
    """
    line = max(heading.split("\n"), key=len)
    half = line[: (len(line) + 1) // 2] if len(line) > 4 and line == heading else line
    return fitting_width([max(texts, key=len, default=""), half + "字"], _SIZE, least, most)
