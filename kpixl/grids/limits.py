"""How much is read, at most. Every bound in one place, with its reason; `consolidate` raises them by options."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read. A filled workbook of 50 projects has 0.3 MiB and 15,000 cells."""

    file_bytes: int = 64 * MIB
    """A file on disk, and each file of an archive: workbooks this large hold pictures, not more projects."""
    sheet_cells: int = 20_000_000
    """Used range of a sheet: 20 million cells take calamine 1 s and 1 GiB, a form has 300."""
    unpacked_bytes: int = 512 * MIB
    """What a .xlsx, .docx or .zip unpacks to. A million formatted empty rows are 335 MiB of XML, read in 10 s."""
    text_bytes: int = 256 * MIB
    """All text of a workbook: one long shared string, in many cells, is copied for each of them."""
    members: int = 20_000
    """Parts of a package, or files of an archive: a sheet has about five, and few offices have 4,000 sheets."""
    nesting: int = 2
    """Archives within archives: staff zip folders that hold what a unit had zipped."""
    pages: int = 500
    """Pages of a PDF: each takes 0.1 s, a form one or two of them."""
    page_seconds: float = 10
    """Time for one page of a PDF: its library runs in circles on some broken files."""
    columns: int = 256
    """Columns of text: what is beyond stays together in the last one, to be reported."""
    seconds: float = 120
    """Time for one file: the process that reads it is ended, and only this file is lost."""
    memory_bytes: int = 3 << 30
    """Memory that reading may take on top of what the process has; beyond, it is ended as well. Not on Windows."""


DEFAULT_LIMITS = Limits()
MAX_FILE_BYTES = DEFAULT_LIMITS.file_bytes
MAX_SHEET_CELLS = DEFAULT_LIMITS.sheet_cells
