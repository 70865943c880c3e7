"""The texts that kpixl itself writes beside the forms of a template, so that anything else there is known as typed.

Beside a form they are few, and matched whole. On the cover and on the hidden sheet they depend on the form, its version
and the projects, so such a sheet carries in its sheet id a digest of every text that was written on it. What formulas
compute there (statuses, the number of finished projects) is matched like the texts beside a form.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from kpixl.forms.values import Raw, is_blank, text_of
from kpixl.portfolio.sheet_id import FORMAT, HINT, MAX_LENGTH, PREFIX, STATUS
from kpixl.portfolio.sheet_id import REASONS as HINTED
from kpixl.texts import Text

DONE: Text = ("已完成", "Finished")
MISSING: Text = ("缺项", "Missing")
WRONG: Text = ("有误", "Wrong")
AND: Text = ("、", ", ")
FIRST: Text = ("：先看 {place}", ": first {place}")
_MISMATCH: Text = ("金额不一致", "Amounts differ")  # in workbooks of before 2026-11-25
# A token of the hidden list that the status counts: a sign for what is missing or wrong, then the place between two.
MISSING_SIGN, WRONG_SIGN, OPEN_SIGN, CLOSE_SIGN = "▫", "▪", "◂", "▸"
LISTED = HINT + "="  # how a cell of that list begins
BACK: Text = ("返回项目清单", "Back to the list of projects")
MORE_ROWS: Text = (
    "此处以下 {count} 行可填写指标，空行可以不管；不够时在中间插入行。",
    "Rows for {count} entries; empty ones may stay. Insert more between two rows.",
)
_MORE_ROWS_BEFORE: Text = (  # in workbooks of before 2026-11-25
    "此处以下 {count} 行可填写指标，空行不打印；不够时在中间插入行。",
    "Rows for {count} entries; empty ones are not printed. Insert more between two rows.",
)
REASONS: Text = (
    HINTED[0] + "（某项要求不适用时，在下格写明理由；是否免填由财务核定）",
    HINTED[1] + " (where something does not apply, say why in the cell below; the office decides)",
)
HOW_TO: Text = ("填报说明", "How to fill this in")
PROJECTS: Text = ("项目清单", "Projects")
NUMBER: Text = ("序号", "No.")
STATUS_HEAD: Text = ("状态", "Status")
DONE_COUNT: Text = ("已完成", "finished")
GONE: Text = ("工作表已删除或有错误值", "sheet deleted, or a cell in error")
_GONE_BEFORE: Text = ("工作表已删除", "sheet deleted")  # in workbooks of before 2026-11-24

COVER_KIND = "cover"
TEMPLATE_KIND = "template"  # the hidden sheet
PROBLEMS_KIND = "problems"  # what `kpixl check --mark` puts in front
COVER_STATUS = 4  # its column of statuses
DIGEST_LENGTH = 8
# What programs show where a formula of ours cannot be computed; LibreOffice writes 0 into .xls.
_ERROR = re.compile(r"0|#[A-Z/0]+[!?]?|(?:Err|错误)[:：]\d{3}")


def _pattern(*texts: Text) -> str:
    """Match any of the texts in both languages, a placeholder as a number."""
    return "|".join(re.sub(r"\\\{\w+\\\}", r"\\d+", re.escape(text)) for pair in texts for text in pair)


# What is counted, and where the first of it is: a cell and its heading, which MID may have cut on the cover.
_COUNTED = "(?:{}) \\d+(?:(?:{})(?:{}) \\d+)?|(?:{}) \\d+".format(*map(_pattern, (MISSING, AND, WRONG, WRONG)))
_PLACE = "(?:{})(?:[A-Z]{{1,3}}\\d+ .*)".format("|".join(re.escape(t.partition("{")[0]) for t in FIRST))
_STATUS = f"(?:{_pattern(DONE, WRONG, _MISMATCH)}|(?:{_COUNTED})(?:{_PLACE})?)"
_HINTS = f"{re.escape(HINT)}(?:{_pattern(BACK, MORE_ROWS, _MORE_ROWS_BEFORE)})|{_pattern(REASONS)}"
_BESIDE = re.compile(f"{re.escape(STATUS)}{_STATUS}|{_HINTS}", re.DOTALL)
_LIST = re.compile(
    f"(?:{HINT})?{LISTED}(?:[{MISSING_SIGN}{WRONG_SIGN}]|{OPEN_SIGN}[^{OPEN_SIGN}{CLOSE_SIGN}]*{CLOSE_SIGN}|{LISTED})*"
)
_COMPUTED = re.compile(
    f"{_STATUS}|(?:{_pattern(GONE, _GONE_BEFORE)})|(?:{_pattern(DONE_COUNT)}) \\d+ / \\d+", re.DOTALL
)
_NUMBERED = re.compile(r"\d+\.")
Place = tuple[int, int]
Rows = Sequence[Sequence[Raw]]

_WITH_KIND = f'{PREFIX}{FORMAT},"kind":'
_MAX_BESIDE = 400  # characters; longer ones are not looked at


def is_furniture(raw: Raw) -> bool:
    """Return whether kpixl wrote a cell beside a form: sheet id, status with its hidden list, or hint."""
    if not isinstance(raw, str) or not raw.startswith((PREFIX, STATUS, HINT)):
        return False
    if raw.startswith((PREFIX, LISTED, HINT + LISTED)):
        return raw.startswith(PREFIX) or _LIST.fullmatch(raw.strip()) is not None
    return len(raw) <= _MAX_BESIDE and _is_beside(raw)


@lru_cache(maxsize=256)  # the same few beside every form
def _is_beside(text: str) -> bool:
    return _BESIDE.fullmatch(text.strip()) is not None


# --- the sheet id of a sheet beside the forms ---------------------------------------------------


def own_sheet_id(facts: Mapping[str, object], cells: Iterable[tuple[int, int, str]]) -> str:
    """Write the id of a sheet that is no form: what it is, and digests of the cells (row, column, text) written on it,
    but formulas.

    `all` is a digest of all of them in their order, by which a sheet as it was sent is known at once; `texts` has one
    of each text. Without these where they are too many for a cell.
    """
    written = sorted(cells)
    status = COVER_STATUS if facts["kind"] == COVER_KIND else None
    digests = {
        "all": _digest_all(text for _, col, text in written if col != status),
        "texts": "".join(_digest(col, text) for _, col, text in written if not text.startswith(PREFIX)),
    }
    plain = {"kpixl": FORMAT, **facts}
    full = json.dumps({**plain, **digests}, ensure_ascii=False, separators=(",", ":"))
    if len(full) <= MAX_LENGTH:
        return full
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _digest_all(texts: Iterable[str]) -> str:
    """Digest texts in their order. Nothing is put between them, so that blank cells need not be found."""
    return hashlib.blake2b("".join(texts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@lru_cache(maxsize=4096)  # the same lists and instructions in every file of a round
def _digest(col: int, text: str) -> str:
    """Digest a text and its column; white space does not count, as programs change it."""
    content = f"{col} {''.join(text.split())}"
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]


class OwnSheet(NamedTuple):
    """What the sheet id of a sheet that is no form holds, and its column in the first row."""

    facts: Mapping[str, Any]
    col: int


def own_sheet(rows: Rows) -> OwnSheet | None:
    """Find the sheet id of a sheet that kpixl put beside the forms; None on any other sheet."""
    for col, raw in enumerate(rows[0] if rows else ()):
        if raw != "" and (facts := _facts(raw)) is not None:
            return OwnSheet(facts, col)
    return None


def _facts(raw: Raw) -> Mapping[str, Any] | None:
    if not isinstance(raw, str) or not raw.startswith(_WITH_KIND) or len(raw) > MAX_LENGTH:
        return None
    try:
        facts: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and isinstance(facts.get("kind"), str) else None


# --- what was typed on such a sheet -----------------------------------------------------------


def typed_on(rows: Rows, own: OwnSheet, left: int = 0) -> Iterator[tuple[Place, Raw]]:
    """Yield each cell of a sheet with such a sheet id that kpixl did not write. `left`: the column of `rows[.][0]`.

    In a list of problems, whose texts are not kept, those right of its columns.
    """
    facts = own.facts
    if facts["kind"] == PROBLEMS_KIND:
        yield from (((row, col), raw) for (row, col), raw in _filled(rows) if col >= own.col)
        return
    if is_as_sent(rows, own):
        return
    texts = facts.get("texts")
    if not isinstance(texts, str):
        known = _cover_before(rows) if facts["kind"] == COVER_KIND else _lists_before(rows)
        yield from _filled(rows, known)
        return
    written = Counter(texts[i : i + DIGEST_LENGTH] for i in range(0, len(texts), DIGEST_LENGTH))
    for (row, col), raw in _filled(rows):
        digest = _digest(left + col, text_of(raw))
        if written[digest] > 0:
            written[digest] -= 1
        elif facts["kind"] != COVER_KIND or left + col != COVER_STATUS or not _is_computed(rows[row][0], raw):
            yield (row, col), raw


def is_as_sent(rows: Rows, own: OwnSheet) -> bool:
    """Return, by one digest, whether every cell is as it was sent, but for what formulas compute."""
    sheet_id = str(rows[0][own.col])
    if own.facts["kind"] == COVER_KIND:
        statuses = (row for row in rows if len(row) > COVER_STATUS and row[COVER_STATUS] != "")
        if not all(_is_computed(row[0], row[COVER_STATUS]) for row in statuses):
            return False
        rows = [[*map(_number, row[:1]), *row[1:COVER_STATUS], *row[COVER_STATUS + 1 :]] for row in rows]
    first = [raw for raw in rows[0] if raw != sheet_id]
    return _digest_all(map(str, itertools.chain(first, *rows[1:]))) == own.facts.get("all")


def is_cover_as_sent(rows: Rows) -> bool:
    """Return whether a sheet is the first one of a template, on which nobody typed anything."""
    own = own_sheet(rows)
    return own is not None and own.facts["kind"] == COVER_KIND and is_as_sent(rows, own)


def _number(raw: Raw) -> Raw:
    """Spell a number of the list of projects, a float in some formats."""
    return f"{raw:g}" if isinstance(raw, float) else raw


def _filled(rows: Rows, known: Container[Place] = ()) -> Iterator[tuple[Place, Raw]]:
    for r, row in enumerate(rows):
        for c, raw in enumerate(row):
            if raw == "" or (r, c) in known or is_blank(raw):
                continue
            if not (isinstance(raw, str) and raw.startswith(PREFIX)):
                yield (r, c), raw


def _is_computed(first: Raw, raw: Raw) -> bool:
    """Return whether a cell of the column of statuses is its heading, or may be a formula's result.

    `first`: the first cell of its row.
    """
    head, text = str(_number(first)).strip(), text_of(raw)
    if head in NUMBER:
        return text.strip() in STATUS_HEAD
    return len(text) <= _MAX_BESIDE and (head.isdecimal() or head in PROJECTS) and _is_result(text)


@lru_cache(maxsize=256)  # the same few on every cover
def _is_result(text: str) -> bool:
    return (_COMPUTED.fullmatch(text.strip()) or _ERROR.fullmatch(text.strip())) is not None


# Templates of before 2026-11-25 carry no digests: there only the places are known.


def _cover_before(rows: Rows) -> set[Place]:
    """List the places of a cover that a template fills: title, headings, numbered lines, the list of projects."""
    known: set[Place] = {(0, 0)}
    listed = False
    for r, row in enumerate(rows):
        first = text_of(row[0]).strip() if row else ""
        if first in PROJECTS:
            known |= {(r, 0), (r, COVER_STATUS)}
            listed = True
        elif first in HOW_TO:
            known.add((r, 0))
        elif _NUMBERED.fullmatch(first) and not listed:
            known |= {(r, 0), (r, 1)}
        elif listed and (first in NUMBER or first.isdecimal()):
            known |= {(r, c) for c in range(COVER_STATUS + 1)}  # number, id, name, unit, status
    return known


def _lists_before(rows: Rows) -> set[Place]:
    """List the places of a hidden sheet that a template fills: names with their sheet ids, and lists without gaps."""
    known: set[Place] = set()
    for r, row in enumerate(rows):
        if len(row) > 1 and isinstance(row[1], str) and row[1].startswith(PREFIX):
            known.add((r, 0))
    for c, head in enumerate(rows[0] if rows else ()):
        if isinstance(head, str) and head.startswith("kpixl."):
            known |= {(r, c) for r in range(_list_length(rows, c))}
    return known


def _list_length(rows: Rows, col: int) -> int:
    """Count the cells of a column above its first blank one."""
    blanks = (r for r, row in enumerate(rows) if col >= len(row) or is_blank(row[col]))
    return next(blanks, len(rows))
