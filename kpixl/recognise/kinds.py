"""Kinds of forms and papers, told by their titles and labels; the data are in templates/shared/kinds.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from kpixl import yaml_text
from kpixl.forms.load import own_templates
from kpixl.forms.values import fold
from kpixl.texts import Text

MAX_TITLE = 80  # characters of a title with the longest name of an organisation or project; a longer text is prose
MAX_LABEL = 40  # a label of any kind is shorter
MAX_BEFORE = 60  # what may be in front of the words that make a title: place, year, project


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of form or paper. `weak`: it does not look like a form, and is named only where no form was found."""

    id: str
    name: Text
    title: re.Pattern[str]
    decisive: re.Pattern[str]
    typical: re.Pattern[str]
    weak: bool


class Weight(NamedTuple):
    """How strongly a label points at a kind: 2 where one is enough, 1 where two are."""

    kind: str
    points: int


def _whole(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns) or "(?!)")


@cache
def kinds() -> tuple[Kind, ...]:
    """Load the kinds, in the order in which their titles are tried."""
    text = (own_templates() / "shared" / "kinds.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml_text.parse(text, "kinds.yaml")["kinds"]
    return tuple(
        Kind(
            id=kind["id"],
            name=(kind["name"]["zh"], kind["name"]["en"]),
            title=re.compile(rf".{{0,{MAX_BEFORE}}}?(?:{_whole(kind['titles']).pattern})(?:\([^()]{{0,20}}\))?"),
            decisive=_whole(kind.get("decisive", ())),
            typical=_whole(kind.get("typical", ())),
            weak=kind.get("weak", False),
        )
        for kind in found
    )


def kind_called(kind_id: str) -> Kind:
    """Return a kind by its id."""
    return next(kind for kind in kinds() if kind.id == kind_id)


@lru_cache(maxsize=4096)
def kind_of_title(text: str) -> Kind | None:
    """Return the kind that a title names; None where it names none or is too long for a title."""
    if len(text) > 2 * MAX_TITLE or len(folded := fold(text)) > MAX_TITLE:
        return None
    return next((kind for kind in kinds() if kind.title.fullmatch(folded)), None)


def is_foreign(text: str, own: str | None) -> bool:
    """Return whether a text is a decisive label of a kind that looks like a form and is not a form's own."""
    return any(points > 1 and kind != own and not kind_called(kind).weak for kind, points in weights(text))


@lru_cache(maxsize=16_384)
def weights(text: str) -> tuple[Weight, ...]:
    """Return the kinds of which a text is a label, and how strongly it points at each."""
    if len(text) > 2 * MAX_LABEL or not text or len(folded := fold(text)) > MAX_LABEL:
        return ()
    return tuple(
        Weight(kind.id, points)
        for kind in kinds()
        if (points := 2 if kind.decisive.fullmatch(folded) else 1 if kind.typical.fullmatch(folded) else 0)
    )
