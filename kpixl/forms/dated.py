"""`{{ year }}` in titles, labels and headings: printed as the year of the portfolio, recognised with any year."""

from __future__ import annotations

import re

from kpixl.forms.node import Node, invalid

_PLACE = re.compile(r"\{\{\s*year\s*\}\}")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def has_year(text: str) -> bool:
    """Return whether a text has a place for the year."""
    return _PLACE.search(text) is not None


def with_year(text: str, year: int | None) -> str:
    """Put the year in its place; one that is not known is left out."""
    return _PLACE.sub("" if year is None else str(year), text) if "{{" in text else text


def without_year(text: str) -> str:
    """Leave out the place for the year: what messages call a label."""
    return with_year(text, None).strip()


def undated(text: str) -> str:
    """Leave out the first year that is written in a text."""
    return _YEAR.sub("", text, count=1)


def year_in(text: str) -> int | None:
    """Return the first year that is written in a text."""
    found = _YEAR.search(text)
    return int(found[0]) if found else None


def check_places(text: str, path: str) -> str:
    """Return a text that has no place but for the year, once; any other is refused."""
    if len(_PLACE.findall(text)) > 1 or "{{" in _PLACE.sub("", text):
        raise invalid(path, "may have {{ year }} once, and nothing else in braces")
    return text


def read_label(node: Node) -> tuple[str, str]:
    """Take the label of a part of the form: as messages call it, and as it is printed where it has the year in it."""
    printed = check_places(node.take("label", str), f"{node.path}.label")
    return (without_year(printed), printed) if has_year(printed) else (printed, "")
