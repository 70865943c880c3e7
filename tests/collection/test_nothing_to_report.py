"""What did not come back is reported once: as missing, or with the reason that the office has given."""

from __future__ import annotations

from kpixl.collection.nothing_to_report import absence_problems
from tests.strategies import canonical_project, form_of

FORM = form_of("shanghai-target")
ABSENT = [
    canonical_project(FORM, number, {"name": f"项目{number}", "unit": "一所"}, {"indicators": ()})
    for number in ("10", "9", "11")
]


def test_a_project_is_missing_or_has_a_reason() -> None:
    found = absence_problems(FORM, ABSENT, {"10": "并入 9"})
    assert [(p.code, p.project) for p in found] == [
        ("not-returned", "9"),
        ("nothing-to-report", "10"),
        ("not-returned", "11"),
    ]
    assert found[0].details == {"id": "9", "name": "项目9", "unit": "一所"}
    assert found[1].details == {"id": "10", "name": "项目10", "unit": "一所", "reason": "并入 9"}
