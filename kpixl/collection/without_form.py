"""What is reported of sheets on which no form was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kpixl.forms.values import is_blank
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.problems import Location, Problem, Severity
from kpixl.readers import Grid
from kpixl.recognise.extract import Extractor
from kpixl.recognise.own_sheets import first_texts
from kpixl.recognise.quoted import content as quotation
from kpixl.recognise.quoted import quoted
from kpixl.recognise.submission import LabelKey, Nothing, Submission
from kpixl.texts import Text

Empty = tuple[Grid, Nothing]  # a sheet without a form, and what of a form was found on it


def beside_forms(file: str, extractor: Extractor, empty: Sequence[Empty], forms: Sequence[Submission]) -> list[Problem]:
    """Report each sheet without a form in a file that has forms on other sheets."""
    return [p for sheet in empty if _is_foreign(sheet[0]) for p in _skipped(file, extractor, *sheet, forms)]


def no_form(file: str, extractor: Extractor, empty: Sequence[Empty], *, csv: bool) -> list[Problem]:
    """Report the file on none of whose sheets a form was found: the first of what explains it.

    Other kinds of forms, a form parted over sheets, sheets of projects whose form is gone; else what is missing.
    """
    others = [
        other.problem(file, grid, extractor.form(nothing.form).title, Severity.ERROR)
        for grid, nothing in empty
        for other in nothing.others or ((nothing.weak,) if nothing.weak else ())
    ]
    if others:
        return others
    if (apart := _apart(file, extractor, empty)) is not None:
        return [apart]
    unread = [problem for sheet in empty if (problem := _unread(file, extractor, *sheet)) is not None]
    return unread or [_unrelated(file, extractor, [nothing for _, nothing in empty], csv=csv)]


def _is_foreign(grid: Grid) -> bool:
    """Return whether a sheet is neither blank nor one that every template of ours has besides the forms."""
    return not sheet_ids.is_instructions(grid.rows) and any(not is_blank(raw) for row in grid.rows for raw in row)


def _skipped(
    file: str, extractor: Extractor, grid: Grid, nothing: Nothing, forms: Sequence[Submission]
) -> Sequence[Problem]:
    """Name the kind of a sheet without a form, or what else it is."""
    if nothing.others:
        # Beside forms of ours it may be meant to be there; the sheet of a project is not.
        sheet_id = sheet_ids.in_row(grid.rows[0]) if grid.rows else None
        level, title = Severity.ERROR if sheet_id else Severity.WARNING, extractor.form(nothing.form).title
        return [other.problem(file, grid, title, level) for other in nothing.others]
    return [_remainder(file, extractor, grid, nothing, forms)]


def _remainder(file: str, extractor: Extractor, grid: Grid, nothing: Nothing, forms: Sequence[Submission]) -> Problem:
    """Report what a sheet without a form is: a part of a form on another sheet, rows of a table, or something else."""
    names, where = extractor.names(nothing.form), Location(file, grid.name)

    def problem(code: str, labels: Iterable[LabelKey], form: Submission) -> Problem:
        shown = "、".join(names[key].rstrip(":：") for key in names if key in set(labels))
        return Problem(code, where, {"labels": shown, "other": form.sheet or ("前一页", "the page before")})

    for form in forms:
        if form.form == nothing.form and len(part := form.missing & nothing.seen) > 1:
            return problem("sheet-part", part, form)
    if (unread := _unread(file, extractor, grid, nothing)) is not None:
        return unread
    headings = {key for key in nothing.seen if key[0]}
    if len(headings) > 1:
        return problem("sheet-rows", headings, forms[-1])
    if nothing.weak is not None:
        return nothing.weak.problem(file, grid, extractor.form(nothing.form).title, Severity.INFO)
    return Problem("sheet-skipped", where, {"texts": first_texts(grid)})


def _unread(file: str, extractor: Extractor, grid: Grid, nothing: Nothing) -> Problem | None:
    """Report the sheet of a project whose form is not found, with what is filled in; None where it is no project's."""
    sheet_id = sheet_ids.in_row(grid.rows[0]) if grid.rows else None
    if sheet_id is None:
        return None
    names = extractor.names(nothing.form)
    missing = "、".join(name.rstrip(":：") for key, name in names.items() if key not in nothing.seen)
    typed = extractor.typed(nothing.form, grid)
    content = quotation(quoted(grid, typed))
    details = {"id": sheet_id.project, "missing": missing, "count": len(typed), "content": content}
    return Problem("sheet-unread", Location(file, grid.name), details, project=sheet_id.project)


def _apart(file: str, extractor: Extractor, empty: Sequence[Empty]) -> Problem | None:
    """Report sheets that make up a form only together."""
    best = max((nothing for _, nothing in empty), key=lambda n: len(n.seen))
    pieces = [(grid, n.seen) for grid, n in empty if n.form == best.form and len(n.seen) > 1]
    names = extractor.names(best.form)
    if len(pieces) < 2 or 4 * len(frozenset().union(*(seen for _, seen in pieces))) < 3 * len(names):
        return None
    return Problem("sheets-apart", Location(file), {"sheets": "、".join(grid.name or "-" for grid, _ in pieces)})


def _unrelated(file: str, extractor: Extractor, nothings: Sequence[Nothing], *, csv: bool) -> Problem:
    """Report that no form was found; of a .csv, that the form may be on another sheet of the workbook that it was."""
    best = max(nothings, key=lambda n: len(n.seen))
    if csv and not best.seen:
        return Problem("csv-one-sheet", Location(file), {"title": extractor.form(best.form).title})
    names = extractor.names(best.form)
    labels: Text = ("表中的标签一个也没有找到。", "Not one of its labels was found.")
    if best.seen:
        found = "、".join(name for key, name in names.items() if key in best.seen)
        missing = "、".join(name for key, name in names.items() if key not in best.seen)
        labels = (f"找到的标签：{found}；缺少：{missing}。", f"Labels found: {found}; missing: {missing}.")
    return Problem("no-form", Location(file), {"title": extractor.form(best.form).title, "labels": labels})
