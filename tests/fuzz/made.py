"""Inputs that Hypothesis makes: XML trees of the words that each kind of file knows, and YAML of our keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import yaml
from hypothesis import strategies as st

from tests.fuzz.mutate import VALUES
from tests.fuzz.seeds import FORMS, SPREADSHEET, Seed
from tests.packages import document, workbook

_LABELS = [
    label
    for form in FORMS
    for label in (form.title, *(f.label for f in form.fields.values()), *(t.label for t in form.tables.values()))
]
_SHORT = [value for value in VALUES if len(value) < 200]
texts = st.one_of(
    st.sampled_from(_LABELS),
    st.sampled_from(_SHORT),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)
Tree = tuple[str, dict[str, str], list["Tree | str"]]


def _spelled(tree: Tree | str) -> str:
    if isinstance(tree, str):
        return escape(tree)
    tag, attributes, children = tree
    spelled = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{spelled}>{''.join(map(_spelled, children))}</{tag}>"


def trees(tags: Sequence[str], attributes: Sequence[str]) -> st.SearchStrategy[str]:
    """Draw XML of some elements and attributes, in any order and nesting."""
    values = st.one_of(st.sampled_from(_SHORT), st.sampled_from(["A1", "B2", "A1:B2", "1", "2", "3", "s", "n"]))
    given = st.dictionaries(st.sampled_from(attributes), values, max_size=3)
    tag = st.sampled_from(tags)
    leaf: st.SearchStrategy[Tree | str] = st.one_of(texts, st.tuples(tag, given, st.lists(texts, max_size=1)))
    tree = st.recursive(leaf, lambda inner: st.tuples(tag, given, st.lists(inner, max_size=6)), max_leaves=30)
    return st.lists(tree, max_size=6).map(lambda found: "".join(map(_spelled, found)))


@st.composite
def sheets(draw: st.DrawFn) -> str:
    """Draw the XML of a sheet: mostly in the right order, with any values."""
    rows = draw(st.lists(st.lists(st.tuples(st.sampled_from(["s", "str", "inlineStr", "n", "b", "e", "d"]), texts))))
    out = []
    for r, row in enumerate(rows, 1):
        cells = "".join(
            f'<c r="{chr(65 + c % 26)}{r}" t="{kind}"><v>{escape(text)}</v><is><t>{escape(text)}</t></is></c>'
            for c, (kind, text) in enumerate(row)
        )
        out.append(f'<row r="{r}">{cells}</row>')
    return f"<sheetData>{''.join(out)}</sheetData>{draw(_SHEET)}"


_SHEET = trees(
    ["sheetData", "row", "c", "v", "is", "t", "f", "r", "mergeCells", "mergeCell", "dimension", "cols", "extLst"],
    ["r", "t", "s", "ref", "count", "spans", "si"],
)
_WORD = trees(
    ["w:p", "w:r", "w:t", "w:tbl", "w:tr", "w:tc", "w:tcPr", "w:trPr", "w:gridSpan", "w:vMerge", "w:br", "w:sdt",
     "w:sdtContent", "w:gridBefore", "w:txbxContent", "w:sym", "w:del", "w:ins", "w:pPr", "w:sectPr"],
    ["w:val", "w:type", "w:char"],
)  # fmt: skip
_PAGE = trees(
    ["table", "tr", "td", "th", "tbody", "caption", "br", "p", "div", "script", "style", "a", "em", "pre", "head"],
    ["rowspan", "colspan", "name", "x:num", "sdval", "class"],
)
_OLD = trees(
    ["Worksheet", "Table", "Row", "Cell", "Data", "x:Visible", "ss:Data", "Styles", "Comment"],
    ["ss:Index", "ss:MergeAcross", "ss:MergeDown", "ss:Type", "ss:Name", "ss:Span"],
)


def _book(found: tuple[str, str, list[str]]) -> Seed:
    return Seed("made.xlsx", workbook(found[:2], [escape(text) for text in found[2]]))


def _old(inner: str) -> Seed:
    names = f'xmlns="{SPREADSHEET}" xmlns:ss="{SPREADSHEET}" xmlns:x="urn:schemas-microsoft-com:office:excel"'
    return Seed("made.xls", f'<?xml version="1.0"?><Workbook {names}>{inner}</Workbook>'.encode())


files: st.SearchStrategy[Seed] = st.one_of(
    st.tuples(sheets(), _SHEET, st.lists(texts, max_size=5)).map(_book),
    _WORD.map(lambda inner: Seed("made.docx", document(inner))),
    _PAGE.map(lambda inner: Seed("made.html", f"<html><body>{inner}</body></html>".encode())),
    _OLD.map(_old),
    st.lists(st.lists(texts, max_size=6).map("\t".join)).map(lambda lines: Seed("made.txt", "\n".join(lines).encode())),
    st.binary(max_size=300).map(lambda content: Seed("made.bin", content)),
)

# --- YAML ---------------------------------------------------------------------------------------

_KEYS = sorted(
    {"kpixl", "form", "year", "organization", "projects", "id"}
    | {part for form in FORMS for key in (*form.fields, *form.tables) for part in key.split(".")}
    | {column for form in FORMS for table in form.tables.values() for column in table.columns}
)
_scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), texts, st.binary(max_size=4))
_data = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(_KEYS), _scalars), inner, max_size=6)
    ),
    max_leaves=25,
)


@st.composite
def _portfolio_like(draw: st.DrawFn) -> object:
    form = draw(st.sampled_from(FORMS))
    project = {key.split(".")[0]: draw(_data) for key in draw(st.sets(st.sampled_from([*form.fields, *form.tables])))}
    rows = {key: draw(st.lists(st.dictionaries(st.sampled_from([*form.tables[key].columns]), _scalars))) for key in
            draw(st.sets(st.sampled_from([*form.tables])))}  # fmt: skip
    head = {"kpixl": draw(st.sampled_from([1, 1, 1, 2, True, "1"])), "form": form.id, "year": draw(_scalars)}
    return {**head, "projects": [{"id": draw(_scalars), **project, **rows}]}


_dump: Callable[[object], str] = lambda data: yaml.safe_dump(data, allow_unicode=True)  # noqa: E731
yamls: st.SearchStrategy[str] = st.one_of(
    _data.map(_dump), _portfolio_like().map(_dump), st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
)
