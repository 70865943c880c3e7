"""Every rule there is, and the checks of a form: rules bound to the form's parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpixl.checks.basic import BASIC_RULES
from kpixl.checks.parameters import Reader, invalid, read_roles, read_scored
from kpixl.checks.rule import CATEGORIES, NoParameters, Roles, Rule
from kpixl.checks.rules.completeness import (
    goal_too_short,
    goal_truncated,
    level_missing,
    no_rows,
    one_of,
    operator_missing,
    placeholder,
    required_blank,
    unit_missing,
)
from kpixl.checks.rules.compliance import (
    amount_negative,
    choice_unlisted,
    computed_mismatch,
    date_spellings,
    dates_outside_year,
    dates_reversed,
    deadline_outside,
    expression,
    level_mismatch,
    name_blank,
    operator_unfit,
    punctuation_doubled,
    sum_mismatch,
    tags_left,
    text_hidden,
    value_unread,
    weights,
)
from kpixl.checks.rules.cost_output import (
    amount_magnitude,
    amount_small,
    cost_magnitude,
    cost_over_amount,
)
from kpixl.checks.rules.measurability import (
    benefit_qualitative,
    comparison_no_baseline,
    goal_number_unmeasured,
    operator_direction,
    rate_at_least_100,
    rate_fraction,
    rate_over_100,
    unit_unfit,
    value_tautology,
    value_vague,
)
from kpixl.checks.rules.relevance import (
    goal_identical,
    goal_similar,
    indicator_duplicate,
    quantity_as_quality,
    rate_as_quantity,
    sentence_repeated,
    year_other,
)
from kpixl.checks.rules.scoring import (
    exceeded_unexplained,
    executed_over_budget,
    execution_rate,
    grade_unfit,
    missed_full_score,
    reached_less_score,
    reason_missing,
    score_not_proportional,
    score_over_points,
)
from kpixl.forms.definition import Form
from kpixl.problems import Severity
from kpixl.problems.catalogue import CATALOGUE
from kpixl.problems.entry import Entry
from kpixl.problems.titles import TITLES

_MODULES = (
    value_unread,
    sum_mismatch,
    computed_mismatch,
    required_blank,
    no_rows,
    one_of,
    level_missing,
    goal_too_short,
    goal_truncated,
    placeholder,
    unit_missing,
    operator_missing,
    dates_reversed,
    dates_outside_year,
    deadline_outside,
    choice_unlisted,
    level_mismatch,
    operator_unfit,
    tags_left,
    punctuation_doubled,
    name_blank,
    date_spellings,
    text_hidden,
    weights,
    amount_negative,
    rate_over_100,
    rate_at_least_100,
    rate_fraction,
    unit_unfit,
    operator_direction,
    value_vague,
    value_tautology,
    comparison_no_baseline,
    benefit_qualitative,
    goal_number_unmeasured,
    rate_as_quantity,
    quantity_as_quality,
    indicator_duplicate,
    sentence_repeated,
    year_other,
    goal_identical,
    goal_similar,
    amount_magnitude,
    amount_small,
    cost_magnitude,
    cost_over_amount,
    score_over_points,
    missed_full_score,
    score_not_proportional,
    reached_less_score,
    reason_missing,
    exceeded_unexplained,
    executed_over_budget,
    execution_rate,
    grade_unfit,
    expression,
)
RULES: Mapping[str, Rule] = {module.RULE.code: module.RULE for module in _MODULES}
# Every code there is: of a rule, or of what is found while reading.
ENTRIES: Mapping[str, Entry] = {
    **{code: entry._replace(title=TITLES.get(code, entry.title)) for code, entry in CATALOGUE.items()},
    **{code: rule.entry for code, rule in RULES.items()},
}
_ID = re.compile(r"[a-z][a-z0-9-]*")
_OWN_KEYS = ("rule", "id", "severity", "category")


@dataclass(frozen=True, slots=True)
class Check:
    """A rule with its parameters. `code` is the rule's, with the id of the check where it has one."""

    code: str
    rule: Rule
    parameters: Any
    category: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Checks:
    """Everything that is checked on a form."""

    checks: tuple[Check, ...]
    roles: Mapping[str, Roles] = field(default_factory=dict)


BASIC = Checks(tuple(Check(r.code, r, NoParameters(), r.entry.category) for r in BASIC_RULES))


def checks_of(form: Form) -> Checks:
    """Read `checks` of a form; the basic rules always apply. Raises KpixlError `form-invalid`."""
    data: dict[str, Any] = dict(form.checks)
    parts: dict[str, Any] = {}
    for key, kind in (("rows", dict), ("scores", dict), ("words", dict), ("rules", list)):
        parts[key] = data.pop(key, kind())
        if not isinstance(parts[key], kind):
            raise invalid(f"checks.{key}", f"must be a {'mapping' if kind is dict else 'list'}")
    if data:
        raise invalid("checks", f"unknown key {', '.join(map(str, data))}; known: rows, scores, words, rules")
    roles = read_roles(form, parts["rows"])
    reader = Reader(form, parts["words"], roles, read_scored(form, parts["scores"]))
    checks = list(BASIC.checks)
    for number, spec in enumerate(parts["rules"]):
        check = _check(reader, spec, f"checks.rules[{number}]")
        if any(check.code == other.code for other in checks):
            raise invalid(f"checks.rules[{number}]", f"{check.code} occurs twice; give each an id")
        checks.append(check)
    return Checks(tuple(checks), roles)


def _check(reader: Reader, spec: Any, path: str) -> Check:
    if not isinstance(spec, dict) or spec.get("rule") not in RULES:
        known = ", ".join(code for code in RULES if code not in {r.code for r in BASIC_RULES})
        raise invalid(path, f"rule must be one of {known}")
    own = {key: spec.get(key) for key in _OWN_KEYS}
    rule = RULES[str(own["rule"])]
    _refuse_wrong(own, path)
    rest = {key: value for key, value in spec.items() if key not in _OWN_KEYS}
    parameters = reader.read(rule.parameters, rest, path)
    if isinstance(parameters, expression.Expression):
        parameters = expression.prepare(parameters, path, reader.form)
    return Check(
        f"{rule.code}.{own['id']}" if own["id"] else rule.code,
        rule,
        parameters,
        own["category"] or rule.entry.category,
        Severity(own["severity"]) if own["severity"] else None,
    )


def _refuse_wrong(own: Mapping[str, Any], path: str) -> None:
    """Refuse a wrong id, severity or category of a check. Raises KpixlError `form-invalid`."""
    if own["id"] is not None and not _ID.fullmatch(str(own["id"])):
        raise invalid(f"{path}.id", "is made of a-z, 0-9 and -")
    if own["severity"] not in (None, *Severity):
        raise invalid(f"{path}.severity", f"must be one of {', '.join(Severity)}")
    if own["category"] not in (None, *CATEGORIES):
        raise invalid(f"{path}.category", f"must be one of {', '.join(CATEGORIES)}")
