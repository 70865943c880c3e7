"""What texts are looked at without: markup and line breaks."""

from __future__ import annotations

import re

MARKUP = re.compile(r"<[a-z/!][^<>]*>", re.IGNORECASE)


def bare_text(text: str) -> str:
    """Return a text as people see it: without markup and line breaks."""
    return " ".join(MARKUP.sub("", text).split())
