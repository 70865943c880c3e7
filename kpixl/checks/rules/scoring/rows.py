"""What rules on scored rows have in common."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from kpixl.checks.rule import ROOTS
from kpixl.checks.scored import ScoredColumns, ScoredLine

# A score that cannot be right, or is not the computed one, is reported as such; nothing more is said of it.
WRONG_SCORE = ROOTS | {"score-over-points", "computed-mismatch"}
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Scored:
    """The table that is scored; by default the first under checks.scores."""

    scored: ScoredColumns


def proportional(line: ScoredLine) -> Decimal | None:
    """Return the points that a row earns by proportion, to two decimals; None where that is not known."""
    if line.attainment is None or line.attainment.reached is None or line.points is None:
        return None
    return (line.points * line.attainment.share).quantize(_CENT, ROUND_HALF_UP)
