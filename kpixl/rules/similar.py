"""The same goal, or nearly, in two projects. Besides merge the only module that imports rapidfuzz.

A portfolio may hold 13,000 goals, so not every pair is looked at. Identical texts are grouped first. Two texts that
are nearly the same share clauses, or begin or end alike: each is compared with its neighbours in the lists of texts
that share a clause, and in the lists sorted from the front and from the back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from kpixl.rules.base import ROOTS, Hit, Rule, Subject
from kpixl.rules.completeness import MARKUP
from kpixl.rules.parameters import FieldKey
from kpixl.values import fold, text_of

_CLAUSES = re.compile(r"[,。;!?、\n]")
CLAUSE_FROM = 6  # characters of a clause that tells texts apart
NEIGHBOURS = 2  # to each side in a list of texts that share something
MAX_COMPARED = 12  # texts that one text is compared with
MAX_NAMED = 3  # projects that one message names


@dataclass(frozen=True, slots=True)
class Identical:
    """Texts of which each project has its own; those shorter than `least` are let be."""

    field: FieldKey
    least: int


@dataclass(frozen=True, slots=True)
class Similar:
    """As Identical; texts at least `percent` alike are found."""

    field: FieldKey
    least: int
    percent: int


def _groups(p: Identical | Similar, subjects: Sequence[Subject]) -> dict[str, list[Subject]]:
    groups: dict[str, list[Subject]] = {}
    for subject in subjects:
        value = subject.project.values[p.field]
        if isinstance(value, str):
            text = fold(MARKUP.sub("", value))
            if len(text) >= p.least:
                groups.setdefault(text, []).append(subject)
    return groups


def _named(others: Sequence[Subject], count: int) -> tuple[str, str]:
    """Name up to MAX_NAMED projects of `count`."""
    key = others[0].form.key_fields[0]
    names = [(s.project.id, text_of(s.project.values[key])) for s in others[:MAX_NAMED]]
    zh, en = "、".join(f"项目 {i}“{name}”" for i, name in names), ", ".join(f"project {i} {name}" for i, name in names)
    more = count - len(names)
    return (f"{zh}等 {count} 个项目", f"{en} and {more} more") if more else (zh, en)


def goal_identical(p: Identical, subjects: Sequence[Subject]) -> Iterator[tuple[str, Hit]]:
    """Find texts that are word for word those of other projects."""
    for members in _groups(p, subjects).values():
        if len(members) < 2:
            continue
        first = members[: MAX_NAMED + 1]
        for subject in members:
            others = [m for m in first if m is not subject][:MAX_NAMED]
            details = {"label": subject.heading(p.field), "others": _named(others, len(members) - 1)}
            yield subject.project.id, Hit(p.field, details)


def goal_similar(p: Similar, subjects: Sequence[Subject]) -> Iterator[tuple[str, Hit]]:
    """Find texts that are nearly those of another project; the nearest one is named."""
    groups = _groups(p, subjects)
    texts = list(groups)
    nearest: dict[int, tuple[float, int]] = {}
    for a, b in _candidates(texts):
        score = fuzz.ratio(texts[a], texts[b], score_cutoff=p.percent)
        if score:
            for one, other in ((a, b), (b, a)):
                if one not in nearest or score > nearest[one][0]:
                    nearest[one] = (score, other)
    for number, (score, other) in sorted(nearest.items()):
        others = _named(groups[texts[other]], 1)
        for subject in groups[texts[number]]:
            details = {"label": subject.heading(p.field), "others": others, "percent": min(int(score), 99)}
            yield subject.project.id, Hit(p.field, details)


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


RULES = (
    Rule("goal-identical", Identical, goal_identical, between=True),
    Rule("goal-similar", Similar, goal_similar, between=True, yields_to=ROOTS | {"goal-identical"}),
)
