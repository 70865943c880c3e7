"""What is missing or wrong on a sheet of the template: one definition for its formulas, its tints and its status.

It is derived from the form: what is required, the types of its fields, and those of its checks that a formula can
express. A Condition is written twice, as a formula over references and as a function of values; the law of
tests/laws/test_sheet.py holds the two, and `kpixl check`, together.

Formulas are products and sums of truth values: AND, OR and IF would look at whole columns at once where SUMPRODUCT
counts rows. Nothing in them is newer than Excel 2007.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from kpixl.forms.compute import agrees, computed_value
from kpixl.forms.compute import formula as own_formula
from kpixl.forms.definition import Choices, Computation, Field, Form, Row, Table, Target, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import (
    EXCEL_EPOCH,
    SERIAL_DAYS,
    fits_float,
    fold,
    is_blank,
    number_text,
    text_of,
    total,
    total_of,
)
from kpixl.output.template.expression import translated
from kpixl.output.template.formulas import blank, contains, holds_word, is_number, listed, quoted_text
from kpixl.output.template.words import Word, words_of
from kpixl.portfolio.model import Project

Refs = Callable[[str], str]  # key of a field or column -> a reference to its cell, or to its cells of all rows
_FIRST_DATE, _LAST_DATE = SERIAL_DAYS.start, SERIAL_DAYS.stop - 1


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must not be. `missing`: to be filled in, otherwise to be corrected. The formula gives 0 where all
    is right; `holds` is the same test on the values that a sheet is built with."""

    missing: bool
    formula: Callable[[Refs], str]
    holds: Callable[[Mapping[str, Value]], bool]


Conditions = Mapping[str, Sequence[Condition]]  # key -> what is asked of it


# --- fields -----------------------------------------------------------------------------------


def field_conditions(form: Form) -> dict[str, list[Condition]]:
    """List what is asked of every field of a form, in the order of the form."""
    found: dict[str, list[Condition]] = {key: [] for key in form.fields}
    for key, field in form.fields.items():
        if field.required:  # a total adds itself up: its first part is to be filled in
            found[field.sum[0] if field.sum else key].append(_required(key))
        if field.printed:
            found[key] += _value_conditions(form, field, key)
        if field.sum:
            found[key].append(_sum(key, field.sum))
        elif field.compute is not None and field.printed:
            found[key].append(_computed(key, field, field.compute))
    for key, condition in _checked(form):
        found[key].append(condition)
    return found


def _checked(form: Form) -> Iterator[tuple[str, Condition]]:
    """Yield what the checks of a form ask of fields, each with the field's key."""
    for rule in _rules(form):
        if rule["rule"] == "dates-reversed":
            yield rule["end"], _reversed(rule["start"], rule["end"])
        elif rule["rule"] == "amount-negative":
            yield from ((key, _negative(key)) for key in rule["fields"])
        elif rule["rule"] == "expression" and rule.get("severity") == "error":
            yield from ((rule["field"], condition) for condition in _expression(rule))


def _rules(form: Form) -> Iterator[Mapping[str, Any]]:
    """Yield the checks of a form as they are written; `kpixl check` refuses those that are written wrong."""
    rules: Any = form.checks.get("rules", ())
    yield from rules


def _words(form: Form, named: Any, *, strict: bool = False) -> tuple[Word, ...]:
    """Return the words of a list, or of one that has a name under checks.words."""
    lists: Any = form.checks.get("words", {})
    patterns = lists.get(named, ()) if isinstance(named, str) else named
    return words_of(patterns, strict=strict)


def _required(key: str) -> Condition:
    return Condition(True, lambda refs: blank(refs(key)), lambda values: _is_blank(values[key]))


def _is_blank(value: Value) -> bool:
    return is_blank(value) if not isinstance(value, str) else not value.strip(" \u3000\n\r\t")


def _value_conditions(form: Form, field: Field, key: str) -> list[Condition]:
    """Return what the type and the list of a field ask, and that no placeholder is left in it."""
    kind = FIELD_TYPES[field.type]
    if kind.python is date:
        return [_date(key)]
    if kind.python is Decimal:
        return [_amount(key)]
    if kind.in_percent:
        return [_percentage(key)]
    if kind.typed:  # what no formula can tell, such as a period, is left to `kpixl check`
        return [_closed(key, [(item,) for item in kind.items])] if kind.items else []
    return _text_conditions(form, field, key)


def _text_conditions(form: Form, field: Field, key: str) -> list[Condition]:
    """Return that a text is an item of its closed list, or else that no placeholder is left in it."""
    choices = form.choices[field.choices] if field.choices else None
    if choices is not None and not choices.open and choices.parent is None:
        return [_closed(key, [(item,) for item in choices.items])]
    if field.printed and (choices is None or choices.open):  # what is not printed has no cell to look at
        return [_placeholder(key, _words(form, r["words"])) for r in _rules(form) if r["rule"] == "placeholder"]
    return []


def _date(key: str) -> Condition:
    first, last = (EXCEL_EPOCH.toordinal() + day for day in (_FIRST_DATE, _LAST_DATE))

    def holds(values: Mapping[str, Value]) -> bool:
        value = values[key]
        return value is not None and not (isinstance(value, date) and first <= value.toordinal() <= last)

    def formula(refs: Refs) -> str:
        ref = refs(key)
        return f"(LEN({ref})>0)*(1-ISNUMBER({ref})*({ref}>={_FIRST_DATE})*({ref}<={_LAST_DATE}))"

    return Condition(False, formula, holds)


def _amount(key: str) -> Condition:
    return Condition(
        False,
        lambda refs: f"(LEN({refs(key)})>0)*(1-ISNUMBER({refs(key)}))",
        lambda values: not (values[key] is None or (isinstance(v := values[key], Decimal) and fits_float(v))),
    )


def _percentage(key: str) -> Condition:
    return Condition(
        False,
        lambda refs: f"(LEN({refs(key)})>0)*(1-{is_number(_without_signs(refs(key)))})",
        lambda values: values[key] is not None and not isinstance(values[key], Decimal),
    )


def _without_signs(ref: str) -> str:
    """Return the formula of a text of digits without what people type among and behind them."""
    return f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(TRIM({ref}),"%",""),"％",""),",","")'


def _negative(key: str) -> Condition:
    return Condition(
        False,
        lambda refs: f"ISNUMBER({refs(key)})*({refs(key)}<0)",
        lambda values: isinstance(value := values[key], Decimal) and value < 0 and fits_float(value),
    )


def _closed(key: str, items: Sequence[Sequence[str]]) -> Condition:
    known = {item[0] for item in items}
    return Condition(
        False,
        lambda refs: f"(LEN({refs(key)})>0)*(1-{listed([refs(key)], items)})",
        lambda values: bool(values[key]) and text_of(values[key]) not in known,
    )


def _placeholder(key: str, words: Sequence[Word]) -> Condition:
    return Condition(
        False, lambda refs: contains(refs(key), words), lambda values: holds_word(text_of(values[key]), words)
    )


def _reversed(start: str, end: str) -> Condition:
    def holds(values: Mapping[str, Value]) -> bool:
        first, last = values[start], values[end]
        return isinstance(first, date) and isinstance(last, date) and last < first

    def formula(refs: Refs) -> str:
        first, last = refs(start), refs(end)
        return f"ISNUMBER({first})*ISNUMBER({last})*({last}<{first})"

    return Condition(False, formula, holds)


def _sum(key: str, parts: Sequence[str]) -> Condition:
    def holds(values: Mapping[str, Value]) -> bool:
        typed, value = [values[part] for part in parts], values[key]
        added = None if value is None and total_of(typed) is None else total(typed)
        return added is not None and (value if isinstance(value, Decimal) else Decimal(0)) != added

    def formula(refs: Refs) -> str:
        # A double has 15 digits; sums of parts may differ in the last one.
        cells = ",".join(map(refs, parts))
        return f"(COUNT({cells})>0)*(ABS(N({refs(key)})-SUM({cells}))>(1+ABS(SUM({cells})))/1000000000000000)"

    return Condition(False, formula, holds)


COMPUTED = "="  # before the key of a field: the value that is computed for it


def with_computed(form: Form, project: Project) -> Mapping[str, Value]:
    """Return the values of a project, and beside those that are computed what they should be."""
    computed = {
        f"{COMPUTED}{key}": computed_value(form.fields[key], project.values, project.tables)
        for key in form.computed
        if form.fields[key].compute is not None
    }
    return {**project.values, **computed} if computed else project.values


def _computed(key: str, field: Field, computation: Computation) -> Condition:
    """Ask for the computed value where something else was given."""

    def holds(values: Mapping[str, Value]) -> bool:
        value, computed = values[key], values[f"{COMPUTED}{key}"]
        return value is not None and computed is not None and not agrees(field, value, computed)

    def formula(refs: Refs) -> str:
        ref, expected = refs(key), own_formula(computation, refs).removeprefix("=")
        if computation.bands:
            return f"(LEN({ref})>0)*(LEN({expected})>0)*({ref}<>{expected})"
        rounded = f"N({ref})" if computation.decimals is None else f"ROUND(N({ref}),{computation.decimals})"
        near = f"ABS({rounded}-N({expected}))>(1+ABS({rounded}))/100000000000000"
        return f"(LEN({ref})>0)*ISNUMBER({expected})*({near})"

    return Condition(False, formula, holds)


def _expression(rule: Mapping[str, Any]) -> list[Condition]:
    made = translated(rule.get("when", "true"), rule["ensure"])
    return [] if made is None else [Condition(False, *made)]


# --- tables -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableConditions:
    """What a table's rows need. `begun` tests whether somebody went on with a row; only then does it count."""

    begun: Condition
    columns: Conditions


def table_conditions(form: Form, table: Table, *, presets: bool) -> TableConditions:
    """List what is asked of each column. `presets`: the preset rows were written, and one left as it was is no row."""
    begun = _begun(table, table.presets if presets else ())
    found: dict[str, list[Condition]] = {key: [] for key in table.columns}
    for key, column in table.columns.items():
        if column.required:
            found[key].append(_required(key))
        found[key] += _value_conditions(form, column, key)
        choices = form.choices[column.choices] if column.choices else None
        if choices is not None and not choices.open and choices.parent is not None:
            found[key].append(_child(table, key, choices))
    for group in table.one_of:
        found[group[0]].append(_none_of(group))
        for number, key in enumerate(group[1:], 1):
            found[key].append(_second_of(group[:number], key))
    for target in table.targets.values():
        _target_conditions(form, table, target, found)
    return TableConditions(begun, found)


def _none_of(keys: Sequence[str]) -> Condition:
    """Ask for one of some columns."""
    return Condition(
        True,
        lambda refs: "*".join(blank(refs(key)) for key in keys),
        lambda row: all(_is_blank(row[key]) for key in keys),
    )


def _second_of(before: Sequence[str], key: str) -> Condition:
    """Ask that a column is blank where one before it is filled in."""
    return Condition(
        False,
        lambda refs: f"(1-{blank(refs(key))})*(1-{'*'.join(blank(refs(other)) for other in before)})",
        lambda row: not _is_blank(row[key]) and not all(_is_blank(row[other]) for other in before),
    )


def _begun(table: Table, presets: Sequence[Row]) -> Condition:
    keys = list(table.columns)
    known = [tuple("" if row[key] is None else text_of(row[key]) for key in keys) for row in presets]
    known.insert(0, ("",) * len(keys))
    rows = set(known)

    def holds(row: Mapping[str, Value]) -> bool:
        return tuple(_typed(row[key]) for key in keys) not in rows

    return Condition(False, lambda refs: f"(1-{listed([refs(key) for key in keys], known)})", holds)


def _typed(value: Value) -> str:
    return number_text(value) if isinstance(value, Decimal) else text_of(value) if value is not None else ""


def _child(table: Table, key: str, choices: Choices) -> Condition:
    """Ask for an item that belongs to the item in the column that the list depends on."""
    above = next((c.key for c in table.columns.values() if c.choices == choices.parent), None)
    if above is None:
        return _closed(key, [(item,) for item in choices.items])
    pairs = [(parent, item) for parent, items in choices.children.items() for item in items]
    known = set(pairs)
    return Condition(
        False,
        lambda refs: f"(LEN({refs(key)})>0)*(LEN({refs(above)})>0)*(1-{listed([refs(above), refs(key)], pairs)})",
        lambda row: bool(row[key] and row[above]) and (text_of(row[above]), text_of(row[key])) not in known,
    )


def _target_conditions(form: Form, table: Table, target: Target, found: dict[str, list[Condition]]) -> None:
    """Add what is asked of the three cells of a target."""
    roles: Any = form.checks.get("rows", {})
    role = roles.get(table.key, {})
    if role.get("target") != target.key:
        return
    for rule in _rules(form):
        if rule.get("rows", table.key) != table.key:
            continue
        if rule["rule"] == "operator-missing":
            found[target.operator].append(_without(target.value, target.operator))
        elif rule["rule"] == "unit-missing":
            names = _words(form, rule.get("unless", ()))
            found[target.unit].append(_without(target.value, target.unit, role["name"], names))
        elif rule["rule"] == "rate-over-100":
            found[target.value].append(_rate(form, rule, target, role["name"]))


def _numeric(value: Value) -> bool:
    return isinstance(value, Decimal)


def _without(value: str, part: str, name: str = "", unless: Sequence[Word] = ()) -> Condition:
    """Ask for the operator or the unit of a number, but of those whose name is one of the words."""

    def formula(refs: Refs) -> str:
        spared = f"*(1-{contains(_folded(refs(name)), unless)})" if unless else ""
        return f"{is_number(refs(value))}*{blank(refs(part))}{spared}"

    def holds(row: Mapping[str, Value]) -> bool:
        spared = bool(unless) and holds_word(fold(text_of(row[name])), unless)
        return _numeric(row[value]) and _is_blank(row[part]) and not spared

    return Condition(True, formula, holds)


def _folded(ref: str) -> str:
    return f'SUBSTITUTE(SUBSTITUTE({ref}," ",""),"\u3000","")'


# How a text ends that is read as a number with its operator or unit: ≥120%, 120%以上, 120（%）.
_ENDS = "0123456789０１２３４５６７８９%％上下内)）比点"


def _rate(form: Form, rule: Mapping[str, Any], target: Target, name: str) -> Condition:
    """Ask for a rate of 100 % at most, its number alone in its cell."""
    names, unless = _words(form, rule["names"]), _words(form, rule["unless"], strict=True)
    units = [(unit,) for unit in rule["units"]]

    def formula(refs: Refs) -> str:
        label, value = _folded(refs(name)), refs(target.value)
        over = f'ISNUMBER(1/(VALUE({value}&"e0")+({refs(target.operator)}=">")/1000000000>100))'
        listed_unit = listed([f'SUBSTITUTE({refs(target.unit)},"％","%")'], units)
        whole = f"(1-{is_number(value)})*(LEN({value})>0)*ISNUMBER(FIND(RIGHT({value},1),{quoted_text(_ENDS)}))"
        return f"({over}*{listed_unit}+{whole})*{contains(label, names)}*(1-{contains(label, unless)})"

    def holds(row: Mapping[str, Value]) -> bool:
        label, value = fold(text_of(row[name])), row[target.value]
        if not holds_word(label, names) or holds_word(label, unless):
            return False
        if isinstance(value, str):
            return bool(value) and value[-1] in _ENDS
        over = isinstance(value, Decimal) and (value > 100 or (value == 100 and row[target.operator] == ">"))
        return over and (text_of(row[target.unit]),) in units

    return Condition(False, formula, holds)
