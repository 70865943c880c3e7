"""kpixl export: the same tables in every format, amounts to the last digit, texts to the last character."""

from __future__ import annotations

import csv
import io
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpixl.output.export
from kpixl.cli.main import run
from kpixl.forms.definition import Form
from kpixl.output.export import export_outputs
from kpixl.output.export.csv_files import BOM, csv_bytes, guarded, unguarded
from kpixl.output.export.gather import gather
from kpixl.output.export.sqlite import quoted, sqlite_bytes
from kpixl.output.export.tables import Cell, ColumnKind, Exported, ExportTable, cell_text, export_tables
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError
from tests.conftest import EXAMPLE
from tests.strategies import HOSTILE_TEXTS, form_of, portfolios

SHANGHAI = form_of("shanghai-target")
DATABASES = ("sqlite", "parquet", "duckdb")


def _texts(table: ExportTable) -> list[list[str | None]]:
    return [[None if cell is None else cell_text(cell) for cell in row] for row in table.rows]


def _of_csv(content: bytes, table: ExportTable) -> list[list[str | None]]:
    """Read a CSV file back. CSV does not tell blank from empty: both come back as None."""
    assert content.startswith(BOM)
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert head == [column.name for column in table.columns]
    kinds = [column.kind for column in table.columns]
    return [
        [(unguarded(text) if kind is ColumnKind.TEXT else text) or None for text, kind in zip(row, kinds, strict=True)]
        for row in rows
    ]


def _of_database(form: str, tables: Sequence[ExportTable]) -> Iterator[list[list[str | None]]]:
    """Write tables into a database and read them back, each value spelled."""
    with tempfile.TemporaryDirectory() as name:
        for output in export_outputs(tables, Path(name), "out", form):
            output.path.write_bytes(output.content)
        for table in tables:
            with closing(_connection(form, Path(name))) as connection:
                source = f"'{name}/{table.name}.parquet'" if form == "parquet" else quoted(table.name)
                rows = connection.execute(f"SELECT * FROM {source}").fetchall()
            yield [[_spelled(value) for value in row] for row in rows]


def _connection(form: str, folder: Path) -> Any:
    if form == "sqlite":
        return sqlite3.connect(folder / "out.sqlite")
    import duckdb

    return duckdb.connect() if form == "parquet" else duckdb.connect(str(folder / "out.duckdb"))


def _spelled(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        value = Decimal(repr(value))
    return cell_text(value if isinstance(value, str | int | Decimal | date) else str(value))


@settings(max_examples=40, deadline=None)
@given(portfolios(SHANGHAI))
def test_csv_holds_every_value_to_the_last_character(portfolio: Portfolio) -> None:
    for table in export_tables(Exported(SHANGHAI, portfolio), "zh"):
        expected = [[text or None for text in row] for row in _texts(table)]
        assert _of_csv(csv_bytes(table), table) == expected


@pytest.mark.parametrize("form", DATABASES)
def test_databases_hold_every_value_to_the_last_character(form: str) -> None:
    pytest.importorskip("duckdb")

    @settings(max_examples=8, deadline=None)
    @given(portfolios(SHANGHAI))
    def law(portfolio: Portfolio) -> None:
        tables = export_tables(Exported(SHANGHAI, portfolio), "zh")
        for table, read in zip(tables, _of_database(form, tables), strict=True):
            assert read == _texts(table), table.name

    law()


@pytest.mark.parametrize("form", DATABASES)
@pytest.mark.parametrize(
    "number",
    ["0", "-0.01", "600000", "0.1", "123456789012345678.99", "9223372036854775808", "1E23", "0." + "0" * 20 + "1"],
)
def test_amounts_are_exact(form: str, number: str, example: tuple[Form, Portfolio]) -> None:
    pytest.importorskip("duckdb")
    definition, portfolio = example
    first = portfolio.projects[0]
    changed = replace(first, values={**first.values, "funding.annual.other": Decimal(number)})
    tables = export_tables(Exported(definition, replace(portfolio, projects=(changed, *portfolio.projects[1:]))), "zh")
    column = [c.name for c in tables[0].columns].index("funding_annual_other")
    read = next(iter(_of_database(form, tables)))
    assert Decimal(str(read[0][column])) == Decimal(number)


def test_sqlite_keeps_numbers_as_numbers(example: tuple[Form, Portfolio]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(sqlite_bytes(export_tables(Exported(*example), "zh")))
        (total, kind) = connection.execute(
            "SELECT sum(funding_annual_amount), typeof(funding_annual_amount) FROM projects"
        ).fetchone()
        joined = connection.execute(
            "SELECT p.name, i.value_number FROM projects p JOIN indicators i USING (project) "
            "WHERE i.name = '专家参与人数'"
        ).fetchall()
    assert (total, kind) == (14_050_565, "integer")
    assert joined == [("创新服务与发展项目", 100)]


# --- formulas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+86 21", "-5人", "@SUM(A1)", "\tx", "\r=1", "＝1+1", "=cmd|' /C calc'!A0"])
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert guarded(f"'{text}") == f"''{text}"


@pytest.mark.parametrize("text", ["=", "-", "+", "'", "''", "", "2026-01-01", "'quoted", "≥", "a=1"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


@given(st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(st.sampled_from("'=+-@\ta"), max_size=5)))
def test_every_text_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


def test_numbers_are_not_guarded() -> None:
    form = form_of("shanghai-target")
    tables = export_tables(Exported(form, Portfolio(form.id, None, None, ())), "zh")
    minus: tuple[Cell, ...] = tuple(Decimal(-5) if c.kind is ColumnKind.DECIMAL else None for c in tables[0].columns)
    assert b",-5" in csv_bytes(replace(tables[0], rows=[minus]))


# --- what is in the tables ----------------------------------------------------------------------


def _table(tables: Sequence[ExportTable], name: str) -> list[dict[str, Cell]]:
    table = next(t for t in tables if t.name == name)
    return [dict(zip([c.name for c in table.columns], row, strict=True)) for row in table.rows]


def test_sources_problems_and_status_are_those_of_the_round(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    extra = replace(portfolio.projects[0], id="14", values={**portfolio.projects[0].values, "name": "未交的项目"})
    roster = replace(portfolio, projects=(*portfolio.projects, extra))
    tables = export_tables(gather(EXAMPLE / "2026.yaml", form, roster=roster), "en")
    (source,) = (
        r for r in _table(tables, "sources") if (r["project"], r["key"]) == ("01", "funding.annual.appropriation")
    )
    assert (source["value"], source["raw"], source["cell"]) == ("600000", "60万", "F7")
    row = next(r for r in _table(tables, "sources") if (r["project"], r["key"]) == ("01", "indicators.4.value"))
    assert (row["table"], row["row"], row["label"], row["value"], row["cell"]) == (
        "indicators",
        5,
        "指标值",
        "85",
        "F17",
    )
    assert {r["code"] for r in _table(tables, "problems")} > {"level-missing.satisfaction", "rate-as-quantity"}
    states = {str(r["project"]): r["state"] for r in _table(tables, "status")}
    assert states == {**{f"{n:02}": "returned" for n in range(1, 14)}, "14": "missing"}


def test_what_could_not_be_read_is_in_the_sources(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    first = portfolio.projects[0]
    unread = replace(first, values={**first.values, "funding.annual.other": "约五万", "start": "年初"})
    tables = export_tables(Exported(form, replace(portfolio, projects=(unread,))), "zh")
    (project,) = _table(tables, "projects")
    assert (project["funding_annual_other"], project["start"]) == (None, None)
    values = {r["key"]: r["value"] for r in _table(tables, "sources")}
    assert (values["funding.annual.other"], values["start"]) == ("约五万", "年初")


def test_every_column_is_described() -> None:
    tables = export_tables(Exported(SHANGHAI, Portfolio(SHANGHAI.id, None, None, ())), "zh")
    described = {(r["table"], r["column"]) for r in _table(tables, "columns")}
    assert described == {(t.name, c.name) for t in tables if t.name != "columns" for c in t.columns}
    assert all(all(c.text) for t in tables for c in t.columns)


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_a_file_per_table_and_leaves_equal_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["export", str(EXAMPLE / "2026.yaml"), "-o", str(out)]
    assert run(command) == 0
    names = {path.name for path in out.glob("*.csv")}
    assert names == {
        f"{n}.csv" for n in ("projects", "indicators", "sources", "problems", "status", "decisions", "columns")
    }
    capsys.readouterr()
    assert run([*command, "--lang", "en"]) == 0
    assert "unchanged" in capsys.readouterr().err
    for form in DATABASES[:2]:
        assert run([*command, "--to", form]) == 0
        first = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix in (".sqlite", ".parquet")}
        assert run([*command, "--to", form]) == 0
        assert {name: (out / name).read_bytes() for name in first} == first


def test_wrong_folders_and_a_missing_library_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], example: tuple[Form, Portfolio]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    portfolio = tmp_path / "2026.yaml"
    portfolio.write_text(canonical.dumps(*example), encoding="utf-8")
    assert run(["export", str(portfolio), "-o", str(file)]) == 3
    assert "export-not-a-folder" in capsys.readouterr().err
    assert run(["export", str(portfolio), "-o", str(tmp_path / "a" / "b")]) == 3
    assert "folder-missing" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "kpixl.output.export.duck", raising=False)
    monkeypatch.delattr(kpixl.output.export, "duck", raising=False)
    with pytest.raises(KpixlError) as caught:
        export_outputs([], tmp_path, "x", "parquet")
    assert [problem.code for problem in caught.value.problems] == ["export-needs-duckdb"]
