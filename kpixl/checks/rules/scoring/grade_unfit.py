"""Rule grade-unfit: a grade that does not go with the total score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.forms.values import number_text, text_of
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class GradeUnfit:
    """A grade, the score that it follows from, and the least score of each grade, from the highest down."""

    grade: FieldKey
    score: FieldKey
    least: tuple[tuple[str, Decimal], ...]


def grade_unfit(p: GradeUnfit, subject: Subject) -> Iterator[Hit]:
    """Find a typed grade that its score does not earn; silent where it is none of the grades."""
    grade, score = (subject.project.values[key] for key in (p.grade, p.score))
    if not isinstance(score, Decimal) or text_of(grade) not in dict(p.least):
        return
    earned = next((name for name, least in p.least if score >= least), None)
    if earned is not None and earned != text_of(grade):
        details = {"label": subject.heading(p.grade), "grade": text_of(grade), "earned": earned}
        yield Hit(Key(p.grade), {**details, "score_label": subject.heading(p.score), "score": number_text(score)})


RULE = Rule(
    "grade-unfit",
    entry=Entry(
        "error",
        "“{label}”为“{grade}”，“{score_label}”{score} 应为“{earned}”。",
        "请核对“{score_label}”；如无误，将“{label}”改为“{earned}”。",
        "{label} is {grade}, but {score_label} {score} makes {earned}.",
        "Check {score_label}; if it is right, set {label} to {earned}.",
        category="scoring",
        title=("等级与总分不符", "A grade does not go with the total score"),
    ),
    parameters=GradeUnfit,
    find=grade_unfit,
    yields_to=ROOTS | {"computed-mismatch"},
)
