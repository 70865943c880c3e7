"""Rule sentence-repeated: a sentence is repeated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.completeness.texts import MARKUP
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.problems.entry import Entry

_CLAUSES = re.compile(r"[,。;!?\n]")
_SENTENCES = re.compile(r"[。;!?\n]")


@dataclass(frozen=True, slots=True)
class Repeated:
    """Texts, and how many characters a clause has that should not come twice."""

    fields: tuple[FieldKey, ...]
    least: int


def sentence_repeated(p: Repeated, subject: Subject) -> Iterator[Hit]:
    """Find sentences and clauses that come twice; one hit for each text, at its longest."""
    for key, text in subject.texts(p.fields):
        bare = fold(MARKUP.sub("", text))
        whole = [s for s in _SENTENCES.split(bare) if "," in s]
        clauses = [c for c in (*whole, *_CLAUSES.split(bare)) if len(c) >= p.least]
        if len(set(clauses)) < len(clauses):
            counts = Counter(clauses)
            found = max((c for c in clauses if counts[c] > 1), key=len)
            yield Hit(Key(key), {"label": subject.heading(key), "found": found, "count": counts[found]})


RULE = Rule(
    "sentence-repeated",
    entry=Entry(
        "warning",
        "“{label}”中“{found}”写了 {count} 次。",
        "请删除重复的句子。",
        "{label} says {found} {count} times.",
        "Delete the repetition.",
        category="relevance",
        title=("句子重复", "A sentence is repeated"),
    ),
    parameters=Repeated,
    find=sentence_repeated,
)
