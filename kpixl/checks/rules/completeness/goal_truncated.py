"""Rule goal-truncated: the goal breaks off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import FieldKey, Words
from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.completeness.texts import MARKUP, bare_text
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.problems.entry import Entry

_ENDS = '。！？!?.;；…"”’』」》)）]】\n'
_CLAUSE_END = re.compile(r"[,，;；。！？!?]")
LAST = 200  # characters at the end in which an open bracket is looked for
_OPEN = re.compile(r"[(（《“「『【][^)）》”」』】]*$")


@dataclass(frozen=True, slots=True)
class GoalTruncated:
    """`dangling`: ends after which a sentence goes on; `least`: characters of the shortest last clause."""

    fields: tuple[FieldKey, ...]
    dangling: Words
    least: int


def goal_truncated(p: GoalTruncated, subject: Subject) -> Iterator[Hit]:
    """Find texts that break off: in a word that goes on, in an open bracket, or with a stump after the last comma."""
    for key, text in subject.texts(p.fields):
        bare = fold(MARKUP.sub("", text))
        clauses = [clause for part in _CLAUSE_END.split(bare) if (clause := part.strip(_ENDS))]
        stump = len(clauses) > 1 and len(clauses[-1]) < p.least
        if stump or bare in p.dangling or _OPEN.search(bare[-LAST:]):
            yield Hit(Key(key), {"label": subject.heading(key), "tail": bare_text(text)[-16:]})


RULE = Rule(
    "goal-truncated",
    entry=Entry(
        "warning",
        "“{label}”像是没有写完：“……{tail}”。",
        "请补全最后一句。",
        "{label} seems to break off: ...{tail}",
        "Complete the last sentence.",
        category="completeness",
        title=("目标没有写完", "The goal breaks off"),
    ),
    parameters=GoalTruncated,
    find=goal_truncated,
    yields_to=ROOTS | {"goal-too-short"},
)
