"""Formats of openpyxl -> properties of XlsxWriter."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from kpixl.carry.model import Format

PATTERNS = (
    "none", "solid", "mediumGray", "darkGray", "lightGray", "darkHorizontal", "darkVertical", "darkDown", "darkUp",
    "darkGrid", "darkTrellis", "lightHorizontal", "lightVertical", "lightDown", "lightUp", "lightGrid", "lightTrellis",
    "gray125", "gray0625",
)  # fmt: skip
BORDERS = (
    "none", "thin", "medium", "dashed", "dotted", "thick", "double", "hair", "mediumDashed", "dashDot",
    "mediumDashDot", "dashDotDot", "mediumDashDotDot", "slantDashDot",
)  # fmt: skip
FONT_PROPERTIES = frozenset((
    "font_name", "font_size", "font_color", "underline", "font_script", "font_charset", "font_family", "bold",
    "italic", "font_strikeout",
))  # fmt: skip
_UNDERLINES = {"single": 1, "double": 2, "singleAccounting": 33, "doubleAccounting": 34}
_HORIZONTAL = {"centerContinuous": "center_across"}
_VERTICAL = {"center": "vcenter", "justify": "vjustify", "distributed": "vdistributed", "top": "top"}
_SCRIPTS = {"superscript": 1, "subscript": 2}
_BUILTIN_FORMATS = 164
_SYSTEM_COLORS = range(64, 66)


class Styles:
    """Turns the formats of one workbook into properties; equal formats are turned once."""

    def __init__(self, theme: bytes | None, palette: Sequence[str]) -> None:
        self._theme = _theme_colors(theme)
        self._palette = palette
        self._known: dict[tuple[int, ...], Format] = {}

    def format(self, styled: Any) -> Format:
        """Return the properties of a cell, row or column."""
        if styled._style is None:
            return ()
        key = tuple(styled._style)
        if key not in self._known:
            props = {
                **self.font(styled.font),
                **self.fill(styled.fill),
                **self._border(styled.border),
                **_alignment(styled.alignment),
                **_number_format(styled),
            }
            if not styled.protection.locked:
                props["locked"] = False
            if styled.protection.hidden:
                props["hidden"] = True
            if styled.quotePrefix:
                props["quote_prefix"] = True
            self._known[key] = tuple(sorted(props.items()))
        return self._known[key]

    def color(self, color: Any) -> str | None:
        """Return a color as #RRGGBB; None for an automatic one."""
        if color is None:
            return None
        # Only the attribute named by `type` is set; the others are descriptors.
        if color.type == "rgb":
            rgb = str(color.rgb)[-6:]
        elif color.type == "theme" and int(color.theme) < len(self._theme):
            rgb = self._theme[int(color.theme)]
        elif color.type == "indexed" and int(color.indexed) < min(len(self._palette), _SYSTEM_COLORS.start):
            rgb = self._palette[int(color.indexed)][-6:]
        else:
            return None
        return "#" + _tinted(rgb, float(color.tint or 0)).upper()

    def font(self, font: Any) -> dict[str, Any]:
        """Return the properties of a font, of a cell or of a run of rich text."""
        if font is None:
            return {}
        props: dict[str, Any] = {
            "font_name": getattr(font, "rFont", None) or getattr(font, "name", None),
            "font_size": int(font.sz) if font.sz is not None and font.sz == int(font.sz) else font.sz,
            "font_color": None if _is_text_color(font.color) else self.color(font.color),
            "underline": _UNDERLINES.get(font.u),
            "font_script": _SCRIPTS.get(font.vertAlign),
            "font_charset": font.charset,
        }
        switches = {"bold": font.b, "italic": font.i, "font_strikeout": font.strike}
        props |= {name: True for name, on in switches.items() if on}
        if font.family is not None:
            props["font_family"] = int(font.family)
        return {name: value for name, value in props.items() if value is not None}

    def fill(self, fill: Any) -> dict[str, Any]:
        """Return the properties of a pattern fill; a gradient has none."""
        pattern = getattr(fill, "patternType", None)
        if pattern not in PATTERNS[1:]:
            return {}
        first, second = self.color(fill.fgColor), self.color(fill.bgColor)
        if pattern == "solid":
            return {"pattern": 1, "fg_color": first} if first else {}
        props: dict[str, Any] = {"pattern": PATTERNS.index(pattern), "fg_color": first, "bg_color": second}
        return {name: value for name, value in props.items() if value is not None}

    def _border(self, border: Any) -> dict[str, Any]:
        props: dict[str, Any] = {}
        for side in ("left", "right", "top", "bottom"):
            props |= self._side(getattr(border, side), side, f"{side}_color")
        if border.diagonalUp or border.diagonalDown:
            props |= self._side(border.diagonal, "diag_border", "diag_color")
            props["diag_type"] = (1 if border.diagonalUp else 0) + (2 if border.diagonalDown else 0)
        return props

    def _side(self, side: Any, name: str, color_name: str) -> dict[str, Any]:
        if side is None or side.style not in BORDERS[1:]:
            return {}
        color = self.color(side.color)
        return {name: BORDERS.index(side.style)} | ({color_name: color} if color else {})

    def rule_format(self, style: Any) -> Format:
        """Return the properties of a conditional format."""
        if style is None:
            return ()
        props: dict[str, Any] = {}
        if style.font is not None:
            font = self.font(style.font)
            props |= {k: font[k] for k in ("bold", "italic", "font_color", "underline", "font_strikeout") if k in font}
        if style.fill is not None and hasattr(style.fill, "patternType"):
            # In a conditional format a solid fill has its color in the background.
            pattern = style.fill.patternType or "solid"
            background = (
                self.color(style.fill.bgColor)
                if style.fill.bgColor.type != "rgb" or (style.fill.bgColor.rgb != "00000000")
                else None
            )
            color = background or self.color(style.fill.fgColor)
            if pattern == "solid" and color:
                props["bg_color"] = color
        if style.border is not None:
            props |= self._border(style.border)
        if style.numFmt is not None:
            props["num_format"] = style.numFmt.formatCode
        return tuple(sorted(props.items()))


def _is_text_color(color: Any) -> bool:
    """Tell whether a font has the theme's own color of text, which is also XlsxWriter's."""
    return color is not None and color.type == "theme" and color.theme == 1 and not color.tint


def _alignment(alignment: Any) -> dict[str, Any]:
    props: dict[str, Any] = {}
    horizontal = alignment.horizontal
    if horizontal not in (None, "general"):
        props["align"] = _HORIZONTAL.get(horizontal, horizontal)
    if alignment.vertical in _VERTICAL:
        props["valign"] = _VERTICAL[alignment.vertical]
    if alignment.wrap_text:
        props["text_wrap"] = True
    if alignment.shrink_to_fit:
        props["shrink"] = True
    if alignment.indent:
        props["indent"] = int(alignment.indent)
    if alignment.readingOrder:
        props["reading_order"] = int(alignment.readingOrder)
    rotation = int(alignment.textRotation or 0)
    if rotation:
        props["rotation"] = 270 if rotation == 255 else 90 - rotation if rotation > 90 else rotation
    return props


def _number_format(styled: Any) -> dict[str, Any]:
    number = styled._style.numFmtId
    if number == 0:
        return {}
    # Numbers below 164 mean what the reader's Excel makes of them: 31 is a Chinese date in a Chinese one.
    return {"num_format": int(number) if number < _BUILTIN_FORMATS else styled.number_format}


def _theme_colors(theme: bytes | None) -> list[str]:
    """List the colors of a theme in the order in which cells number them."""
    if not theme or b"<!DOCTYPE" in theme:
        return []
    try:
        root = ElementTree.fromstring(theme)
    except ElementTree.ParseError:
        return []
    scheme = next((node for node in root.iter() if node.tag.endswith("}clrScheme")), None)
    if scheme is None:
        return []
    colors = [next((c.get("lastClr") or c.get("val") or "" for c in node), "") for node in scheme]
    colors = [c if len(c) == 6 else "000000" for c in colors]
    if len(colors) < 4:
        return []
    return [colors[1], colors[0], colors[3], colors[2], *colors[4:]]


def _tinted(rgb: str, tint: float) -> str:
    if not tint:
        return rgb
    red, green, blue = (int(rgb[i : i + 2], 16) / 255 for i in (0, 2, 4))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    light = light * (1 + tint) if tint < 0 else light * (1 - tint) + tint
    return "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, min(light, 1), saturation))
