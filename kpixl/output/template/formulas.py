"""Formulas that test what a text in a cell is: blank, a number, one of a list, or one that holds a word.

`holds_word` is the same test of a text itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kpixl.output.template.words import Word

MAX_TEXT = 250  # characters of a text within a formula; Excel takes 255
_GAP, _ROW_GAP = "|", "¦"  # between the items of a list, and between rows


def quoted_text(text: str) -> str:
    """Write a text into a formula, in pieces that Excel takes."""
    pieces = [text[n : n + MAX_TEXT] for n in range(0, len(text), MAX_TEXT)] or [""]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


def blank(ref: str) -> str:
    """Return the formula that tests whether a cell holds nothing that can be seen."""
    return f'(LEN(TRIM(CLEAN(SUBSTITUTE({ref},"\u3000",""))))=0)'


def is_number(ref: str) -> str:
    """Return the formula that tests whether a cell of text holds a number. 1e5, 12:30 and 2026-12-31 are none."""
    return f'ISNUMBER(VALUE({ref}&"e0"))'


def contains(ref: str, words: Sequence[Word]) -> str:
    """Return the formula that tests whether a text holds one of the words, whatever their case.

    A 0 goes before the terms: Excel and Gnumeric hold FALSE>0 to be true.
    """
    inner = f"LOWER({ref})"
    removed = inner
    for word in words:
        if not (word.first or word.last):
            removed = f'SUBSTITUTE({removed},{quoted_text(word.text)},"")'
    terms = [f"({removed}<>{inner})"] if removed != inner else []
    terms += [f"(RIGHT({inner},{len(w.text)})={quoted_text(w.text)})" for w in words if w.last]
    terms += [f"(LEFT({inner},{len(w.text)})={quoted_text(w.text)})" for w in words if w.first and not w.last]
    return f"({'+'.join(['0', *terms])}>0)"


def holds_word(text: str, words: Iterable[Word]) -> bool:
    """Return whether a text holds one of the words, whatever their case."""
    lower = text.lower()
    return any(
        lower.endswith(w.text) if w.last else lower.startswith(w.text) if w.first else w.text in lower for w in words
    )


def listed(refs: Sequence[str], items: Iterable[Sequence[str]], mark: str = _ROW_GAP) -> str:
    """Return the formula that tests whether cells hold one of the rows of texts."""
    searched = f'&"{_GAP}"&'.join(refs)
    text = mark + "".join(_GAP.join(item) + mark for item in items)
    return f'ISNUMBER(FIND("{mark}"&{searched}&"{mark}",{quoted_text(text)}))'
