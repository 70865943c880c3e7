"""Tables as a SQLite database."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from kpixl.forms.values import fits_float
from kpixl.output.export.tables import Cell, ColumnKind, ExportTable, cell_text

# A decimal column has no type: any other would make floats of numbers too long for one.
_TYPES = {ColumnKind.TEXT: "TEXT", ColumnKind.INTEGER: "INTEGER", ColumnKind.DECIMAL: "", ColumnKind.DATE: "TEXT"}
_LARGEST = 1 << 63


def sqlite_bytes(tables: Sequence[ExportTable]) -> bytes:
    """Write tables as a database. Equal tables give equal bytes with one version of SQLite."""
    with sqlite3.connect(":memory:") as connection:
        for table in tables:
            names = ", ".join(quoted(column.name) for column in table.columns)
            defined = [f"{quoted(column.name)} {_TYPES[column.kind]}".strip() for column in table.columns]
            if table.key:
                defined.append(f"PRIMARY KEY ({', '.join(map(quoted, table.key))})")
            connection.execute(f"CREATE TABLE {quoted(table.name)} ({', '.join(defined)})")
            slots = ", ".join("?" * len(table.columns))
            command = f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({slots})"
            connection.executemany(command, (tuple(map(_stored, row)) for row in table.rows))
        connection.commit()
        content = connection.serialize()
    connection.close()
    return content


def _stored(cell: Cell) -> str | int | float | None:
    """Return what SQLite keeps exactly: an integer, a float of at most 15 digits, else the digits as text."""
    if isinstance(cell, Decimal):
        if cell == cell.to_integral_value() and -_LARGEST <= cell < _LARGEST:
            return int(cell)
        return float(cell) if fits_float(cell) else cell_text(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'
