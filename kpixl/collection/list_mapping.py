"""How a project list is read, for people and machines: each heading, its field, its unit, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kpixl.collection.list_header import cell_at
from kpixl.collection.project_list import Listing, advice
from kpixl.collection.roster import ReadList
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import is_blank, text_of
from kpixl.texts import Text, say

HOW: dict[str, Text] = {
    "exact": ("与表式相同", "as in the form"),
    "folded": ("空格、全半角或单位不同", "other blanks, widths or unit"),
    "synonym": ("表式中的同义写法", "a synonym of the form"),
    "near": ("写法相近", "nearly the same"),
    "order": ("按位置判断", "by its place"),
    "unknown": ("未读取：不认识", "left out: not understood"),
    "twice": ("未读取：重复的列", "left out: a second column of the field"),
    "other-year": ("未读取：其他年度", "left out: another year"),
    "year-unclear": ("未读取：年度不明", "left out: the year is not known"),
}
LEFT_OUT = ("list-total-skipped", "stray-text", "sheet-skipped", "list-row-gone")  # codes of what is no project
VALUES = 3  # first values shown of a column
MAX_VALUE = 20  # characters of each


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A heading of a list. `key`, `label`: its field, "" where it was left out; `unit`: of its amounts."""

    sheet: str
    cell: str
    heading: str
    key: str
    label: str
    how: str
    unit: str
    values: tuple[str, ...]
    advice: Text


def mapped_columns(read: ReadList) -> Iterator[MappedColumn]:
    """Yield every heading of the lists that were read, from left to right."""
    for listing, lines in zip(read.listings, read.lines, strict=True):
        rows = [line.row for line in lines] or list(range(listing.first, len(listing.grid.rows)))
        for heading in listing.headings:
            field, place = heading.field, listing.heading_place(heading)
            money = FIELD_TYPES[field.type].is_amount if field else heading.unit is not None
            unit = listing.unit(heading) if money else None
            yield MappedColumn(
                sheet=place.sheet or "",
                cell=place.address or "",
                heading=heading.text,
                key=field.key if field else "",
                label=field.heading if field else "",
                how=heading.how,
                unit=unit.name if unit else "",
                values=_first_values(listing, rows, heading.col),
                advice=("", "") if field else advice(heading),
            )


def _first_values(listing: Listing, rows: Sequence[int], col: int) -> tuple[str, ...]:
    """Return the first values of a column as they were typed."""
    typed = (cell_at(listing.grid, row, col) for row in rows)
    texts = [" ".join(text_of(raw).split())[:MAX_VALUE] for raw in typed if not is_blank(raw)]
    return tuple(texts[:VALUES])


def mapping_data(read: ReadList, lang: str) -> dict[str, Any]:
    """Return the mapping as data for machines."""
    left_out = [p for p in read.problems if p.code in LEFT_OUT]
    return {
        "refused": read.roster is None,
        "projects": len(read.roster.projects) if read.roster else 0,
        "year": read.roster.year if read.roster else None,
        "organization": read.roster.organization if read.roster else None,
        "columns": [{**asdict(c), "advice": say(c.advice, lang).strip()} for c in mapped_columns(read)],
        "left_out": [{"place": str(p.location), "text": p.message(lang)} for p in left_out],
    }
