"""Look at an older summary: is it ours, what of ours was edited, what else is in it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from kpixl.carry.model import Carried
from kpixl.carry.parts import BrokenPackage, Package, SheetPart, decorated_rows, formula_count
from kpixl.carry.read import read_foreign
from kpixl.cells import a1, quoted
from kpixl.grids import Grid, read_grids
from kpixl.summary.marks import NAME_PREFIX, SHEET, Memory, OwnSheet, changed_rows, grid_marks, read_memory, runs_of
from kpixl.summary.table import BORDER, LINK, TINT_DOUBT, TINT_HEADER, TINT_SUBTOTAL, TINT_TOTAL
from kpixl.texts import Text
from kpixl.values import text_of

_UNREADABLE: Text = ("整个文件（不是可读取的 Excel 工作簿）", "the whole file, which is no workbook that can be read")
_DELETED: Text = ("工作表已删除", "the sheet was deleted")
_FORMULAS: Text = ("公式被改动", "formulas were changed")
_COLORED: Text = ("{rows} 有手工标色", "{rows} marked with colors")
_MOST_RUNS = 6
# White and black are what re-saving programs write for no color.
_OUR_COLORS = {
    *(color[1:] for color in (BORDER, LINK, TINT_DOUBT, TINT_HEADER, TINT_SUBTOTAL, TINT_TOTAL)),
    "FFFFFF",
    "000000",
    "0000FF",
}
_OUR_CHARTS = 2


def examine(content: bytes, file: str, names: Mapping[str, str]) -> Carried:
    """Read what a new summary with the sheets `names` (by role) takes over from the old file `content`."""
    try:
        package = Package(content)
    except BrokenPackage:
        return Carried(ours=False, lost=(("", _UNREADABLE),))
    if not package.sheets:
        return Carried(ours=False, lost=(("", _UNREADABLE),))
    try:
        return _examine(package, file, names)
    except (BrokenPackage, ValueError, KeyError, IndexError, TypeError, OverflowError):
        return Carried(ours=False, lost=(("", _UNREADABLE),))


def _examine(package: Package, file: str, names: Mapping[str, str]) -> Carried:
    grids = _own_grids(package, file)
    memory = read_memory(list(grids.values()))
    current = _current_names(package, memory, grids) if memory else {}
    ours = {name: role for role, name in current.items()}
    foreign = [s for s in package.sheets if s.name not in ours and not (memory and s.name == SHEET)]
    renames = {current[role]: names[role] for role in current if role in names}
    carried = Carried()
    if foreign:
        carried = read_foreign(package, foreign, renames, [*names.values(), SHEET])
    lost = [(s.name, text) for s in foreign for text in package.lost_on_sheet(s)]
    lost += [("", text) for text in package.lost_parts()]
    edited: list[tuple[str, Text]] = []
    if memory:
        for role, own in memory.sheets.items():
            part = next((s for s in package.sheets if s.name == current.get(role)), None)
            edited += _edits(package, own, part, grids)
            if part is not None:
                charts = _OUR_CHARTS if role == "charts" else 0
                lost += [(part.name, text) for text in package.added_to_own(part, charts)]
    return Carried(
        carried.sheets,
        carried.names,
        tuple(dict.fromkeys([*lost, *carried.lost])),
        tuple(edited),
        memory is not None,
        _ids(grids.get(current.get("summary", ""))),
    )


def _ids(grid: Grid | None) -> tuple[str, ...]:
    return tuple(text_of(row[0]) if row else "" for row in grid.rows) if grid is not None and not grid.left else ()


def moved_formulas(
    old: Carried, built: bytes, file: str, names: Mapping[str, str], projects: Container[str]
) -> dict[str, list[str]]:
    """List by sheet the carried formulas that look at our sheets, where `projects` (ids) now stand in other rows."""
    ours = [name for name in names.values() if name]
    found = {
        sheet.name: [a1(c.row, c.col) for c in sheet.cells if c.formula and any(name in c.formula for name in ours)]
        for sheet in old.sheets
    }
    found = {name: cells for name, cells in found.items() if cells}
    if not found or not old.ids:
        return {}
    table = next((grid for grid in read_grids(built, file).grids if grid.name == names.get("summary")), None)
    rows, before = ([i if i in projects else "" for i in ids] for ids in (_ids(table), old.ids))
    return {} if rows == before else found


def _own_grids(package: Package, file: str) -> dict[str, Grid]:
    """Read the sheets of a workbook that has our hidden one, by name.

    Cells beyond Excel's last one abort calamine with the whole process, so a sheet with such is not shown to it.
    """
    if not any(sheet.name == SHEET for sheet in package.sheets):
        return {}
    safe = [sheet.path for sheet in package.sheets if sheet.worksheet and not package.out_of_bounds(sheet)]
    content = package.reduced(safe)
    return {grid.name: grid for grid in read_grids(content, file).grids if grid.name is not None}


def _current_names(package: Package, memory: Memory, grids: Mapping[str, Grid]) -> dict[str, str]:
    """Map each role to the name that its sheet has now.

    When a sheet is renamed, Excel lets the defined name follow that stands beside it; other programs do not,
    and then the sheet is known by its rows.
    """
    existing = [sheet.name for sheet in package.sheets if sheet.name != SHEET]
    defined = package.names()
    current: dict[str, str] = {}
    for role, own in memory.sheets.items():
        text = defined.get(NAME_PREFIX + role, "")
        name = next((n for n in existing if text.startswith((f"{quoted(n)}!", f"{n}!"))), own.name)
        if name in existing:
            current[role] = name
    for role, own in memory.sheets.items():
        if role not in current:
            rest = (n for n in existing if n not in current.values() and n in grids)
            if (name := next((n for n in rest if _alike(own, grids[n])), "")) != "":
                current[role] = name
    return current


def _alike(own: OwnSheet, grid: Grid) -> bool:
    marks = set(own.marks) - {0}
    return len(marks & set(grid_marks(grid, own.computed))) * 2 > len(marks)


def _edits(
    package: Package, own: OwnSheet, part: SheetPart | None, grids: Mapping[str, Grid]
) -> list[tuple[str, Text]]:
    """List what a person changed on one of our sheets."""
    if part is None:
        return [(own.name, _DELETED)]
    found: list[tuple[str, Text]] = []
    if part.name != own.name:
        found.append((own.name, (f"已改名为“{part.name}”", f"renamed {part.name}")))
    grid = grids.get(part.name)
    rows = changed_rows(own.marks, grid_marks(grid, own.computed) if grid else [])
    if rows:
        found.append((part.name, _rows_text(rows)))
    if package.touched:
        if formula_count(package, part) != own.formulas:
            found.append((part.name, _FORMULAS))
        if colored := decorated_rows(package, part, _OUR_COLORS):
            zh, en = _rows_text(runs_of(colored))
            found.append((part.name, (_COLORED[0].format(rows=zh), _COLORED[1].format(rows=en))))
    return found


def _rows_text(runs: Sequence[tuple[int, int]]) -> Text:
    """Name rows as a person counts them."""
    parts = [f"{a + 1}" if a == b else f"{a + 1}–{b + 1}" for a, b in runs[:_MOST_RUNS]]
    more = ("等", " and more") if len(runs) > _MOST_RUNS else ("", "")
    return (f"第 {'、'.join(parts)} 行{more[0]}", f"rows {', '.join(parts)}{more[1]}")
