"""What may be the unit of a target although no list has it, and which texts are numeric targets all the same."""

from __future__ import annotations

import re
import unicodedata

MAX_UNIT = 8  # characters of a unit behind an operator and a number
MAX_BARE = 4  # without an operator or a stroke: 个百分点, 万平方米; more is a text that begins with a number
MAX_NUMERIC = 40  # characters of a target; a longer text describes something
# Letters of any language, and what joins or makes units. No digits: a second number is no part of a unit.
_UNIT = re.compile(r"(?:[^\W\d_]|[%‰℃°/·.㎡㎥㎞㎏㏊])+")
# Words that say when, or how exactly, but are no unit: 12月底前, 3日内, 100人左右, 90%以上的学员.
_NO_UNIT = re.compile("[前后底内初末左右约均达至到或和与的及以超不]|完成|之间|合格|范围|周年|[。,，;；:：、]")
# Behind a number without an operator these count nothing: 12月, 5日, 3级, 1等奖, 2号.
_ORDINAL = re.compile("[月日号点时级等届期型星类版章条款季]|年度|周岁")
_YEAR = re.compile(r"(?:19|20)\d\d(?:\.\d+)?", re.ASCII)
_DATE = re.compile(r"(?:19|20)\d\d|\d{1,2}月|第\d|\d季度", re.ASCII)
# An operator or a few words, one number, and its unit with few words behind it; or a number in front of anything.
_NUMERIC = re.compile(r"(?:[≥≤=><≈~+±-]{0,3}\d.*|[^\d]{1,6}\d[\d,.]*\D{0,6})", re.ASCII | re.DOTALL)


def is_unit(text: str, number: str, *, operator: bool) -> bool:
    """Return whether the text behind a number can be its unit: 只, M, 元/生/年; not 月底前.

    With an `operator` the number counts, whatever is behind it; without one a date or rank may be meant.
    """
    if not text or len(text) > MAX_UNIT or not _UNIT.fullmatch(text) or _NO_UNIT.search(text):
        return False
    if operator:
        return True
    if len(text) > MAX_BARE and "/" not in text:
        return False
    return not _ORDINAL.match(text) and not (text.startswith("年") and _YEAR.fullmatch(number))


def is_numeric(text: str) -> bool:
    """Return whether a target that was not parted is all the same one of a number: 约100人, 3至5天; no date."""
    if len(text) > MAX_NUMERIC:
        return False
    folded = "".join(unicodedata.normalize("NFKC", text).split()).casefold()
    return not _DATE.search(folded.replace("个月", "")) and _NUMERIC.fullmatch(folded) is not None
