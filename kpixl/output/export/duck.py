"""Tables as Parquet files and as a DuckDB database: the only module that imports duckdb."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb

from kpixl.output.export.sqlite import quoted
from kpixl.output.export.tables import ColumnKind, ExportColumn, ExportTable, cell_text

_DIGITS = 38  # of a decimal, at most
_LEAST_SCALE = 2  # decimals that every amount has


def parquet_bytes(tables: Sequence[ExportTable]) -> Iterator[tuple[str, bytes]]:
    """Write each table as a Parquet file; yield its name and content."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        for number, table in enumerate(tables):
            _create(connection, table, Path(folder))
            path = Path(folder, f"{number}.parquet")
            connection.execute(f"COPY {quoted(table.name)} TO '{_text(path)}' (FORMAT parquet, COMPRESSION zstd)")
            yield table.name, path.read_bytes()


def duckdb_bytes(tables: Sequence[ExportTable]) -> bytes:
    """Write tables as one database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "export.duckdb")
        with duckdb.connect(str(path)) as connection:
            for table in tables:
                _create(connection, table, Path(folder))
                for column in table.columns:
                    where = f"{quoted(table.name)}.{quoted(column.name)}"
                    connection.execute(
                        f"COMMENT ON COLUMN {where} IS '{_text(' · '.join(dict.fromkeys(column.text)))}'"
                    )
        return path.read_bytes()


def _create(connection: duckdb.DuckDBPyConnection, table: ExportTable, folder: Path) -> None:
    """Make a table. Rows go through a file of JSON lines: one by one, those of 13,000 projects take minutes."""
    types = [_type(column, [row[n] for row in table.rows]) for n, column in enumerate(table.columns)]
    defined = ", ".join(f"{quoted(c.name)} {t}" for c, t in zip(table.columns, types, strict=True))
    connection.execute(f"CREATE TABLE {quoted(table.name)} ({defined})")
    if not table.rows:
        return
    path = folder / "rows.json"
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in table.rows:
            texts = [None if cell is None else cell_text(cell) for cell in row]
            stream.write(json.dumps({f"c{n}": text for n, text in enumerate(texts)}) + "\n")
    read = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(types)))
    cast = ", ".join(f"CAST(c{n} AS {t})" for n, t in enumerate(types))
    source = f"read_json('{_text(path)}', format = 'newline_delimited', columns = {{{read}}})"
    connection.execute(f"INSERT INTO {quoted(table.name)} SELECT {cast} FROM {source}")


def _type(column: ExportColumn, cells: Sequence[object]) -> str:
    """Return the type of a column; a decimal is as long as its numbers need, and text beyond 38 digits."""
    if column.kind is not ColumnKind.DECIMAL:
        return {ColumnKind.TEXT: "VARCHAR", ColumnKind.INTEGER: "BIGINT", ColumnKind.DATE: "DATE"}[column.kind]
    parts = [cell_text(cell).lstrip("-").partition(".") for cell in cells if isinstance(cell, Decimal)]
    scale = max([_LEAST_SCALE, *(len(decimals) for _, _, decimals in parts)])
    whole = max((len(digits) for digits, _, _ in parts), default=1)
    return f"DECIMAL({_DIGITS}, {scale})" if whole + scale <= _DIGITS else "VARCHAR"


def _text(text: object) -> str:
    return str(text).replace("'", "''")
