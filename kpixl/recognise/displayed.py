"""Reads values as a person sees them: number formats that add meaning, raised digits, text that is struck out.

What a cell shows counts. Where it can be read, it is the value, with a note; where it cannot, the stored value stays
and the difference is reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from kpixl.a1 import CellRef
from kpixl.forms.definition import Field, Target, Value
from kpixl.forms.money import has_own_unit, read_money
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.types.quantity import read_quantity
from kpixl.forms.values import bounded, number_text, read_target, text_of
from kpixl.keys import Key
from kpixl.portfolio.canonical import read_value, tidy_row
from kpixl.readers import number_formats
from kpixl.recognise.draft import Draft
from kpixl.recognise.inspected import Inspected, Look, Run
from kpixl.recognise.submission import READ_AS, RESCALED

_ABOVE = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d*)?|\.\d+", re.ASCII)
_EXPONENT = re.compile(r"-?\d+(?:\.\d*)?E[+-]?\d{1,3}", re.ASCII)
_BRACKETS = re.compile(r"\(([\d,.]+)\)", re.ASCII)
_BLANK = ("空白", "nothing")
# Powers of ten between a stored number and the one shown: none first, then scaling commas, then per cent.
_POWERS = (0, *range(-1, -10, -1), *range(1, 5))


def verify(draft: Draft, look: Look) -> None:
    """Read every value of a form as its cell shows it."""
    changed: set[Key] = set()
    for key, cell in list(draft.cells.items()):
        seen = look.cells.get(draft.place(key)) if key.in_row or key.name in draft.values else None
        if seen is None or not _is_remarkable(seen) or _is_part(draft, key, cell) or _is_computed(draft, key, seen):
            continue
        before = draft.value(key)
        (_read_rich if seen.runs else read_shown)(draft, key, seen)
        if draft.value(key) != before:
            changed.add(key)
    _add_up(draft, look, changed)


def _is_remarkable(seen: Inspected) -> bool:
    return bool(seen.runs) or seen.display is not None or seen.unknown


def _is_computed(draft: Draft, key: Key, seen: Inspected) -> bool:
    """Return whether a value is a total that the form's own formula computes; it is computed anew from its parts."""
    return draft.is_own(key, seen.formula)


def _is_part(draft: Draft, key: Key, cell: CellRef) -> bool:
    """Return whether a value is the operator or the unit of a target that is whole in one cell."""
    if not key.in_row:
        return False
    targets = draft.form.tables[key.name].targets.values()
    return any(
        key.column in (t.operator, t.unit) and draft.cells.get(key._replace(column=t.value)) == cell for t in targets
    )


def _add_up(draft: Draft, look: Look, changed: set[Key]) -> None:
    """Compute totals anew whose parts were read otherwise: those that are blank, or the form's own formulas."""
    for name in draft.form.computed:
        key = Key(name)
        if not _follows(draft.form.fields[name], changed):
            continue
        seen = look.cells.get(draft.place(key)) if key in draft.cells else None
        if seen is None or seen.value in (None, "") or draft.is_own(key, seen.formula):
            draft.set(key, draft.computed(name))
            changed.add(key)


def _follows(field: Field, changed: Collection[Key]) -> bool:
    """Return whether a computed value follows from one that was changed, of a column in any row."""
    names = {f"{key.name}.{key.column}" if key.in_row else key.name for key in changed}
    return field.computation is not None and not names.isdisjoint(field.computation.keys)


# --- number formats -------------------------------------------------------------------------------


def read_shown(draft: Draft, key: Key, seen: Inspected) -> None:
    """Read a value from what a number format makes of it."""
    value = draft.value(key)
    if value is None:
        return
    if seen.display is None:
        draft.problem("display-unknown", key, {"format": seen.number_format, "reading": draft.spelled(key)})
        return
    kind = FIELD_TYPES[draft.field(key).type]
    if not seen.display.text:
        _differs(draft, key, seen)
    elif (target := draft.target(key)) is not None:
        _read_target(draft, key, target, seen)
    elif kind.is_amount:
        _read_amount(draft, key, seen)
    elif kind.in_percent:
        _read_percent(draft, key, seen)
    elif kind.python is date:
        if not (isinstance(value, date) and shows_date(seen.display.digits, value)):
            _differs(draft, key, seen)
    else:
        _note_text(draft, key, seen.display.text, _stored(seen, value))


def read_as_displayed(draft: Draft, key: Key, seen: Inspected | None) -> None:
    """Take a number as the text that its cell shows, decimals and all."""
    if seen is None or not isinstance(seen.value, Decimal) or seen.number_format is None:
        return
    shown = number_formats.displayed(seen.value, seen.number_format)
    if shown is not None and shown.text and shown.text != draft.value(key):
        stored = text_of(draft.value(key))
        draft.set(key, shown.text)
        draft.note(key, stored, shown.text)


def _differs(draft: Draft, key: Key, seen: Inspected) -> None:
    """Report that a cell shows something else than what was read."""
    assert seen.display is not None
    draft.resolve("displayed-otherwise", key, {"shown": seen.display.text or _BLANK, "reading": draft.spelled(key)})


def _stored(seen: Inspected, value: Value) -> str:
    return seen.value if isinstance(seen.value, str) else text_of(value)


def _read_text(draft: Draft, key: Key, text: str, stored: str) -> bool:
    """Take a text as displayed; where several cells were joined, its part of them. Return whether it is another."""
    value = text_of(draft.value(key))
    whole = value.replace(stored, text, 1) if stored and stored in value else text
    read = read_value(draft.form, draft.field(key), whole)[0]
    if read == draft.value(key):
        return False
    draft.set(key, read)
    return True


def _note_text(draft: Draft, key: Key, text: str, stored: str) -> None:
    """Take a text as displayed, and note that."""
    if _read_text(draft, key, text, stored):
        draft.note(key, stored, text)


class _Shown(NamedTuple):
    """A number as it is shown: the exact one behind it, and whether it is rounded."""

    number: Decimal
    power: int
    rounded: bool


def _exact(stored: Decimal, shown: str) -> _Shown | None:
    """Find the exact number that is shown rounded: the stored one times a power of ten. None where there is none."""
    match = _NUMBER.search(shown)
    if match is None or len(match[0]) > 40:
        return None
    digits = match[0].replace(",", "")
    number, decimals = Decimal(digits), len(digits.partition(".")[2])
    half = Decimal(1).scaleb(-decimals) / 2
    for power in _POWERS if number else (0,):
        exact = abs(stored).scaleb(power)
        if abs(exact - number) <= half:
            return _Shown(exact, power, exact != number)
    return None


def _with_number(shown: str, number: str) -> str:
    return _NUMBER.sub(number, shown, count=1)


def _plain_number(shown: str) -> str:
    """Spell 6.00E+05 and (5) as they are typed elsewhere."""
    if _EXPONENT.fullmatch(shown):
        return number_text(Decimal(shown))
    return f"-{match[1]}" if (match := _BRACKETS.fullmatch(shown)) else shown


def _read_amount(draft: Draft, key: Key, seen: Inspected) -> None:
    """Read an amount by the unit that it is shown with; a label's unit counts where the cell shows none."""
    assert seen.display is not None
    value, stored = draft.value(key), seen.value
    shown = seen.display.digits if _EXPONENT.fullmatch(seen.display.digits) is None else ""
    if not isinstance(value, Decimal) or not isinstance(stored, Decimal):
        _note_text(draft, key, seen.display.text, _stored(seen, value))
        return
    if not shown or (not stored and set(shown) <= set("¥￥-. ")):
        if not shown and not _is_near(stored, seen.display.digits):
            _differs(draft, key, seen)
        return
    exact, unit = _exact(stored, shown), read_money(_with_number(shown, "1"), draft.form.money).value
    sign = read_money(shown, draft.form.money).value
    if exact is None or not isinstance(unit, Decimal) or not isinstance(sign, Decimal) or sign * stored < 0:
        _differs(draft, key, seen)
        return
    if not has_own_unit(shown):
        if exact.power and value == stored:
            _differs(draft, key, seen)  # 600 for 600000: in thousands, but nothing says so
            return
        unit = value / stored if stored else Decimal(1)
    reading = bounded(exact.number.copy_sign(stored) * abs(unit))
    if reading is None:
        _differs(draft, key, seen)
    elif reading != value:
        draft.set(key, reading)
        details = {"raw": text_of(stored), "shown": seen.display.text, "reading": text_of(reading)}
        draft.resolve("value-as-displayed", key, details, RESCALED)
    elif exact.rounded:
        draft.problem("value-rounded", key, {"shown": seen.display.text, "reading": text_of(reading)})


def _read_percent(draft: Draft, key: Key, seen: Inspected) -> None:
    """Read a share from the per cent that its cell shows: 95.12 of 0.9512, also where that is shown rounded."""
    assert seen.display is not None
    value, stored = draft.value(key), seen.value
    if not isinstance(value, Decimal) or not isinstance(stored, Decimal):
        _note_text(draft, key, seen.display.text, _stored(seen, value))
        return
    exact = _exact(stored, seen.display.digits)
    reading = bounded(exact.number.copy_sign(stored)) if exact is not None and "%" in seen.display.digits else None
    if exact is None or reading is None:
        _differs(draft, key, seen)
    elif reading != value:
        draft.set(key, reading)
        draft.note(key, text_of(stored), f"{text_of(reading)}%")
    elif exact.rounded:
        draft.problem("value-rounded", key, {"shown": seen.display.text, "reading": text_of(reading)})


def _is_near(stored: Decimal, shown: str) -> bool:
    """Return whether a number in scientific notation is the stored one, rounded."""
    return bool(stored) and abs(Decimal(shown) / stored - 1) < Decimal("0.05")


def _read_target(draft: Draft, key: Key, target: Target, seen: Inspected) -> None:
    """Read a target from what its cell shows: ≥90% of 0.9, 60人 of 60, 2026年底 of a day."""
    assert seen.display is not None
    row, value, stored = draft.row(key), draft.value(key), seen.value
    raw = _stored(seen, value)
    if not isinstance(value, Decimal) or not isinstance(stored, Decimal):
        if not _shows_moment(seen, value):
            _reread(draft, key, target, seen.display.text)
            draft.note(key, raw, draft.spelled(key))
        return
    shown = _plain_number(seen.display.digits)
    exact = _exact(stored, shown)
    operators, units = draft.choices(key, target.operator), draft.choices(key, target.unit)
    read = read_target(shown, operators, units)
    if read is None or exact is None or read.value * stored < 0:
        if shown != text_of(stored):
            _as_text(draft, key, target, seen.display.text, raw)
        return
    same_operator = read.operator in (None, row[target.operator])
    is_same = not exact.power and same_operator and read.unit in (None, row[target.unit])
    text = _with_number(shown, number_text(exact.number))
    fits = is_same or ((same_operator or row[target.operator] is None) and draft.retarget(key, text, raw))
    if not fits:
        _differs(draft, key, seen)
    elif exact.rounded:
        draft.problem("value-rounded", key, {"shown": seen.display.text, "reading": draft.spelled(key)})


def _shows_moment(seen: Inspected, value: Value) -> bool:
    """Return whether a day is shown as one; days without their year, and times, are reported elsewhere."""
    assert seen.display is not None
    shown = seen.display.digits
    if isinstance(value, str) and _ISO.fullmatch(value):
        return is_recast(seen) or shows_date(shown, date.fromisoformat(value))
    return ":" in text_of(value) and not set(shown) - set("0123456789:.- 时分秒上下午APM")


def is_recast(seen: Inspected) -> bool:
    """Return whether a cell shows a day and a month and no other word: 6-8 was typed, and became a day of this year."""
    shown = seen.display.digits if seen.display is not None else ""
    return seen.yearless and not set(_WORDS.sub("", shown)) - _DAY_SIGNS


def _as_text(draft: Draft, key: Key, target: Target, text: str, raw: str) -> None:
    """Take a target as the text that is shown; a number that stays one keeps its operator and unit."""
    row = draft.row(key)
    row[target.value] = text
    if _is_whole(draft, key, target):
        row[target.operator] = draft.choices(key, target.operator).qualitative
    draft.note(key, raw, draft.spelled(key))


def _is_whole(draft: Draft, key: Key, target: Target) -> bool:
    """Return whether operator, value and unit are in one cell."""
    return draft.cells.get(key._replace(column=target.operator)) == draft.cells[key]


def _reread(draft: Draft, key: Key, target: Target, text: str) -> None:
    """Read a target anew from a text, as if that had been typed."""
    row = draft.row(key)
    if not _is_whole(draft, key, target):
        row[target.value] = read_quantity(text).value
        tidy_row(draft.form, key.name, row)
    else:
        operators, units = draft.choices(key, target.operator), draft.choices(key, target.unit)
        read = read_target(text, operators, units)
        row[target.operator] = read.operator if read else operators.qualitative
        row[target.value] = read.value if read else text
        row[target.unit] = read.unit if read else None


# --- dates ----------------------------------------------------------------------------------------

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDS = re.compile(r"[A-Za-z]+|(?:星期|周)[一二三四五六日]")
_DAY_SIGNS = frozenset("0123456789-/., 年月日号")


def shows_date(shown: str, day: date) -> bool:
    """Return whether a text shows just a day, with its year; a time behind it is left out."""
    words = [word.casefold() for word in _WORDS.findall(shown)]
    rest = re.split(r"\s\d{1,2}[:时]", _WORDS.sub(" ", shown), maxsplit=1)[0]
    if set(rest) - _DAY_SIGNS:
        return False
    numbers = [int(number) for number in re.findall(r"\d+", rest)] if len(rest) < 40 else []
    months = [_MONTHS.index(word[:3]) + 1 for word in words if word[:3] in _MONTHS]
    if len(numbers) == 1 and not months:
        return numbers == [day.year * 10_000 + day.month * 100 + day.day]
    return sorted([*numbers, *months]) in (
        sorted([day.year, day.month, day.day]),
        sorted([day.year % 100, day.month, day.day]),
    )


# --- rich text ------------------------------------------------------------------------------------


def _read_rich(draft: Draft, key: Key, seen: Inspected) -> None:
    """Read a text without what is struck out in it, and with raised and lowered digits as such."""
    struck = "".join(run.text for run in seen.runs if run.struck).strip()
    text = "".join(_spelled(run) for run in seen.runs if not run.struck).strip()
    if not text:
        draft.problem("struck-out-kept", key, {"text": struck, "reading": draft.spelled(key)})
        return
    joined = "".join(run.text for run in seen.runs)
    kind = FIELD_TYPES[draft.field(key).type]
    reread, plain = _reread_rich(draft, key, text, joined)
    resolves = RESCALED if reread and kind.is_amount else READ_AS
    if struck:
        draft.resolve("struck-out", key, {"text": struck, "reading": draft.spelled(key)}, resolves)
    elif reread:
        draft.note(key, joined, text if plain else draft.spelled(key), resolves)


def _reread_rich(draft: Draft, key: Key, text: str, joined: str) -> tuple[bool, bool]:
    """Read a value anew from the text that counts; return whether it was, and whether it is that text."""
    target, kind = draft.target(key), FIELD_TYPES[draft.field(key).type]
    if target is not None:
        _reread(draft, key, target, text)
    elif kind.is_amount:
        return _reread_amount(draft, key, text, joined), False
    elif kind.python is date:
        draft.set(key, read_value(draft.form, draft.field(key), text)[0])
    else:
        return _read_text(draft, key, text, joined), True
    return True, False


def _spelled(run: Run) -> str:
    return run.text.translate({1: _ABOVE, -1: _BELOW}[run.raised]) if run.raised else run.text


def _reread_amount(draft: Draft, key: Key, text: str, joined: str) -> bool:
    """Read an amount anew, in the unit of its label if that counted before; return whether it could be."""
    value, before = draft.value(key), read_money(joined, draft.form.money).value
    read = read_money(text, draft.form.money).value
    if isinstance(read, Decimal) and isinstance(value, Decimal) and isinstance(before, Decimal) and before:
        read = read if has_own_unit(text) or has_own_unit(joined) else bounded(read * (value / before))
    if read is None:
        return False
    draft.set(key, read)
    return True
