"""Labels that are nearly those of a form: numbered, in brackets, with a word more or less (DOMAIN sections 5 and 8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TypeVar

from kpixl import yaml_text
from kpixl.forms.load import own_templates
from kpixl.forms.values import fold

MAX_LENGTH = 40  # folded characters; a label with everything people add to it is shorter
LEAST = 0.6  # share of characters that a label with words added or left out has in common with the form's own
LEAST_OTHERWISE = 0.75  # the same where words are exchanged; 项目实施期 and 项目实施单位 have 0.73
MARGIN = 0.1  # by which the closest must be closer than the next

_CHINESE = "[一二三四五六七八九十]{1,3}"
_NUMBER = rf"(?:{_CHINESE}[、.,:)]|\({_CHINESE}\)|第{_CHINESE}[、:]|\d{{1,2}}[、.)](?!\d)|\(\d{{1,2}}\))"
_FRONT = re.compile(rf"(?:[*★※●■□#·•◆]|{_NUMBER}|其中:?)+")
_BRACKET = re.compile(r"(?:\([^()]{0,30}\)|\[[^\[\]]{0,30}\]|【[^【】]{0,30}】|〔[^〔〕]{0,30}〕)+[*:]*$")
_CIRCLED = re.compile("[①-⑳⑴-⒇㈠-㈩]")  # folded they would be digits
_DASH = re.compile(r"(?<=\d)月?[—–―~〜至到](?=\d)")  # 1—7月, 1月至7月
_YEAR = re.compile(r"(?:19|20)\d\d年度?")
_REST = "*★※:;,。、.-—_/ "

K = TypeVar("K", bound=Hashable)
Place = tuple[int, int]


@cache
def _alike() -> dict[str, str]:
    """Map words that mean the same to one of them; the data are in templates/shared/labels.yaml."""
    text = (own_templates() / "shared" / "labels.yaml").read_text(encoding="utf-8")
    alike: dict[str, list[str]] = yaml_text.parse(text, "labels.yaml")["alike"]
    return {other: word for word, others in alike.items() for other in others}


@cache
def _words() -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, _alike()), key=len, reverse=True)))


@lru_cache(maxsize=16_384)
def core(text: str) -> str:
    """Fold a label and leave out what people put around it (numbers, signs, 其中, brackets); words alike become one."""
    folded = fold(_CIRCLED.sub("", text))
    if len(folded) > MAX_LENGTH:
        return ""
    bare = _FRONT.sub("", folded, count=1) if _FRONT.match(folded) else folded
    bare = _DASH.sub("-", _YEAR.sub("年度", bare))
    bare = _BRACKET.sub("", bare).strip(_REST)
    return _words().sub(lambda found: _alike()[found[0]], bare or folded)


@lru_cache(maxsize=65_536)  # the files of a round have the same texts beside their forms
def closeness(text: str, label: str) -> float:
    """Return how near a core is to a label's: 1 equal, 0 not near at all."""
    if text == label:
        return 1.0
    if len(text) < 2 or len(label) < 2:
        return 0.0
    shorter = min(len(text), len(label))
    if 2 * shorter < LEAST * (len(text) + len(label)) or sum(letter in label for letter in text) < LEAST * shorter:
        return 0.0  # most texts have too little in common with any label, which costs less to see
    common = _common(text, label)
    share = 2 * common / (len(text) + len(label))
    return share if share >= (LEAST if common == shorter else LEAST_OTHERWISE) else 0.0


def _common(one: str, other: str) -> int:
    """Return the length of the longest common subsequence; both are at most MAX_LENGTH long."""
    above = [0] * (len(other) + 1)
    for character in one:
        row = [0]
        for number, letter in enumerate(other):
            row.append(above[number] + 1 if character == letter else max(row[number], above[number + 1]))
        above = row
    return above[-1]


def pair(
    missing: Sequence[K],
    cells: Mapping[Place, str],
    labels: Callable[[K], Iterable[str]],
    in_place: Callable[[K, Place], bool],
    known: Collection[str],
    least: float = 0.0,
    is_value: Callable[[K, Place, Place], bool] = lambda _key, _place, _label: False,
) -> tuple[dict[K, Place], dict[K, list[Place]]]:
    """Pair missing labels with the cells that are nearest to them; also those for which several cells may be meant.

    `missing`: in the order of the form. `cells`: what may be a label. `labels`: the cores of each label and its
    synonyms. `known`: the cores of labels that were found; a cell that is nearer to one of these is none of the others.
    `least`: how near a label must be. `is_value`: whether a cell is where the value of a label at another cell is.
    """
    best: dict[K, list[Place]] = {}
    for key in missing:
        scores = {place: _score(text, labels(key), known) for place, text in cells.items() if in_place(key, place)}
        if near := _nearest(scores, least):
            best[key] = sorted(p for p in near if not any(is_value(key, p, label) for label in near))
    groups: dict[tuple[Place, ...], list[K]] = {}
    for key, places in best.items():
        groups.setdefault(tuple(places), []).append(key)
    paired: dict[K, Place] = {}
    for group, keys in groups.items():
        if len(group) == len(keys):  # labels that read alike are told apart by their order
            paired.update(zip(keys, group, strict=True))
    taken = list(paired.values())
    unclear = {key: places for key, places in best.items() if key not in paired or taken.count(paired[key]) > 1}
    return {key: place for key, place in paired.items() if key not in unclear}, unclear


def _nearest(scores: Mapping[Place, float], least: float) -> list[Place]:
    """Return the places of nearly the highest score; none where that is below `least`."""
    top = max(scores.values(), default=0.0)
    if not top or top < least:
        return []
    return [place for place, score in scores.items() if score > 0 and score > top - MARGIN]


def _score(text: str, labels: Iterable[str], known: Collection[str]) -> float:
    bare = core(text)
    score = max((closeness(bare, label) for label in labels), default=0.0)
    return score if score == 1 or not any(closeness(bare, label) > score for label in known) else 0.0
