"""Gather what an export holds: the portfolio, its sources, what checking finds in it, the roster and the decisions."""

from __future__ import annotations

from pathlib import Path

from kpixl.collection.decisions import decisions_path, load_decisions
from kpixl.collection.nothing_to_report import match_declarations
from kpixl.collection.review import review
from kpixl.collection.sources import read_sources
from kpixl.forms.definition import Form
from kpixl.output.export.tables import Exported
from kpixl.portfolio.model import Portfolio


def gather(path: Path, form: Form, *, roster: Portfolio | None = None, config: Path | None = None) -> Exported:
    """Check the portfolio at `path` and gather what an export holds. Raises KpixlError."""
    result = review([path], [form], roster=roster, config=config)
    returned = {project.id for project in result.portfolio.projects}
    declared = result.config.declarations
    reasons = match_declarations(form, roster, declared, returned, result.config.file).reasons if roster else {}
    decisions = load_decisions(decisions_path(path), form)
    return Exported(form, result.portfolio, read_sources(path), result.problems, roster, reasons, decisions)
