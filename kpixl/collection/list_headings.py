"""What the headings of a project list are: which field each is, how it was recognised, and in which unit it counts.

A list has its columns in any order, so that a heading is known by its words only: what is only nearly a label must be
the unique closest, and must not differ in a word that changes what is meant (上年, 累计, 执行).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache

from kpixl import yaml_text
from kpixl.forms.definition import Field, Form, MoneyUnit
from kpixl.forms.load import own_templates
from kpixl.forms.money import column_unit, money_label, unit_cell, without_unit
from kpixl.forms.names import unit_field
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import fold
from kpixl.recognise.near import MARGIN, closeness, core

ID = "id"
MAX_LABEL = 60  # a longer text is no heading
LEAST = 3  # characters of a heading that is nearly a label: 年度 is in many
LIKE = 0.4  # share of letters from which a field is suggested for a heading that was not understood
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)年?度?", re.ASCII)
_ASIDE = re.compile(r"[(\[【〔]([^()\[\]【】〔〕]{0,40})")
_ONLY_YEAR = re.compile(r"((?:19|20)\d\d)(?:年度?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class HeadingTexts:
    """The texts over a column, those that are over several columns first; the last one, at `row`, is its own."""

    row: int
    col: int
    texts: tuple[str, ...]

    @property
    def own(self) -> str:
        """Return the text that names the column."""
        *above, last = self.texts
        return above[-1] if above and is_addition(last) else last

    @property
    def shown(self) -> str:
        """Return all texts on one line."""
        return " ".join(" ".join(text.split()) for text in dict.fromkeys(self.texts))

    @property
    def unit(self) -> MoneyUnit | None:
        """Return the unit of money that the texts name, the nearest first."""
        return next((unit for text in reversed(self.texts) if (unit := column_unit(text)) is not None), None)

    @property
    def years(self) -> frozenset[int]:
        """Return the years that the texts name."""
        return frozenset(int(year) for text in self.texts for year in _YEAR.findall(fold(text)))


YEARS = ("other-year", "year-unclear")  # why a column with a year is not read: the year of the list is known or not


@dataclass(frozen=True, slots=True)
class ListHeading:
    """A heading of a list. `field`: None where it was not understood.

    `how`: exact, folded, synonym, near, order (several fields have the label; the columns beside it tell), or why it
    is no field: unknown, twice, other-year, year-unclear. `unsure`: the order does not tell for certain. `closest`: the
    field that reads most like one that was not understood.
    """

    row: int
    col: int
    text: str
    field: Field | None = None
    how: str = "unknown"
    unit: MoneyUnit | None = None
    unsure: bool = False
    closest: Field | None = None


@cache
def _words(key: str) -> dict[str, list[str]]:
    """Return what templates/shared/labels.yaml has about headings of lists."""
    text = (own_templates() / "shared" / "labels.yaml").read_text(encoding="utf-8")
    found: dict[str, list[str]] = yaml_text.parse(text, "labels.yaml")[key]
    return found


@cache
def _telling(text: str) -> frozenset[str]:
    return frozenset(word for word in _words("lists")["telling"] if word in text)


def is_addition(text: str) -> bool:
    """Return whether a text below a heading adds to it: it is a mere year or unit."""
    return unit_cell(text) is not None or (len(text) <= MAX_LABEL and bool(_ONLY_YEAR.fullmatch(fold(text))))


def names_money(text: str) -> bool:
    """Return whether a heading has a word for money."""
    folded = fold(text)
    return any(word in folded for word in _words("lists")["money"]) or bool(_ONLY_YEAR.fullmatch(folded))


class ListLabels:
    """The labels of a form's fields, prepared for the headings of lists. Made once per list."""

    def __init__(self, form: Form) -> None:
        self.fields = {field.key: field for field in (form.id_field, *form.fields.values())}
        self.name = self.fields[form.key_fields[0]]
        self.shown = "、".join(field.heading for field in self.fields.values())
        self._order = {key: number for number, key in enumerate(self.fields)}
        self._headings = {fold(field.heading): [field.key] for field in self.fields.values()}
        self._labels: dict[str, list[str]] = defaultdict(list)
        for field in self.fields.values():
            for text in dict.fromkeys(map(fold, (field.label, *field.synonyms))):
                self._labels[text].append(field.key)
        # A form may print the unit in a label, 资金总额（万元）, and a list another one in its heading.
        self._stems: dict[str, list[str]] = defaultdict(list)
        for text, keys in (*self._headings.items(), *self._labels.items()):
            if (label := money_label(text))[1] is not None:
                self._stems[label[0]] = list(dict.fromkeys([*self._stems[label[0]], *keys]))
        self._main = form.summary.amount
        self._totals = {part: field.key for field in form.fields.values() for part in field.sum}
        self._cores = self._all_cores()
        self._words = self._more_words(form)

    def _all_cores(self) -> dict[str, frozenset[str]]:
        return {
            key: frozenset(core(text) for text in (field.label, field.heading, *field.synonyms)) - {""}
            for key, field in self.fields.items()
        }

    def _more_words(self, form: Form) -> dict[str, str]:
        """Map what lists call the name, the unit and the main amount, where no field has that label, to the field.

        These words are short; a heading is one of them or not, and never nearly.
        """
        unit, words = unit_field(form), _words("lists")
        known = frozenset().union(*self._cores.values())
        keys = {"name": self.name.key, "unit": unit.key if unit else None, "amount": self._main}
        return {core(w): key for word, key in keys.items() if key for w in words[word] if core(w) not in known}

    # --- one text ----------------------------------------------------------------------------

    def lookup(self, text: str) -> list[str]:
        """Return the fields whose label, heading or synonym a text is, in the form's order."""
        if len(text) > MAX_LABEL:
            return []
        folded = fold(text)
        if keys := self._headings.get(folded) or self._labels.get(folded):
            return keys
        label, unit = money_label(folded)
        if unit is None:
            return []
        return self._headings.get(label) or self._labels.get(label) or self._stems.get(label) or []

    def known(self, text: str) -> list[str]:
        """Return the fields that a text names; where it is the label of none, those it names but for brackets,
        numbers, a unit or a year."""
        if keys := self.lookup(text):
            return keys
        bare = _bare(text)
        if _telling(_asides(text)) - _telling(bare):
            return []
        keys = [key for key, cores in self._cores.items() if bare in cores]
        return keys or [self._words[bare]] if bare in self._words else keys

    def nearness(self, text: str, key: str) -> float:
        """Return how near a heading is to a field; 0 where a word differs that changes what is meant."""
        bare = _bare(text)
        if len(bare) < LEAST:
            return 0.0
        told = _telling(bare) | _telling(_asides(text))
        return max((closeness(bare, label) for label in self._cores[key] if _telling(label) == told), default=0.0)

    def is_name(self, text: str) -> bool:
        """Return whether a text may be the heading of the column of names."""
        if len(text) > MAX_LABEL:
            return False
        keys = self.known(text)
        return self.name.key in keys or (not keys and self._near(text) == self.name.key)

    def _near(self, text: str) -> str | None:
        """Return the only field that a heading is near to."""
        scores = sorted(((self.nearness(text, key), key) for key in self.fields), reverse=True)
        (best, key), (next_best, _) = scores[0], (*scores, (0.0, ""))[1]
        return key if best and best - next_best >= MARGIN else None

    def closest(self, text: str) -> Field | None:
        """Return the field that reads most like a text, to be suggested."""
        bare = _bare(text)
        told = _telling(bare)
        shares = {
            key: max((SequenceMatcher(None, bare, c).ratio() for c in cores if _telling(c) == told), default=0.0)
            for key, cores in self._cores.items()
        }
        key = max(shares, key=lambda key: shares[key])
        if shares[key] < LIKE and self._main and names_money(text) and not told:
            return self.fields[self._main]
        return self.fields[key] if shares[key] >= LIKE else None

    def _how(self, text: str, key: str) -> str:
        field = self.fields[key]
        if "".join(text.split()).rstrip(":：") in (field.label.rstrip(":："), field.heading):
            return "exact"
        if fold(text) in map(fold, (field.label, field.heading)):
            return "folded"
        return "synonym" if fold(text) in map(fold, field.synonyms) else "folded" if self.lookup(text) else "near"

    # --- a row of headings -------------------------------------------------------------------

    def assign(self, headings: Sequence[HeadingTexts], year: int | None = None) -> tuple[ListHeading, ...]:
        """Give each heading its field. `year`: of the list; a column of another year is none of its fields.

        Each field has one column, but there may be several columns of ids.
        """
        year = year or heading_year(headings)
        there = [h for h in headings if not h.years or (year is not None and h.years == {year})]
        keys: dict[int, str] = {}
        how: dict[int, str] = {}
        shared: dict[int, list[str]] = {}
        for heading in there:
            found = self.known(heading.own)
            if len(found) > 1:
                shared[heading.col] = found
            elif found and (found[0] == ID or found[0] not in keys.values()):
                keys[heading.col], how[heading.col] = found[0], self._how(heading.own, found[0])
            elif found:
                how[heading.col] = "twice"
        unsure = self._assign_shared(there, shared, keys)
        how |= {col: "order" for col in shared if col in keys}
        near = self._assign_near([h for h in there if h.col not in how], keys.values())
        keys |= near
        how |= dict.fromkeys(near, "near")
        how |= dict.fromkeys((h.col for h in headings if h not in there), YEARS[year is None])
        plain = (h for h in there if h.col not in shared)
        unsure |= {h.col for h in plain if self._is_part_alone(keys.get(h.col, ""), keys.values(), h.own)}
        return tuple(self._made(h, keys.get(h.col), how.get(h.col, "unknown"), h.col in unsure) for h in headings)

    def _made(self, heading: HeadingTexts, key: str | None, how: str, unsure: bool) -> ListHeading:
        made = ListHeading(heading.row, heading.col, heading.shown, how=how, unit=heading.unit)
        if key is None:
            return replace(made, closest=self.closest(heading.own))
        return replace(made, field=self.fields[key], unsure=unsure)

    def _assign_shared(
        self, headings: Sequence[HeadingTexts], shared: Mapping[int, list[str]], keys: dict[int, str]
    ) -> frozenset[int]:
        """Give fields to headings that are the label of several; return those that only the order can decide.

        Where each of the fields has its heading, they go in the order of the form. Else the heading above them all
        tells, or the amounts to the left, or that the list is about the main amount.
        """
        unsure = set()
        texts = {heading.col: heading.texts for heading in headings}
        for col, fields in sorted(shared.items()):
            free = [key for key in fields if key not in keys.values()]
            if not free:
                continue
            all_there = sum(other == fields for other in shared.values()) == len(fields)
            above = self._by_group(free, texts[col][:-1])
            keys[col] = above or (free[0] if all_there else self._by_order(free, col, keys))
            if above is None and not all_there:
                unsure.add(col)
        return frozenset(unsure)

    def _is_part_alone(self, key: str, keys: Collection[str], text: str) -> bool:
        """Return whether a heading is an amount of another total than the main one, which the list has not."""
        total = self._totals.get(key)
        if total is None or total == self._main or total in keys:
            return False
        return fold(text) not in (fold(self.fields[key].heading), fold(self.fields[total].heading))

    def _by_group(self, free: Sequence[str], above: Sequence[str]) -> str | None:
        """Choose by a heading over several columns that names the total."""
        named = {key for text in above for key in self.known(text)}
        chosen = [key for key in free if self._totals.get(key) in named]
        return chosen[0] if len(chosen) == 1 else None

    def _by_order(self, free: Sequence[str], col: int, keys: Mapping[int, str]) -> str:
        """Choose what belongs to the total of the nearest amount to the left, or else to the main amount."""
        left = next((keys[c] for c in sorted(keys, reverse=True) if c < col and self._is_amount(keys[c])), None)
        total = self._totals.get(left, left) if left else self._main
        if left is None and self._main is not None:
            return next((key for key in free if self._totals.get(key) == total), free[0])
        after = self._order[left] if left else -1
        of_total = [key for key in free if self._totals.get(key) == total]
        return next((key for key in of_total or free if self._order[key] > after), free[0])

    def _is_amount(self, key: str) -> bool:
        return FIELD_TYPES[self.fields[key].type].is_amount

    def _assign_near(self, headings: Sequence[HeadingTexts], taken: Collection[str]) -> dict[int, str]:
        """Pair headings with fields that each is nearest to: unique on both sides."""
        wanted: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for heading in headings:
            key = self._near(heading.own)
            if key is not None and key not in taken and key != ID:
                wanted[key].append((self.nearness(heading.own, key), heading.col))
        near = {}
        for key, cols in wanted.items():
            (best, col), (next_best, _) = max(cols), (*sorted(cols, reverse=True), (0.0, 0))[1]
            if best - next_best >= MARGIN:
                near[col] = key
        return near


def heading_year(headings: Sequence[HeadingTexts]) -> int | None:
    """Return the year that headings name where it is only one."""
    years = frozenset().union(*(heading.years for heading in headings))
    return next(iter(years)) if len(years) == 1 else None


def _bare(text: str) -> str:
    """Return a heading without its unit and what people put around it."""
    return core(without_unit(fold(text))) or core(text)


def _asides(text: str) -> str:
    """Return what is in the brackets of a heading: 上年 in 财政拨款（上年）."""
    return " ".join(_ASIDE.findall(fold(text[:MAX_LABEL])))
