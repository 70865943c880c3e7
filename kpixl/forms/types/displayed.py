"""Text exactly as its cell displays it: 100.00 and 95% where the stored numbers are 100 and 0.95."""

from __future__ import annotations

from kpixl.forms.types.text import TextType


class DisplayedType(TextType):
    """Text as displayed."""

    noun = ("文字", "text")
    as_displayed = True


DISPLAYED = DisplayedType()
