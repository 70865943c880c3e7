"""Rule reached-less-score: a target was reached, yet points were taken off without a reason."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.scoring.rows import WRONG_SCORE, Scored
from kpixl.checks.scored import scored_lines
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def reached_less_score(p: Scored, subject: Subject) -> Iterator[Hit]:
    """Find numeric targets that were reached and have less than their points; silent where a reason is given."""
    for line in scored_lines(p.scored, subject):
        if line.points is None or line.score is None or line.attainment is None or line.reason:
            continue
        if line.attainment.reached and line.score < line.points:
            yield Hit(Key(p.scored.table, line.number, p.scored.score), line.details)


RULE = Rule(
    "reached-less-score",
    entry=Entry(
        "warning",
        "“{name}”的指标值是 {target}，实际完成 {actual}，已经达到，得分 {score} 却少于分值 {points}。",
        "请填满分 {points}；另有扣分原因的，写入偏差原因。",
        "{name} reached {actual}, as {target} asks, but its score is {score} of {points}.",
        "Make the score {points}, or give the reason for which points were taken off.",
        category="scoring",
        title=("已完成却没有得满分", "Points taken off where the target was reached"),
    ),
    parameters=Scored,
    find=reached_less_score,
    yields_to=WRONG_SCORE,
)
