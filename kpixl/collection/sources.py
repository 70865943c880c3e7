"""Read the sources file beside a portfolio: the file, sheet and cell that each value came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpixl.collection.consolidate import SOURCES_SUFFIX, read_source, sources_path
from kpixl.collection.merge import Source
from kpixl.inputs import read_input
from kpixl.problems import KpixlError, failure

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
