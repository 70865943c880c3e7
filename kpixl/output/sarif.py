"""SARIF 2.1.0: what a run of `kpixl check` found, for code-review tools and editors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kpixl.checks.registry import ENTRIES
from kpixl.checks.rule import CATEGORIES
from kpixl.collection.model import Collection
from kpixl.disk import Output
from kpixl.problems import Problem, Severity
from kpixl.version import __version__

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SLOT = re.compile(r"\{\w+\}")
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif_data(result: Collection, lang: str) -> dict[str, Any]:
    """Turn a run into a SARIF log. A workbook has no lines: a result names its sheet and cell as a logical location."""
    known = result.since.known if result.since else ()
    codes = list(dict.fromkeys(p.code for p in [*result.problems, *known, *(w.finding for w in result.waived)]))
    numbers = {code: number for number, code in enumerate(codes)}
    categories = {check.code: check.category for check in result.checks}
    results = []
    for problem in result.problems:
        state = {"baselineState": "new"} if result.since else {}
        results.append(_result(problem, problem.project, numbers, lang) | state)
    # What was known stays in the log, so that the log can be what the next check is compared with.
    results += [_result(p, p.project, numbers, lang) | {"baselineState": "unchanged"} for p in known]
    for waived in result.waived:
        suppressed = _result(waived.finding, waived.project, numbers, lang)
        suppressed["suppressions"] = [{"kind": "external", "justification": waived.reason}]
        results.append(suppressed)
    driver = {
        "name": "kpixl",
        "semanticVersion": __version__,
        "rules": [_rule(code, categories.get(code, ""), lang) for code in codes],
    }
    run = {"tool": {"driver": driver}, "language": "en-US" if lang == "en" else "zh-CN", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def sarif_output(result: Collection, path: Path, lang: str) -> Output:
    """Make the log for `path`; it is still to be written."""
    text = json.dumps(sarif_data(result, lang), ensure_ascii=False, indent=1) + "\n"
    return Output(path, text.encode(), "sarif")


def _rule(code: str, category: str, lang: str) -> dict[str, Any]:
    entry = ENTRIES[code.partition(".")[0]]
    category = category or entry.category
    text = _SLOT.sub("…", f"{entry.message(lang)} {entry.hint(lang)}").strip()
    title = entry.heading(lang)
    rule: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": title},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": f"**{title}**\n\n{text}"},
        "defaultConfiguration": {"level": LEVELS[Severity(entry.severity)]},
    }
    if category:
        rule["properties"] = {"tags": [category], "category": CATEGORIES[category][lang == "en"]}
    return rule


def _result(problem: Problem, project: str | None, numbers: Mapping[str, int], lang: str) -> dict[str, Any]:
    place = problem.location
    text = problem.text(lang)
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": numbers[problem.code],
        "level": LEVELS[problem.severity],
        "message": {"text": text},
    }
    location: dict[str, Any] = {}
    if place.file:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(place.file)}}
    if name := "!".join(part for part in (place.sheet, place.address) if part):
        logical = {"name": place.address or place.sheet, "fullyQualifiedName": name, "kind": "member"}
        location["logicalLocations"] = [logical]
    if place.field:
        location["message"] = {"text": place.field}
    if location:
        result["locations"] = [location]
    if project is not None:
        result["properties"] = {"project": project}
    return result
