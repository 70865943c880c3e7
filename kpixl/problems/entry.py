"""One entry of the catalogue of problems: a severity and the texts in both languages."""

from __future__ import annotations

import re
from typing import NamedTuple


class Entry(NamedTuple):
    """One code: severity and the four texts; a rule of `kpixl check` also has a category and a title."""

    severity: str
    zh: str
    zh_hint: str
    en: str
    en_hint: str
    category: str = ""
    title: tuple[str, str] = ("", "")

    def message(self, lang: str) -> str:
        """Return the message template in `lang`."""
        return self.en if lang == "en" else self.zh

    def hint(self, lang: str) -> str:
        """Return the hint template in `lang`."""
        return self.en_hint if lang == "en" else self.zh_hint

    def heading(self, lang: str) -> str:
        """Return what to call the code in a list: its title, else its message with what is filled in left out."""
        return self.title[lang == "en"] or _SLOT.sub("…", self.message(lang))


_SLOT = re.compile(r"\{\w+\}")
E, W, I = "error", "warning", "info"  # noqa: E741 - three columns of a table
