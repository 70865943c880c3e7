"""The two interface languages: Chinese by default, English on request.

A text is a (zh, en) pair beside the code that shows it; problems have their own catalogue.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise

Text = tuple[str, str]
LANGUAGES = ("zh", "en")


def say(text: Text, lang: str, **details: object) -> str:
    """Show a text in `lang`, with its {placeholders} filled in."""
    chosen = text[lang == "en"]
    return chosen.format_map(details) if details else chosen


def language(asked: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """Choose the language: asked for, else KPIXL_LANG, else an English locale, else Chinese."""
    for value in (asked, environ.get("KPIXL_LANG")):
        if value:
            return "en" if value.lower().startswith("en") else "zh"
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "en" if locale.lower().startswith("en") else "zh"


def asked_language(arguments: Sequence[str]) -> str:
    """Return the language a command line asks for."""
    asked = [after for word, after in pairwise(arguments) if word == "--lang"]
    asked += [word.removeprefix("--lang=") for word in arguments if word.startswith("--lang=")]
    return language(asked[-1] if asked else None)
