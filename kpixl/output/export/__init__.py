"""A portfolio as tables for other programs: CSV, SQLite, Parquet, DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kpixl.disk import Output
from kpixl.output.export.tables import ExportTable
from kpixl.problems import failure


def check_folder(folder: Path) -> None:
    """Raise the KpixlError that writing into `folder` would end in; it may be missing, not the one it is in."""
    if folder.exists() and not folder.is_dir():
        raise failure("export-not-a-folder", path=str(folder))
    if not folder.parent.is_dir():
        raise failure("folder-missing", path=str(folder.parent))


def make_folder(folder: Path) -> None:
    """Make the folder of an export where it is missing."""
    folder.mkdir(exist_ok=True)


def export_outputs(tables: Sequence[ExportTable], folder: Path, stem: str, form: str) -> list[Output]:
    """Make the files of an export in `folder`; they are still to be written.

    A file per table for CSV and Parquet, one file called `stem` for databases. Raises KpixlError `export-needs-duckdb`.
    """
    if form == "csv":
        from kpixl.output.export.csv_files import csv_bytes

        return [Output(folder / f"{table.name}.csv", csv_bytes(table), "export") for table in tables]
    if form == "sqlite":
        from kpixl.output.export.sqlite import sqlite_bytes

        return [Output(folder / f"{stem}.sqlite", sqlite_bytes(tables), "export")]
    try:
        from kpixl.output.export import duck
    except ImportError as error:
        raise failure("export-needs-duckdb", form=form) from error
    if form == "parquet":
        return [Output(folder / f"{name}.parquet", content, "export") for name, content in duck.parquet_bytes(tables)]
    return [Output(folder / f"{stem}.duckdb", duck.duckdb_bytes(tables), "export")]
