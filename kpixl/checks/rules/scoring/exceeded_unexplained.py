"""Rule exceeded-unexplained: a target was exceeded by far, and nobody wrote why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.scored import ScoredColumns, scored_lines
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class ExceededUnexplained:
    """The table that is scored, and from how many per cent of the target on a reason is asked for."""

    scored: ScoredColumns
    percent: Decimal


def exceeded_unexplained(p: ExceededUnexplained, subject: Subject) -> Iterator[Hit]:
    """Find rows without a reason that reached much more than their target: it may have been set too low."""
    for line in scored_lines(p.scored, subject):
        percent = line.attainment.percent if line.attainment is not None and line.attainment.reached else None
        if percent is not None and percent >= p.percent and not line.reason:
            details = {**line.details, "percent": f"{percent:.0f}"}
            yield Hit(Key(p.scored.table, line.number, p.scored.reason), details)


RULE = Rule(
    "exceeded-unexplained",
    entry=Entry(
        "info",
        "“{name}”的指标值是 {target}，实际完成 {actual}，为指标值的 {percent}%，没有写明原因。",
        "请写明明显超过指标值的原因，例如年初指标值定得偏低。",
        "{name} reached {actual} where {target} was planned, {percent} % of it, and no reason is given.",
        "Write why so much more was reached, for example that the target was set too low.",
        category="scoring",
        title=("明显超过指标值而未写原因", "No reason where the target was exceeded by far"),
    ),
    parameters=ExceededUnexplained,
    find=exceeded_unexplained,
)
