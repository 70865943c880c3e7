"""The page that explains every rule, made from the rules themselves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from kpixl.checks.registry import RULES, checks_of
from kpixl.checks.rule import CATEGORIES
from kpixl.forms.definition import Form
from kpixl.problems import Severity
from kpixl.problems.words import SEVERITY_WORDS
from kpixl.texts import Text, say

TITLE: Text = ("检查规则", "The rules of kpixl check")
INTRO: Text = (
    "`kpixl check` 按下列规则检查。`kpixl.yaml` 中的 `select`、`ignore`、`severity` 和 `waivers` 可以使用代码、"
    "代码前缀或类别。词语和阈值是参数，写在各表式 form.yaml 的 `checks` 中。",
    "What `kpixl check` looks for. `select`, `ignore`, `severity` and `waivers` in `kpixl.yaml` take a code, the "
    "beginning of one, or a category. Words and thresholds are parameters, written under `checks` in each form.yaml.",
)
SEVERITY: Text = ("级别", "severity")
FINDS: Text = ("说明", "says")
REMEDY: Text = ("处理", "remedy")
PARAMETERS: Text = ("参数", "parameters")
USED: Text = ("用于", "used by")


def rules_markdown(lang: str, forms: Sequence[Form] = ()) -> str:
    """Write the page in `lang`; for each of `forms`, the ids and severities under which it uses a rule are listed."""
    used: dict[str, list[str]] = {}
    for form in forms:
        for check in checks_of(form).checks:
            used.setdefault(check.rule.code, []).append(f"{form.id}: `{check.code}`")
    out = [f"# {say(TITLE, lang)}\n", f"{say(INTRO, lang)}\n"]
    for category, words in CATEGORIES.items():
        out.append(f"## {say(words, lang)} `{category}`\n")
        for code, rule in RULES.items():
            if rule.entry.category == category:
                out += _rule(code, lang, used.get(code, ()))
    return "\n".join(out).rstrip() + "\n"


def _rule(code: str, lang: str, used: Sequence[str]) -> list[str]:
    entry = RULES[code].entry
    names = [f.name.replace("_", "-") for f in dataclasses.fields(RULES[code].parameters)]
    lines = [
        f"### `{code}` {say(entry.title, lang)}\n",
        f"- {say(SEVERITY, lang)}: {say(SEVERITY_WORDS[Severity(entry.severity)], lang)}",
        f"- {say(FINDS, lang)}: {_inline(entry.message(lang))}",
        f"- {say(REMEDY, lang)}: {_inline(entry.hint(lang))}",
    ]
    if names:
        lines.append(f"- {say(PARAMETERS, lang)}: {', '.join(f'`{name}`' for name in names)}")
    if used:
        lines.append(f"- {say(USED, lang)}: {', '.join(used)}")
    return [*lines, ""]


def _inline(template: str) -> str:
    return re.sub(r"\{(\w+)\}", r"`{\1}`", template)
