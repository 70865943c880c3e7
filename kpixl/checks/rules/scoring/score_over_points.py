"""Rule score-over-points: a score that is not between 0 and its points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import ROOTS, Hit, Rule, Subject, shown
from kpixl.checks.scored import ScoredColumns, scored_lines
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class ScoreOverPoints:
    """The table that is scored, and pairs of fields, a score and its points."""

    scored: ScoredColumns
    pairs: tuple[tuple[FieldKey, FieldKey], ...] = ()


def score_over_points(p: ScoreOverPoints, subject: Subject) -> Iterator[Hit]:
    """Find scores above their points, and negative ones."""
    values = subject.project.values
    for score, points in p.pairs:
        if _is_off(values[score], values[points]):
            details = {"name": subject.heading(score), "score": shown(values[score]), "points": shown(values[points])}
            yield Hit(Key(score), details)
    for line in scored_lines(p.scored, subject):
        if _is_off(line.score, line.points):
            yield Hit(Key(p.scored.table, line.number, p.scored.score), line.details)


def _is_off(score: object, points: object) -> bool:
    return isinstance(score, Decimal) and isinstance(points, Decimal) and not 0 <= score <= points


RULE = Rule(
    "score-over-points",
    entry=Entry(
        "error",
        "“{name}”得分 {score}，分值只有 {points}。",
        "请改正得分，填 0 到 {points}；分值有误的，改正分值。",
        "{name} has a score of {score}, but {points} points.",
        "Correct the score, 0 to {points}, or the points.",
        category="scoring",
        title=("得分超过分值", "A score is not between 0 and its points"),
    ),
    parameters=ScoreOverPoints,
    find=score_over_points,
    yields_to=ROOTS | {"computed-mismatch"},
)
