"""How many of some projects came back, are missing, blank, disputed or wrong."""

from __future__ import annotations

from collections.abc import Sequence

from kpixl.collection.run_record import RunRecord
from kpixl.output.summary.overview.canvas import Canvas


def counts_of(run: RunRecord | None, ids: Sequence[str], missing: int) -> dict[str, int]:
    """Count projects of the portfolio, by their ids, and `missing` ones beside them; by the names of COUNTS.

    As `kpixl status` counts them: blank ones did not return anything, and what need not come is not expected.
    """
    if run is None:
        return {}
    known = set(ids)
    back, blank = len(known.intersection(run.expected or ())), len(known.intersection(run.blank))
    return {
        "expected": back + missing,
        "returned": back - blank,
        "missing": missing,
        "blank": blank,
        "disputed": len(known.intersection(run.disputed)),
        "errors": sum(run.errors.get(i, 0) for i in known),
        "warnings": sum(run.warnings.get(i, 0) for i in known),
    }


def run_totals(canvas: Canvas, run: RunRecord) -> dict[str, int]:
    """Count all projects; errors and warnings also of files that belong to none."""
    totals = counts_of(run, [p.id for p in canvas.portfolio.projects], len(run.missing))
    return totals | {"errors": sum(run.errors.values()), "warnings": sum(run.warnings.values())}
