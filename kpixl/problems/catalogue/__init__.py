"""Every problem code: severity, and message and hint in Chinese and English; a module for each area.

docs/problems.md is made from it. The codes of the rules of `kpixl check` are with the rules.
"""

from __future__ import annotations

from kpixl.problems.catalogue import checking, identity, inputs, portfolios, reading, recognising, tracing, writing
from kpixl.problems.entry import Entry

AREAS = (inputs, tracing, writing, reading, recognising, identity, portfolios, checking)
CATALOGUE: dict[str, Entry] = {code: entry for area in AREAS for code, entry in area.ENTRIES.items()}
