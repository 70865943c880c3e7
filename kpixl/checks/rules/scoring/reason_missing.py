"""Rule reason-missing: a target was missed, or points were taken off, and nobody wrote why."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.scoring.rows import Scored
from kpixl.checks.scored import scored_lines
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def reason_missing(p: Scored, subject: Subject) -> Iterator[Hit]:
    """Find rows that differ from their target, or lack points where nobody can compare, and have no reason."""
    for line in scored_lines(p.scored, subject):
        if line.reason or not line.actual:
            continue
        if line.attainment is not None:
            differs = not line.attainment.reached
        else:
            differs = line.points is not None and line.score is not None and line.score < line.points
        if differs:
            yield Hit(Key(p.scored.table, line.number, p.scored.reason), line.details)


RULE = Rule(
    "reason-missing",
    entry=Entry(
        "warning",
        "“{name}”的指标值是 {target}，实际完成 {actual}，得分 {score}（分值 {points}），没有写明偏差原因。",
        "请写明没有完成的原因和改进措施；实际完成值或得分填错的，请改正。",
        "{name} reached {actual} of {target}, {score} of {points} points, and no reason is given.",
        "Write why, and what will be done; or correct what was reached, or the score.",
        category="scoring",
        title=("没有完成而未写原因", "No reason where the target was missed"),
    ),
    parameters=Scored,
    find=reason_missing,
)
