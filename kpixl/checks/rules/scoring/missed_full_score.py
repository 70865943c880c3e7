"""Rule missed-full-score: a target was missed, yet all its points were given."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.scoring.rows import WRONG_SCORE, Scored, proportional
from kpixl.checks.scored import scored_lines
from kpixl.forms.values import number_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def missed_full_score(p: Scored, subject: Subject) -> Iterator[Hit]:
    """Find numeric targets that were not reached and have a full score."""
    for line in scored_lines(p.scored, subject):
        expected = proportional(line)
        if expected is None or line.points is None or line.score is None or expected == line.points:
            continue
        if line.attainment is not None and not line.attainment.reached and line.score >= line.points:
            details = {**line.details, "expected": number_text(expected)}
            yield Hit(Key(p.scored.table, line.number, p.scored.score), details)


RULE = Rule(
    "missed-full-score",
    entry=Entry(
        "warning",
        "“{name}”的指标值是 {target}，实际完成 {actual}，没有达到，却得满分 {score}。",
        "请按完成比例计分，例如 {expected}；如实际完成值填错，请改正。",
        "{name} reached {actual} of {target}, but has the full score of {score}.",
        "Score it by proportion, for example {expected}; or correct what was reached.",
        category="scoring",
        title=("没有完成却得满分", "A full score for a target that was missed"),
    ),
    parameters=Scored,
    find=missed_full_score,
    yields_to=WRONG_SCORE,
)
