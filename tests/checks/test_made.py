"""What the rules say of forms they were not made for is what docs/check-made.md judges, finding by finding."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from kpixl.checks.engine import find
from kpixl.checks.registry import checks_of
from kpixl.forms.load import load_form
from kpixl.portfolio import canonical

MADE = Path(__file__).parents[1] / "cases" / "made"
PAGE = Path(__file__).parents[2] / "docs" / "check-made.md"


def test_every_finding_is_judged_and_every_judged_one_is_found() -> None:
    page = PAGE.read_text(encoding="utf-8")
    judged = re.findall(r"^\| (\d\d) \| `([\w.-]+)` \| (true|false) \|", page, re.MULTILINE)
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(MADE.glob("*.yaml")):
        form, portfolio = canonical.load(path, load_form)
        found.update((f.project, f.code) for f in find(form, portfolio, checks_of(form)))
    assert Counter((project, code) for project, code, _ in judged) == found
    counts = Counter(verdict for _, _, verdict in judged)
    assert f"| both, rules as they are now | 01-14 | | {counts['true']} | {counts['false']} |" in page
