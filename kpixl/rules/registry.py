"""Every rule there is, and the checks of a form: rules bound to the form's parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpixl.model import Form
from kpixl.problems import Severity
from kpixl.rule_texts import CATEGORIES, RULE_TEXTS
from kpixl.rules import basic, completeness, compliance, cost, expressions, measurability, relevance, similar
from kpixl.rules.base import NoParameters, Roles, Rule
from kpixl.rules.parameters import Reader, invalid, read_roles

MODULES = (basic, completeness, compliance, measurability, relevance, similar, cost, expressions)
RULES: Mapping[str, Rule] = {rule.code: rule for module in MODULES for rule in module.RULES}
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


BASIC = Checks(tuple(Check(r.code, r, NoParameters(), RULE_TEXTS[r.code].category) for r in basic.RULES))


def checks_of(form: Form) -> Checks:
    """Read `checks` of a form; the basic rules always apply. Raises KpixlError `form-invalid`."""
    data: dict[str, Any] = dict(form.checks)
    parts: dict[str, Any] = {}
    for key, kind in (("rows", dict), ("words", dict), ("rules", list)):
        parts[key] = data.pop(key, kind())
        if not isinstance(parts[key], kind):
            raise invalid(f"checks.{key}", f"must be a {'mapping' if kind is dict else 'list'}")
    if data:
        raise invalid("checks", f"unknown key {', '.join(map(str, data))}; known: rows, words, rules")
    roles = read_roles(form, parts["rows"])
    reader = Reader(form, parts["words"], roles)
    checks = list(BASIC.checks)
    for number, spec in enumerate(parts["rules"]):
        check = _check(reader, spec, f"checks.rules[{number}]")
        if any(check.code == other.code for other in checks):
            raise invalid(f"checks.rules[{number}]", f"{check.code} stands twice; tell them apart with an id")
        checks.append(check)
    return Checks(tuple(checks), roles)


def _check(reader: Reader, spec: Any, path: str) -> Check:
    if not isinstance(spec, dict) or spec.get("rule") not in RULES:
        known = ", ".join(code for code in RULES if code not in {r.code for r in basic.RULES})
        raise invalid(path, f"rule must be one of {known}")
    own = {key: spec.get(key) for key in _OWN_KEYS}
    rule = RULES[str(own["rule"])]
    if own["id"] is not None and not _ID.fullmatch(str(own["id"])):
        raise invalid(f"{path}.id", "is made of a-z, 0-9 and -")
    if own["severity"] not in (None, *Severity):
        raise invalid(f"{path}.severity", f"must be one of {', '.join(Severity)}")
    if own["category"] not in (None, *CATEGORIES):
        raise invalid(f"{path}.category", f"must be one of {', '.join(CATEGORIES)}")
    rest = {key: value for key, value in spec.items() if key not in _OWN_KEYS}
    parameters = reader.read(rule.parameters, rest, path)
    if isinstance(parameters, expressions.Expression):
        parameters = expressions.prepare(parameters, path, reader.form)
    return Check(
        f"{rule.code}.{own['id']}" if own["id"] else rule.code,
        rule,
        parameters,
        own["category"] or RULE_TEXTS[rule.code].category,
        Severity(own["severity"]) if own["severity"] else None,
    )
