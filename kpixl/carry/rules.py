"""Data validations, conditional formats, tables and filters of openpyxl -> options of XlsxWriter.

Each function returns None for what has no counterpart; the caller then says that it is not carried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kpixl.carry.model import CarriedRule
from kpixl.carry.styles import Styles
from kpixl.cells import Span, span_from, span_size

_OPERATORS = {
    "between": "between",
    "notBetween": "not between",
    "equal": "==",
    "notEqual": "!=",
    "greaterThan": ">",
    "lessThan": "<",
    "greaterThanOrEqual": ">=",
    "lessThanOrEqual": "<=",
}
_VALIDATE = {
    None: "any",
    "none": "any",
    "whole": "integer",
    "decimal": "decimal",
    "list": "list",
    "date": "date",
    "time": "time",
    "textLength": "length",
    "custom": "custom",
}
# Rules that Excel writes together with an equivalent formula.
_WITH_FORMULA = {
    "expression", "containsText", "notContainsText", "beginsWith", "endsWith", "containsBlanks", "notContainsBlanks",
    "containsErrors", "notContainsErrors", "timePeriod",
}  # fmt: skip
_ICONS = {
    "3Arrows": "3_arrows", "3ArrowsGray": "3_arrows_gray", "3Flags": "3_flags",
    "3TrafficLights1": "3_traffic_lights", "3TrafficLights2": "3_traffic_lights_rimmed", "3Signs": "3_signs",
    "3Symbols": "3_symbols_circled", "3Symbols2": "3_symbols", "4Arrows": "4_arrows", "4ArrowsGray": "4_arrows_gray",
    "4RedToBlack": "4_red_to_black", "4Rating": "4_ratings", "4TrafficLights": "4_traffic_lights",
    "5Arrows": "5_arrows", "5ArrowsGray": "5_arrows_gray", "5Rating": "5_ratings", "5Quarters": "5_quarters",
}  # fmt: skip
_SCALE_TYPES = {"num", "percent", "percentile", "formula", "min", "max"}
EXTERNAL = re.compile(r"\[\d+\]")
MAX_TABLE_CELLS = 1_000_000  # XlsxWriter visits each


def spans_of(ranges: Any) -> tuple[Span, ...]:
    """Return the rectangles of a MultiCellRange, in a fixed order."""
    spans = (Span(r.min_row - 1, r.min_col - 1, r.max_row - 1, r.max_col - 1) for r in ranges)
    return tuple(sorted(spans))


# --- data validations -------------------------------------------------------------------------


def validation(rule: Any) -> CarriedRule | None:
    """Carry one data validation."""
    kind = _VALIDATE.get(rule.type)
    formulas = [str(f) if f is not None else None for f in (rule.formula1, rule.formula2)]
    if kind is None or any(f and (EXTERNAL.search(f) or "#REF!" in f) for f in formulas):
        return None
    options: dict[str, Any] = {
        "validate": kind,
        "ignore_blank": bool(rule.allowBlank),
        "dropdown": not rule.showDropDown,
        "input_title": (rule.promptTitle or "")[:32] or None,
        "input_message": (rule.prompt or "")[:255] or None,
        "show_input": bool(rule.showInputMessage),
        "error_title": (rule.errorTitle or "")[:32] or None,
        "error_message": (rule.error or "")[:255] or None,
        "error_type": rule.errorStyle or "stop",
        "show_error": bool(rule.showErrorMessage),
    }
    if kind == "any":
        if not options["input_title"] and not options["input_message"]:
            return None
    elif kind in ("list", "custom"):
        if not formulas[0]:
            return None
        options["value"] = formulas[0]
    else:
        criteria = _OPERATORS.get(rule.operator or "between")
        if criteria is None or not formulas[0]:
            return None
        options |= {"criteria": criteria, "value": formulas[0]}
        if criteria.endswith("between"):
            if not formulas[1]:
                return None
            options |= {"minimum": formulas[0], "maximum": formulas[1]}
            del options["value"]
    spans = spans_of(rule.sqref.ranges)
    return CarriedRule(spans, {k: v for k, v in options.items() if v is not None}) if spans else None


# --- conditional formats ----------------------------------------------------------------------


def condition(rule: Any, spans: tuple[Span, ...], styles: Styles) -> CarriedRule | None:
    """Carry one rule of a conditional format."""
    if any(EXTERNAL.search(str(formula)) for formula in rule.formula):
        return None
    options = _condition_options(rule, styles)
    if options is None or not spans:
        return None
    if rule.stopIfTrue:
        options["stop_if_true"] = True
    scale = rule.type in ("colorScale", "dataBar", "iconSet")
    return CarriedRule(spans, options, None if scale else styles.rule_format(rule.dxf))


def _condition_options(rule: Any, styles: Styles) -> dict[str, Any] | None:
    formulas = [str(formula) for formula in rule.formula]
    if rule.type in _WITH_FORMULA:
        return {"type": "formula", "criteria": "=" + formulas[0]} if formulas else None
    if rule.type == "cellIs":
        return _cell_is(rule, formulas)
    if rule.type in ("duplicateValues", "uniqueValues"):
        return {"type": "duplicate" if rule.type == "duplicateValues" else "unique"}
    if rule.type == "top10":
        options: dict[str, Any] = {"type": "bottom" if rule.bottom else "top", "value": int(rule.rank or 10)}
        return options | ({"criteria": "%"} if rule.percent else {})
    if rule.type == "aboveAverage":
        return {"type": "average", "criteria": _average(rule)}
    if rule.type == "colorScale":
        return _color_scale(rule.colorScale, styles)
    if rule.type == "dataBar":
        return _data_bar(rule.dataBar, styles)
    return _icon_set(rule.iconSet) if rule.type == "iconSet" else None


def _cell_is(rule: Any, formulas: list[str]) -> dict[str, Any] | None:
    criteria = _OPERATORS.get(rule.operator)
    if criteria is None or not formulas:
        return None
    options: dict[str, Any] = {"type": "cell", "criteria": criteria}
    if criteria.endswith("between"):
        return options | {"minimum": "=" + formulas[0], "maximum": "=" + formulas[1]} if len(formulas) > 1 else None
    return options | {"value": "=" + formulas[0]}


def _average(rule: Any) -> str:
    above = rule.aboveAverage is None or rule.aboveAverage
    if rule.stdDev:
        return f"{int(rule.stdDev)} std dev {'above' if above else 'below'}"
    return ("equal or " if rule.equalAverage else "") + ("above" if above else "below")


def _color_scale(scale: Any, styles: Styles) -> dict[str, Any] | None:
    colors = [styles.color(color) for color in scale.color]
    names = {2: ("min", "max"), 3: ("min", "mid", "max")}.get(len(scale.cfvo))
    if names is None or len(colors) != len(names) or None in colors:
        return None
    options: dict[str, Any] = {"type": f"{len(names)}_color_scale"}
    for name, point, color in zip(names, scale.cfvo, colors, strict=True):
        options |= _point(name, point) | {f"{name}_color": color}
    return options


def _point(name: str, point: Any) -> dict[str, Any]:
    options: dict[str, Any] = {f"{name}_type": point.type if point.type in _SCALE_TYPES else "num"}
    if point.type not in ("min", "max") and point.val is not None:
        options[f"{name}_value"] = f"={point.val}" if point.type == "formula" else _plain(point.val)
    return options


def _plain(value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"={value}"
    return int(number) if number == int(number) else number


def _data_bar(bar: Any, styles: Styles) -> dict[str, Any] | None:
    color = styles.color(bar.color)
    if color is None or len(bar.cfvo) != 2:
        return None
    options: dict[str, Any] = {"type": "data_bar", "bar_color": color}
    for name, point in zip(("min", "max"), bar.cfvo, strict=True):
        options |= _point(name, point)
    if bar.showValue is False:
        options["bar_only"] = True
    return options


def _icon_set(icons: Any) -> dict[str, Any] | None:
    style = _ICONS.get(icons.iconSet or "3TrafficLights1")
    if style is None:
        return None
    # XlsxWriter lists icons from the highest down, without the lowest, which holds whatever is left.
    points = [
        {"criteria": ">=" if p.gte is None or p.gte else ">", "type": _icon_type(p.type), "value": _plain(p.val)}
        for p in reversed(icons.cfvo[1:])
    ]
    options: dict[str, Any] = {"type": "icon_set", "icon_style": style, "icons": points}
    if icons.reverse:
        options["reverse_icons"] = True
    if icons.showValue is False:
        options["icons_only"] = True
    return options


def _icon_type(kind: str) -> str:
    return {"num": "number"}.get(kind, kind)


# --- tables and filters -----------------------------------------------------------------------


def table(found: Any) -> CarriedRule | None:
    """Carry a table (Excel's ListObject); its cells are carried as cells."""
    span = span_from(str(found.ref))
    if span is not None and span_size(span) > MAX_TABLE_CELLS:
        return None
    header, totals = found.headerRowCount != 0, bool(found.totalsRowCount)
    if span is None or span.last_row - span.row + 1 < 1 + header + totals:
        return None
    style = found.tableStyleInfo
    columns: list[Mapping[str, Any]] = []
    for column in found.tableColumns:
        options: dict[str, Any] = {"header": column.name}
        if column.totalsRowLabel:
            options["total_string"] = column.totalsRowLabel
        if column.totalsRowFunction and column.totalsRowFunction not in ("none", "custom"):
            options["total_function"] = {"countNums": "count_nums", "stdDev": "std_dev"}.get(
                column.totalsRowFunction, column.totalsRowFunction
            )
        columns.append(options)
    if len(columns) != span.last_col - span.col + 1:
        return None
    return CarriedRule(
        (span,),
        {
            "name": found.displayName,
            "header_row": header,
            "total_row": totals,
            "autofilter": header and found.autoFilter is not None,
            "style": (style.name or "") if style else "",
            "banded_rows": bool(style and style.showRowStripes),
            "banded_columns": bool(style and style.showColumnStripes),
            "first_column": bool(style and style.showFirstColumn),
            "last_column": bool(style and style.showLastColumn),
            "columns": columns,
        },
    )


def filter_columns(auto_filter: Any) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """Yield (offset of the column, {"list": values} or {"rule": text}) per filtered column; None if not carried."""
    for column in auto_filter.filterColumn:
        if column.filters is not None and not column.filters.dateGroupItem:
            values = [str(value) for value in column.filters.filter]
            yield column.colId, {"list": values + (["Blanks"] if column.filters.blank else [])}
        elif column.customFilters is not None and 1 <= len(column.customFilters.customFilter) <= 2:
            joint = " and " if column.customFilters._and else " or "
            parts = [_custom(item) for item in column.customFilters.customFilter]
            yield column.colId, {"rule": joint.join(parts)} if all(parts) else None
        else:
            yield column.colId, None


def _custom(item: Any) -> str:
    operator = _OPERATORS.get(item.operator or "equal", "==")
    value = str(item.val or "").strip()
    if not value or '"' in value:
        return ""
    return f'x {operator} "{value}"' if re.search(r"\s", value) else f"x {operator} {value}"
