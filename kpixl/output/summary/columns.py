"""The columns of the table of projects: which there are, in which order, and how wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kpixl.forms.definition import Form
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
_NAME_WIDTH = (16.0, 30.0)


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
        field, values = form.fields[key], [p.values[key] for p in projects]
        blank = number > 1 and bool(projects) and not field.required and all(v is None for v in values)
        kind, texts = FIELD_TYPES[field.type], [v for v in values if isinstance(v, str)]
        width, long = kind.width(values), False
        if width is None:
            long = field.lines > 1
            least, most = _NAME_WIDTH if number == 0 else (9, field.width)
            width = _LONG_WIDTH if long else text_width(texts, field.heading, least, most)
        columns.append(SummaryColumn("field", key, field.heading, width, kind, blank, long))
    for key, table in form.tables.items():
        columns.append(SummaryColumn("count", key, say(_COUNT, lang, label=table.label), 10))
    if sources is not None:
        width = text_width(list(sources.values()), say(_SOURCE, lang), 10, 36)
        columns.append(SummaryColumn("source", "", say(_SOURCE, lang), width))
    columns.append(SummaryColumn("seen", "", say(_SEEN, lang), 8))
    return columns


def _field_order(form: Form) -> list[str]:
    """List the fields: name, the amount that the summary is about, whose it is, its group, then as on the form."""
    unit = unit_field(form)
    first = [form.key_fields[0], form.summary.amount, unit.key if unit else None, form.summary.subtotals]
    return list(dict.fromkeys([*[key for key in first if key is not None], *form.fields]))


def text_width(texts: Sequence[str], heading: str, least: float, most: float) -> float:
    """Choose a width that shows the longest of `texts` on one line, between `least` and `most`.

    A heading may take two lines.
    """
    half = heading[: (len(heading) + 1) // 2] if len(heading) > 4 else heading
    return fitting_width([max(texts, key=len, default=""), half + "字"], _SIZE, least, most)
