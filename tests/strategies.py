"""Hypothesis strategies: portfolios of any form, with everything that people and programs put into cells.

What is drawn is raw (as typed); `canonical_project` tidies it as the loader would, because only that is a portfolio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from kpixl.forms.dated import has_year, with_year
from kpixl.forms.definition import Field, Form, Row, Value
from kpixl.forms.load import load_form
from kpixl.forms.values import MAX_CELL_TEXT, Raw, is_blank, utf16_length
from kpixl.portfolio.canonical import complete, read_value, tidy_row
from kpixl.portfolio.model import Portfolio, Project

FORM_IDS = (
    "shanghai-target",
    "mini-form",
    "types-form",
    "shanghai-self-evaluation",
    "central-self-evaluation",
    "central-target",
    "central-monitoring",
    "dated-form",
    "sichuan-target",
)


def form_of(form_id: str) -> Form:
    """Load a form of the project or of the tests."""
    return load_form(form_id, [Path(__file__).parent / "cases" / "forms"])


MARKER_LIKE = '{"kpixl":1,"form":"shanghai-target","version":"1","portfolio":"x","project":"66","order":3}'

# Each one has once been lost, changed or taken for something else by some program.
HOSTILE_TEXTS = (
    "=1+1", "=100%", "=100.00(%)", "+86 21", "-", "-5人", "@SUM(A1)", "'quoted", "''", '"', "\\", "\\n", "%", "#",
    "&a", "*a",
    "\ttab", "a\tb", "a\nb", "a\r\nb", "a\rb", "\nfirst", "last\n", "last\n\n", "\r", " padded ", "\u00a0nbsp\u00a0",
    "\u3000全角空格\u3000", "\u200b", "\ufeffbom", "a\u2028b\u2029c", "\x85next", "\x01control\x1f", "\x7f", "null",
    "~", "yes",
    "No", "on", "true", "TRUE", ".inf", ".nan", "0x1F", "0o17", "012", "1_000", "1e3", "1:30", "2026-01-01x", "a: b",
    "a #b",
    "- a", "? a", "| a", "> a", "[a", "{a", "!a", "%a", "`a", "<<", "=", "---", "...", "１００", "６０万", "６０万元",
    "２０２６年",
    "≥ 90 以上", "😀👨\u200d👩\u200d👧", "𠀀𠮷", "\u202eRTL\u202c", "مرحبا", "e\u0301", "é", "ｶﾞ", "_x0041_",
    "_x000D_", "_x005F_x0041_",
    "&amp;", "<b>", "]]>", "<r>rich</r>", "<r><t>rich</t></r>", "=HYPERLINK(\"http://x\")",
    "http://example.org/?a=1&b=2",
    "mailto:a@b", "internal:A1", "C:\\文件\\表", "◆ 已完成", "◇ 返回项目清单", MARKER_LIKE,
    '{"kpixl":1,"kind":"summary"}',
    "XX", "<p>段落</p>", "{{ year }}", "{% raw %}", "{0}", "%s", "\\u4e2d", "x" * 255, "长" * 256, "1/2", "3-4",
    "1E5", "TRUE()",
)  # fmt: skip
LONG_TEXTS = ("长" * MAX_CELL_TEXT, "x y\n" * 8_000, "😀" * (MAX_CELL_TEXT // 2), "_x0041_" * 4_000, "a\r\n" * 9_000)

hostile = st.sampled_from(HOSTILE_TEXTS)
# Every character that a cell and a YAML file can both hold: all but surrogates and U+FFFE, U+FFFF.
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=40)
amounts = st.one_of(
    st.integers(-(10**9), 10**12).map(Decimal),
    st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
    st.sampled_from(["0", "-0", "0.1", "0.005", "1e15", "999999999999999", "9999999999999999", "123456789012345678.99",
                     "-0.000001", "1e-12", "1234567.123456789", "1e23", "0.1234567890123456789"]).map(Decimal),
)  # fmt: skip
dates = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@cache
def texts(form_id: str) -> st.SearchStrategy[str]:
    """Draw text: hostile, any, or a word of the form's own (label, caption, item of a list), which is just text too."""
    form = form_of(form_id)
    words = [form.title, form.printed_title, *form.title_synonyms]
    words += [c.text for c in (*form.layout.head, *form.layout.foot)]
    for field in form.fields.values():
        words += [field.label, field.heading, *field.synonyms]
    for placed in form.layout.tables:
        table = form.tables[placed.table]
        words += [table.label, placed.caption, *(h.label for h in (*placed.entry, *placed.print))]
        words += [h.group.label for h in placed.entry if h.group]
        words += [c.label for c in table.columns.values()]
    for choices in form.choices.values():
        words += [*choices.items, *(s for synonyms in choices.items.values() for s in synonyms)]
    words += [with_year(word, 2026) for word in words if has_year(word)]
    words = [word for word in dict.fromkeys(words) if not is_blank(word)]
    spaced = [" ".join(word) for word in words[:12]]
    return st.one_of(hostile, any_text, st.sampled_from([*words, *spaced]))


def raws(form: Form, field: Field) -> st.SearchStrategy[Raw]:
    """Draw what may be typed for a field: mostly of its type, sometimes anything."""
    return _raws(form.id, field.type, field.choices)


@cache
def _raws(form_id: str, kind: str, choices: str | None) -> st.SearchStrategy[Raw]:
    anything: st.SearchStrategy[Raw] = st.one_of(st.none(), texts(form_id))
    if kind == "date":
        return st.one_of(dates, dates, anything)
    if kind in ("money", "number"):
        return st.one_of(amounts, amounts, anything)
    if kind == "quantity":
        return st.one_of(amounts, st.sampled_from(["≥90%", "90%以上", "不少于100人", "6-8篇", "1,000"]), anything)
    if kind == "percent":
        return st.one_of(amounts, amounts.map(lambda amount: f"{amount:f}%"), anything)
    if kind == "period":
        return st.one_of(st.sampled_from(["1年", "2024年-2026年", "2026年1月至12月", "长期"]), anything)
    if kind == "code-and-name":
        return st.one_of(st.sampled_from(["[105]某部", "105 某部", "某部（105）", "[105]--[1] 某", "105"]), anything)
    if kind == "tick":
        return st.one_of(st.sampled_from(["是", "否", "√", "x"]), anything)
    if choices is not None:
        return st.one_of(st.sampled_from([*form_of(form_id).choices[choices].items]), anything)
    return anything


@st.composite
def rows(draw: st.DrawFn, form: Form, table: str) -> dict[str, Raw]:
    """Draw a row; some have only a few columns, such as the levels."""
    columns = form.tables[table].columns
    kept = draw(st.one_of(st.just(set(columns)), st.sets(st.sampled_from([*columns]), min_size=1)))
    return {key: draw(raws(form, field)) for key, field in columns.items() if key in kept}


def canonical_rows(form: Form, table: str, drawn: Sequence[Mapping[str, Raw]]) -> tuple[Row, ...]:
    columns = form.tables[table].columns
    read = [{key: read_value(form, field, row.get(key))[0] for key, field in columns.items()} for row in drawn]
    tidied = [tidy_row(form, table, row)[0] for row in read]
    return tuple(row for row in tidied if any(value is not None for value in row.values()))


def _as_shown(field: Field, value: Value) -> Value:
    """Round what is given for a computed value to the decimals that its cell shows: more of them are a note."""
    decimals = field.compute.decimals if field.compute is not None else None
    return round(value, decimals) if isinstance(value, Decimal) and decimals is not None else value


def canonical_project(
    form: Form, project_id: str, raw: Mapping[str, Raw], drawn: Mapping[str, Sequence[Mapping[str, Raw]]]
) -> Project:
    values = {key: _as_shown(field, read_value(form, field, raw.get(key))[0]) for key, field in form.fields.items()}
    tables = {key: canonical_rows(form, key, drawn.get(key, [])) for key in form.tables}
    return complete(form, Project(project_id, values, tables))


@st.composite
def projects(draw: st.DrawFn, form: Form, project_id: str) -> Project:
    raw = {key: draw(raws(form, field)) for key, field in form.fields.items()}
    for key, field in form.fields.items():
        if field.computation and (draw(st.booleans()) or not field.printed):
            raw[key] = None  # the usual total: not typed
    drawn: dict[str, list[Mapping[str, Raw]]] = {}
    for key, table in form.tables.items():
        drawn[key] = draw(st.lists(rows(form, key), max_size=6))
        if draw(st.booleans()) and table.presets:
            drawn[key].insert(0, draw(st.sampled_from(table.presets)))
    return canonical_project(form, project_id, raw, drawn)


def ids() -> st.SearchStrategy[str]:
    odd = hostile.filter(lambda text: not is_blank(text) and utf16_length(text) <= 60)
    return st.one_of(st.integers(1, 120).map(lambda n: f"{n:02}"), st.integers(1, 9).map(str), odd)


@st.composite
def portfolios(draw: st.DrawFn, form: Form, most: int = 4) -> Portfolio:
    """Draw a canonical portfolio of `form`; some of its projects have the same name."""
    chosen = draw(st.lists(ids(), max_size=most, unique=True))
    made = [draw(projects(form, project_id)) for project_id in chosen]
    name = form.key_fields[0]
    if len(made) > 1 and draw(st.booleans()):
        twin = {**made[-1].values, name: made[0].values[name]}
        made[-1] = complete(form, Project(made[-1].id, twin, made[-1].tables))
    organization = draw(st.one_of(st.none(), st.just("某市科协"), hostile, any_text.filter(lambda t: not is_blank(t))))
    year = draw(st.one_of(st.none(), st.integers(1900, 9999)))
    return Portfolio(form.id, year, organization, tuple(made))
