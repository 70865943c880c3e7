"""Rule goal-too-short: the goal is too short to be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.completeness.texts import MARKUP, bare_text
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class GoalTooShort:
    """Texts that describe what is to be achieved, and how many characters they have at least."""

    fields: tuple[FieldKey, ...]
    least: int


def goal_too_short(p: GoalTooShort, subject: Subject) -> Iterator[Hit]:
    """Find goals that are too short to be one."""
    for key, text in subject.texts(p.fields):
        bare = fold(MARKUP.sub("", text))
        if len(bare) < p.least:
            details = {"label": subject.heading(key), "length": len(bare), "text": bare_text(text), "least": p.least}
            yield Hit(Key(key), details)


RULE = Rule(
    "goal-too-short",
    entry=Entry(
        "warning",
        "“{label}”只有 {length} 个字：“{text}”，看不出要做什么、做到什么程度。",
        "请写清做什么、做多少、达到什么效果（不少于 {least} 个字）。",
        "{label} has only {length} characters: {text}. It does not say what is to be achieved.",
        "Say what is done, how much of it, and to what effect (at least {least} characters).",
        category="completeness",
        title=("目标过短", "The goal is too short to be one"),
    ),
    parameters=GoalTooShort,
    find=goal_too_short,
    yields_to=ROOTS | {"placeholder"},
)
