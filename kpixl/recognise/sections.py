"""A sheet is cut where titles stand, and the kind of each section told by its title and by labels foreign to a form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from kpixl.forms.values import Raw, fold, is_blank
from kpixl.portfolio.own_texts import is_furniture
from kpixl.recognise.kinds import MAX_LABEL, MAX_TITLE, Kind, kind_called, kind_of_title, kinds, weights

Rows = Sequence[Sequence[Raw]]

DECISIVE = 2  # points: one decisive label, or two that are typical
CONTRADICTED = 3  # where a title or the sheet id speaks for another kind, one label more is asked for
TARGET = "target"  # the kind from which the other forms of the cycle are made
MAX_QUOTED = 4  # labels named in the problem
MAX_UNTIL_LABELS = 4  # rows from the title of a paper to its labels: year, unit and who it is from are between
MAX_BESIDE = 2  # filled cells in the row of a title: itself, and 附件2 or a year


@dataclass(frozen=True, slots=True)
class KnownForm:
    """What recognising needs of an installed form: its kind, and whether a cell is its title or label."""

    id: str
    is_title: Callable[[Raw], bool]
    kind: str | None
    is_label: Callable[[Raw], bool]


class Section(NamedTuple):
    """Rows between two titles. `kind`: None where neither title nor labels tell one; `place` and `told`: what tells.

    `weak`: a kind that counts only where no form is found. `forms`: the installed forms with its very title.
    """

    first: int
    last: int
    kind: str | None
    forms: frozenset[str]
    weak: str | None
    place: tuple[int, int]
    told: tuple[str, ...]

    def reads(self, form: KnownForm) -> bool:
        """Return whether a form may read the section."""
        if form.kind is None and self.kind == TARGET:  # a form whose own title names no kind
            return True
        return self.kind is None or form.kind == self.kind or form.id in self.forms


class _Title(NamedTuple):
    row: int
    col: int
    text: str
    forms: frozenset[str]
    kind: Kind | None


@cache
def _any_label() -> re.Pattern[str]:
    """Return one pattern for the labels of all kinds: most cells are none, which one match shows."""
    return re.compile("|".join(p.pattern for kind in kinds() for p in (kind.decisive, kind.typical)))


@lru_cache(maxsize=16_384)
def _is_kind_label(text: str) -> bool:
    return _any_label().fullmatch(fold(text)) is not None


def whole(rows: Rows) -> Section:
    """Return the section that is all of a sheet of which no kind is told."""
    return Section(0, len(rows) - 1, None, frozenset(), None, (0, 0), ())


def sections(rows: Rows, forms: Collection[KnownForm], named: bool) -> list[Section]:
    """Cut a sheet into sections. `named`: a sheet id says which form it is."""
    labels = _labels(rows, forms)
    titles = _titles(rows, forms, labels)
    bounds = _bounds(titles, labels)
    ends = [*(row for row, _ in bounds[1:]), len(rows)]
    return [
        _section(first, end - 1, inside, labels, forms, named)
        for (first, inside), end in zip(bounds, ends, strict=True)
    ]


def _labels(rows: Rows, forms: Collection[KnownForm]) -> dict[int, list[tuple[int, str, bool]]]:
    """Map each row to its cells that are labels of a form or a kind: column, text, whether a form has it."""
    found: dict[int, list[tuple[int, str, bool]]] = defaultdict(list)
    seen: dict[str, tuple[bool, bool]] = {}
    for number, row in enumerate(rows):
        for col, raw in enumerate(row):
            if type(raw) is not str or not raw or len(raw) > 2 * MAX_LABEL:
                continue
            known = seen.get(raw)
            if known is None:
                own = any(form.is_label(raw) for form in forms)
                known = seen[raw] = (own, own or _is_kind_label(raw))
            if known[1]:
                found[number].append((col, raw, known[0]))
    return found


def _titles(
    rows: Rows, forms: Collection[KnownForm], labels: Mapping[int, Sequence[tuple[int, str, bool]]]
) -> list[_Title]:
    """Find the titles of forms and of other kinds. What a person typed below a label is none, however it reads."""
    found: list[_Title] = []
    above: int | None = None  # the last row that is filled
    for number, row in enumerate(rows):
        filled = [(c, raw) for c, raw in enumerate(row) if raw != "" and not is_blank(raw) and not is_furniture(raw)]
        if not filled:
            continue
        texts = [(c, raw) for c, raw in filled if isinstance(raw, str) and len(raw) <= 2 * MAX_TITLE]
        own = [_Title(number, c, raw, ids, None) for c, raw in texts if (ids := _titled(forms, raw))]
        if own:
            found += own
        elif len(filled) <= MAX_BESIDE and number not in labels and above not in labels:
            kinds = ((c, raw, kind_of_title(raw)) for c, raw in texts)
            found += [_Title(number, c, raw, frozenset(), k) for c, raw, k in kinds if _is_title(k, number, labels)]
        above = number
    return found


def _titled(forms: Collection[KnownForm], text: str) -> frozenset[str]:
    """Return the ids of the forms of which a text is the title."""
    return frozenset(form.id for form in forms if form.is_title(text))


def _is_title(kind: Kind | None, number: int, labels: Mapping[int, Sequence[tuple[int, str, bool]]]) -> bool:
    return kind is not None and not (kind.weak and _is_inner_label(kind, number, labels))


def _is_inner_label(kind: Kind, number: int, labels: Mapping[int, Sequence[tuple[int, str, bool]]]) -> bool:
    """Return whether what reads like a paper's title is a label within a form: none of its labels follows.

    项目实施进度计划 over a plan is its title, in the middle of a form it is a label whose value is blank.
    """
    if not any(row < number for row in labels):
        return False
    following = (text for row in range(number + 1, number + 1 + MAX_UNTIL_LABELS) for _, text, _ in labels.get(row, ()))
    return not any(weight.kind == kind.id for text in following for weight in weights(text))


def _bounds(
    titles: Sequence[_Title], labels: Mapping[int, Sequence[tuple[int, str, bool]]]
) -> list[tuple[int, list[_Title]]]:
    """Begin a section at each title that labels follow before the next; what is above the first label is its head."""
    bounds: list[tuple[int, list[_Title]]] = []
    rows = sorted(labels)
    position = 0
    for title in titles:
        before = position
        while position < len(rows) and rows[position] < title.row:
            position += 1
        if position > before or not bounds:  # labels since the last title
            if not bounds:
                bounds.append((0, []))
            if position:
                bounds.append((title.row, []))
        bounds[-1][1].append(title)
    return bounds or [(0, [])]


def _section(
    first: int,
    last: int,
    titles: Sequence[_Title],
    labels: Mapping[int, Sequence[tuple[int, str, bool]]],
    forms: Collection[KnownForm],
    named: bool,
) -> Section:
    """Return the kind of one section by its titles and labels."""
    own = frozenset().union(*(title.forms for title in titles))
    by_title = next((t for t in titles if t.kind and not t.kind.weak), None)
    named_kind = by_title.kind.id if by_title and by_title.kind else None
    points, told, where = _evidence(range(first, last + 1), labels, forms, own)
    speaks = {form.kind for form in forms if form.id in own} | ({named_kind} if named_kind else set())
    needed = CONTRADICTED if speaks or named else DECISIVE
    strong = [kind for kind, count in points.items() if count >= needed and not kind_called(kind).weak]
    best = max(strong, key=lambda kind: points[kind], default=None)
    # The title of a target form may have been left over the labels of what was made from it; another title is right.
    if by_title and not own and (best in (None, named_kind) or named_kind != TARGET):
        return Section(first, last, named_kind, own, None, (by_title.row, by_title.col), (by_title.text,))
    if best is not None and best not in {form.kind for form in forms if form.id in own}:
        return Section(first, last, best, frozenset(), None, where[best], tuple(told[best][:MAX_QUOTED]))
    kind = next(iter(speaks)) if own and len(speaks) == 1 else None
    return Section(first, last, kind, own, *(_weak(titles, points, where, told) or (None, (first, 0), ())))


def _weak(
    titles: Sequence[_Title],
    points: Mapping[str, int],
    where: Mapping[str, tuple[int, int]],
    told: Mapping[str, Sequence[str]],
) -> tuple[str, tuple[int, int], tuple[str, ...]] | None:
    """Return the kind that a section is if it holds no form, and what tells."""
    for title in titles:
        if title.kind is not None:
            return title.kind.id, (title.row, title.col), (title.text,)
    best = max(
        (kind for kind, count in points.items() if count >= DECISIVE), key=lambda kind: points[kind], default=None
    )
    return (best, where[best], tuple(told[best][:MAX_QUOTED])) if best is not None else None


def _evidence(
    rows: Iterable[int],
    labels: Mapping[int, Sequence[tuple[int, str, bool]]],
    forms: Collection[KnownForm],
    own: frozenset[str],
) -> tuple[dict[str, int], dict[str, list[str]], dict[str, tuple[int, int]]]:
    """Count for each kind what speaks for it: labels of its own in rows of labels, each label once.

    A label alone in its row may be the name of an indicator. One that an installed form of another kind has as well
    tells nothing.
    """
    points: dict[str, int] = defaultdict(int)
    told: dict[str, list[str]] = defaultdict(list)
    where: dict[str, tuple[int, int]] = {}
    for row in rows:
        found = labels.get(row, ())
        if len({text for _, text, _ in found}) < 2:
            continue
        for col, text, has_form in found:
            for kind, count in weights(text):
                if text in told[kind] or (has_form and _of_another(text, kind, forms, own)):
                    continue
                points[kind] += count
                told[kind].append(text)
                where.setdefault(kind, (row, col))
    return points, told, where


def _of_another(text: str, kind: str, forms: Collection[KnownForm], own: frozenset[str]) -> bool:
    return any((form.kind != kind or form.id in own) and form.is_label(text) for form in forms)
