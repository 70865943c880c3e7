"""What severities are called, wherever a problem is shown."""

from __future__ import annotations

from collections.abc import Mapping

from kpixl.problems.problem import Severity

SEVERITY_WORDS: Mapping[Severity, tuple[str, str]] = {
    Severity.ERROR: ("错误", "error"),
    Severity.WARNING: ("警告", "warning"),
    Severity.INFO: ("提示", "note"),
}
SEVERITY_HEADINGS: Mapping[Severity, tuple[str, str]] = {
    severity: (zh, en.capitalize()) for severity, (zh, en) in SEVERITY_WORDS.items()
}
SEVERITY_COUNTS: Mapping[Severity, tuple[str, str]] = {
    severity: (zh, f"{en}s") for severity, (zh, en) in SEVERITY_HEADINGS.items()
}
