"""Rule goal-identical: the goal of another project, word for word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.relevance.goals import MAX_NAMED, Identical, by_text, named_projects
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def goal_identical(p: Identical, subjects: Sequence[Subject]) -> Iterator[tuple[str, Hit]]:
    """Find texts that are word for word those of other projects."""
    for members in by_text(p, subjects).values():
        if len(members) < 2:
            continue
        first = members[: MAX_NAMED + 1]
        for subject in members:
            others = [m for m in first if m is not subject][:MAX_NAMED]
            details = {"label": subject.heading(p.field), "others": named_projects(others, len(members) - 1)}
            yield subject.project.id, Hit(Key(p.field), details)


RULE = Rule(
    "goal-identical",
    entry=Entry(
        "warning",
        "“{label}”与{others}一字不差。",
        "请核对是否误贴；每个项目写自己的目标。",
        "{label} is word for word that of {others}.",
        "Check whether it was pasted by mistake; every project has a goal of its own.",
        category="relevance",
        title=("与其他项目的目标相同", "The goal of another project, word for word"),
    ),
    parameters=Identical,
    find=goal_identical,
    between=True,
)
