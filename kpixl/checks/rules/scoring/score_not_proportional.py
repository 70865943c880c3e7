"""Rule score-not-proportional: a missed target has another score than its proportion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.scoring.rows import WRONG_SCORE, proportional
from kpixl.checks.scored import ScoredColumns, scored_lines
from kpixl.forms.values import number_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class NotProportional:
    """The table that is scored, and by how many points a score may differ from the proportion."""

    scored: ScoredColumns
    tolerance: Decimal


def score_not_proportional(p: NotProportional, subject: Subject) -> Iterator[Hit]:
    """Find scores of missed numeric targets that are neither full nor by proportion."""
    for line in scored_lines(p.scored, subject):
        expected = proportional(line)
        if expected is None or line.points is None or line.score is None or line.score >= line.points:
            continue
        if line.attainment is not None and not line.attainment.reached and abs(line.score - expected) > p.tolerance:
            details = {**line.details, "expected": number_text(expected)}
            yield Hit(Key(p.scored.table, line.number, p.scored.score), details)


RULE = Rule(
    "score-not-proportional",
    entry=Entry(
        "info",
        "“{name}”的指标值是 {target}，实际完成 {actual}，按比例应得 {expected} 分，得分为 {score}。",
        "请核对得分；按其他办法计分的，不必修改。",
        "{name} reached {actual} of {target}: by proportion {expected} of {points} points, but the score is {score}.",
        "Check the score; leave it where another way of scoring was agreed.",
        category="scoring",
        title=("得分与完成比例不符", "A score differs from the proportion that was reached"),
    ),
    parameters=NotProportional,
    find=score_not_proportional,
    yields_to=WRONG_SCORE,
)
