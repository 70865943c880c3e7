"""Patterns that no text may contain."""

from __future__ import annotations

from dataclasses import dataclass

from kpixl.checks.parameters import FieldKey, Words


@dataclass(frozen=True, slots=True)
class InTexts:
    """What must not be in these texts."""

    fields: tuple[FieldKey, ...]
    words: Words
