"""The columns of a table that are not the form's: 权重, 备注, 指标解释, or a heading that comes once more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kpixl.a1 import Span
from kpixl.forms.values import Raw, fold, is_blank
from kpixl.recognise.labels import LabelIndex, Rows, Slot


def other_columns(
    index: LabelIndex, rows: Rows, row: int, own: Collection[int], edge: int, merges: Sequence[Span]
) -> dict[int, int]:
    """Map each heading in a row that is none of the form's to its last column; `own`: where the form's are.

    What is under such a heading is no part of the value to its left. The caption beside a table is no heading.
    """
    hidden = _hidden(row, merges)
    filled = [c for c, raw in enumerate(rows[row][: edge + 1]) if not is_blank(raw) and c not in hidden]
    if not filled:  # the headings are in the row above, and a merge may hide all of this one
        return {}
    ends = [*filled[1:], edge + 1]
    first = min(own)
    return {
        col: end - 1
        for col, end in zip(filled, ends, strict=True)
        if col not in own and not (col < first and _is_caption(index, rows[row][col]))
    }


def _hidden(row: int, merges: Sequence[Span]) -> set[int]:
    """Return the columns of a row that a merge hides."""
    return {
        col
        for span in merges
        if span.row <= row <= span.last_row
        for col in range(span.col, span.last_col + 1)
        if (row, col) != (span.row, span.col)
    }


def _is_caption(index: LabelIndex, raw: Raw) -> bool:
    return isinstance(raw, str) and any(index.is_caption_part(raw, placed) for placed in index.placed.values())


def without_repeated(index: LabelIndex, rows: Rows, row: int, table: str, keys: Mapping[int, str]) -> dict[int, str]:
    """Keep of several headings that mean the same column the one that the form names first.

    指标名称 comes before 指标内容, and 年度指标值 before 指标值, in the form's list of what a heading may be called.
    """
    best: dict[str, tuple[int, int]] = {}
    for col in sorted(keys):
        rank = _rank(index, table, keys[col], rows[row][col])
        if keys[col] not in best or rank < best[keys[col]][0]:
            best[keys[col]] = (rank, col)
    kept = {col for _, col in best.values()}
    return {col: key for col, key in keys.items() if col in kept}


def _rank(index: LabelIndex, table: str, key: str, raw: Raw) -> int:
    """Return how far down the list of a heading's spellings a text is; at the end what is only nearly one."""
    definition = index.definition(Slot("column", key, table))
    spellings = [fold(text) for text in (definition.label, *definition.synonyms)]
    text = fold(raw) if isinstance(raw, str) else ""
    return spellings.index(text) if text in spellings else len(spellings)
