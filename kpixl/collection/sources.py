"""The sources file beside a portfolio: the file, sheet and cell that each value came from."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kpixl.a1 import parse_place
from kpixl.collection.deliveries import delivery_data, read_delivery
from kpixl.collection.versions import Source
from kpixl.inputs import read_input
from kpixl.keys import parse_key
from kpixl.portfolio.model import of_values
from kpixl.problems import KpixlError, failure

SOURCES_SUFFIX = ".sources.json"
MAX_LEVELS = (
    8  # unit, bureau, district, city, province and ministry are six; a file that anybody may have made has more
)
MAX_HEAD = 1_000  # bytes; the first line of a sources file is about 130


def read_sources(portfolio: Path) -> Mapping[str, Source]:
    """Read the source of each project; empty where no sources file belongs to this very portfolio."""
    try:
        content = read_input(sources_path(portfolio))
        if portfolio_digest(content) != hashlib.sha256(read_input(portfolio)).hexdigest():
            return {}
        return all_sources(content)
    except (KpixlError, ValueError):
        return {}


def only_portfolio(folder: Path) -> Path:
    """Return the only portfolio of a folder that has a sources file. Raises KpixlError `portfolio-which`."""
    found = [
        portfolio
        for beside in sorted(folder.glob(f"*{SOURCES_SUFFIX}"))
        if (portfolio := beside.with_name(beside.name.removesuffix(SOURCES_SUFFIX) + ".yaml")).is_file()
    ]
    if len(found) != 1:
        raise failure("portfolio-which", count=len(found))
    return found[0]


def all_sources(content: bytes) -> dict[str, Source]:
    """Parse a sources file. Raises ValueError where it is none."""
    try:
        data: Any = json.loads(content)
        return {str(project): read_source(entry) for project, entry in data["projects"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def portfolio_digest(sources: bytes) -> str:
    """Return the digest of the portfolio that a sources file belongs to; "" where it names none."""
    head = sources[:MAX_HEAD].partition(b"\n")[0]
    try:
        return str(json.loads(head.rstrip(b",") + b"}")["portfolio"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def project_source(sources: bytes, project: str) -> Source | None:
    """Return the source of one project, without parsing those of the others: each has a line of its own."""
    start = sources.find(b"\n" + json.dumps(project).encode() + b": ")
    if start < 0:
        return None
    line = sources[start + 1 :].partition(b"\n")[0].rstrip(b",")
    try:
        (entry,) = json.loads(b"{" + line + b"}").values()
        return read_source(entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def undecided(portfolio: Path) -> Mapping[str, int]:
    """Count the contradictions of each project that nobody has decided, as the sources beside a portfolio have them."""
    try:
        data: Any = json.loads(read_input(sources_path(portfolio)))
        if data["portfolio"] != hashlib.sha256(read_input(portfolio)).hexdigest():
            return {}
        return Counter(str(conflict["project"]) for conflict in data.get("conflicts", ()))
    except (KpixlError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


# --- one entry --------------------------------------------------------------------------------


def sources_path(portfolio: Path) -> Path:
    """Return where the sources of a portfolio file are kept: beside it."""
    return portfolio.with_name(portfolio.stem + SOURCES_SUFFIX)


def read_source(data: Any, levels: int = MAX_LEVELS) -> Source:
    """Read a project's entry of a sources file. Raises KeyError, TypeError or AttributeError where it is none.

    `levels`: of how many lower levels the sources are read.
    """
    sheet = None if data["sheet"] is None else str(data["sheet"])
    return Source(
        str(data["file"]),
        str(data["sha256"]),
        sheet,
        {parse_key(key): parse_place(str(cell)) for key, cell in data["cells"].items()},
        {parse_key(key): str(raw) for key, raw in data.get("raw", {}).items()},
        tuple(replace(read_source(other, levels), others=()) for other in data.get("others", ())),
        read_delivery(data),
        read_source(data["below"], levels - 1) if levels and data.get("below") is not None else None,
    )


def source_data(source: Source) -> dict[str, Any]:
    """Turn a source into JSON data."""
    data: dict[str, Any] = {"file": source.file, "sha256": source.sha256, "sheet": source.sheet}
    data |= delivery_data(source.delivery)
    data["cells"] = {str(key): str(cell) for key, cell in of_values(source.cells).items()}
    if source.raw:
        data["raw"] = {str(key): raw for key, raw in source.raw.items()}
    if source.below is not None:
        data["below"] = source_data(source.below)
    return {**data, "others": [source_data(other) for other in source.others]} if source.others else data
