"""The rows of a table that are scored, as rules see them: what was planned, what was reached, points and score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from kpixl.checks.measures import Attainment, OperatorWords, compare, read_measure
from kpixl.checks.rule import Subject, shown
from kpixl.forms.definition import Form, Row
from kpixl.forms.values import target_text, text_of


@dataclass(frozen=True, slots=True)
class ScoredColumns:
    """Which columns of a table say how an indicator was scored; `checks.scores` of the form.

    `target`: a column, or a target of three columns. `words`: what means an operator beside a number.
    """

    table: str
    name: str
    target: str
    actual: str
    points: str
    score: str
    reason: str
    words: OperatorWords = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScoredLine:
    """One row by its roles; texts "" where blank. `attainment`: None where the texts do not tell."""

    number: int
    named: str
    target: str
    actual: str
    points: Decimal | None
    score: Decimal | None
    reason: str
    attainment: Attainment | None

    @property
    def details(self) -> dict[str, object]:
        """Return what a message says of the row."""
        return {
            "name": self.named,
            "target": self.target,
            "actual": self.actual,
            "points": shown(self.points),
            "score": shown(self.score),
        }


def scored_lines(columns: ScoredColumns, subject: Subject) -> Iterator[ScoredLine]:
    """Yield the rows of a table by their roles."""
    for number, row in enumerate(subject.project.tables[columns.table]):
        target, actual = _target(subject.form, columns, row), shown(row[columns.actual])
        points, score = row[columns.points], row[columns.score]
        planned, reached = (read_measure(text, columns.words) for text in (target, actual))
        yield ScoredLine(
            number,
            text_of(row[columns.name]) or f"{number + 1}",
            target,
            actual,
            points if isinstance(points, Decimal) else None,
            score if isinstance(score, Decimal) else None,
            text_of(row[columns.reason]).strip(),
            compare(planned, reached) if planned and reached else None,
        )


def _target(form: Form, columns: ScoredColumns, row: Row) -> str:
    target = form.tables[columns.table].targets.get(columns.target)
    return shown(row[columns.target]) if target is None else target_text(row, target)
