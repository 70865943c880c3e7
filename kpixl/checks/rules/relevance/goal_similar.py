"""Rule goal-similar: nearly the goal of another project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz

from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.relevance.goals import Similar, by_text, named_projects
from kpixl.keys import Key
from kpixl.problems.entry import Entry

_CLAUSES = re.compile(r"[,。;!?、\n]")
CLAUSE_FROM = 6  # characters of a clause that distinguish texts
NEIGHBOURS = 2  # to each side in a list of texts that share something
MAX_COMPARED = 12  # texts that one text is compared with


def goal_similar(p: Similar, subjects: Sequence[Subject]) -> Iterator[tuple[str, Hit]]:
    """Find texts that are nearly those of another project; the nearest one is named."""
    groups = by_text(p, subjects)
    texts = list(groups)
    nearest: dict[int, tuple[float, int]] = {}
    for a, b in _candidates(texts):
        score = fuzz.ratio(texts[a], texts[b], score_cutoff=p.percent)
        if score:
            for one, other in ((a, b), (b, a)):
                if one not in nearest or score > nearest[one][0]:
                    nearest[one] = (score, other)
    for number, (score, other) in sorted(nearest.items()):
        others = named_projects(groups[texts[other]], 1)
        for subject in groups[texts[number]]:
            details = {"label": subject.heading(p.field), "others": others, "percent": min(int(score), 99)}
            yield subject.project.id, Hit(Key(p.field), details)


def _candidates(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield pairs of texts that may be nearly alike, in an order that hangs on the texts alone."""
    shared: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for clause in {c for c in _CLAUSES.split(text) if len(c) >= CLAUSE_FROM}:
            shared.setdefault(clause, []).append(number)
    rank = {n: place for place, n in enumerate(sorted(range(len(texts)), key=lambda n: (len(texts[n]), texts[n])))}
    by_clause = [sorted(numbers, key=rank.__getitem__) for numbers in shared.values() if len(numbers) > 1]
    by_clause.sort(key=lambda numbers: (len(numbers), numbers))
    from_front = sorted(range(len(texts)), key=texts.__getitem__)
    from_back = sorted(range(len(texts)), key=lambda n: texts[n][::-1])
    seen: set[tuple[int, int]] = set()
    compared = [0] * len(texts)
    for one, other in _neighbours([*by_clause, from_front, from_back]):
        short, long = sorted((len(texts[one]), len(texts[other])))
        if 3 * short < 2 * long or max(compared[one], compared[other]) >= MAX_COMPARED or (one, other) in seen:
            continue
        seen.add((one, other))
        compared[one] += 1
        compared[other] += 1
        yield one, other


def _neighbours(lists: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    for numbers in lists:
        for place, one in enumerate(numbers):
            for other in numbers[place + 1 : place + 1 + NEIGHBOURS]:
                yield (one, other) if one < other else (other, one)


RULE = Rule(
    "goal-similar",
    entry=Entry(
        "warning",
        "“{label}”与{others}有 {percent}% 相同。",
        "请核对是否从该项目复制而来，写出本项目自己的目标。",
        "{label} is {percent}% the same as that of {others}.",
        "Check whether it was copied; write the goal of this project.",
        category="relevance",
        title=("与其他项目的目标雷同", "Nearly the goal of another project"),
    ),
    parameters=Similar,
    find=goal_similar,
    between=True,
    yields_to=ROOTS | {"goal-identical"},
)
