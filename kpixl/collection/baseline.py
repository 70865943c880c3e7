"""What is new since an earlier check: its findings are known, and only others are reported.

A finding is the same if code, project (without one: file and sheet), field and text are; its cell and file may be
others, since rows move and a corrected file has another name.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kpixl.a1 import parse_place
from kpixl.collection.model import Collection, Known, Since
from kpixl.collection.review import is_portfolio, review
from kpixl.forms.definition import Form
from kpixl.inputs import read_input
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location, Problem, failure
from kpixl.texts import LANGUAGES

MAX_BASELINE = 1 << 28  # bytes; 100,000 findings take 60 MB


def load_baseline(
    path: Path, forms: Sequence[Form], *, roster: Portfolio | None = None, config: Path | None = None
) -> tuple[Known, ...]:
    """Read the findings of an earlier check: its --json or --sarif, or a portfolio, which is checked anew.

    Raises KpixlError `since-unreadable` where the file is none of these.
    """
    if is_portfolio([path]):
        found = review([path], forms, roster=roster, config=config)
        return tuple(map(known_of, found.problems))
    content = read_input(path)
    if len(content) > MAX_BASELINE:
        raise failure("since-unreadable", path.name, path=str(path))
    try:
        data: Any = json.loads(content)
        return tuple(_sarif(data) if "runs" in data else _report(data))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise failure("since-unreadable", path.name, path=str(path)) from error


def known_of(problem: Problem) -> Known:
    """Turn a problem into what a later check compares with."""
    texts = tuple(_squeezed(problem.text(lang)) for lang in LANGUAGES)
    return Known(problem.code, problem.project, problem.location, texts, str(problem.severity))


def only_new(result: Collection, baseline: Sequence[Known], name: str) -> Collection:
    """Leave out of a result what the baseline holds; each of its findings counts for one only."""
    now = [known_of(problem) for problem in result.problems]
    matched, left = _matched(now, baseline)
    since = Since(
        name,
        tuple(problem for number, problem in enumerate(result.problems) if number in matched),
        tuple(baseline[number] for number in left),
    )
    problems = tuple(problem for number, problem in enumerate(result.problems) if number not in matched)
    return replace(result, problems=problems, since=since)


def _matched(now: Sequence[Known], before: Sequence[Known]) -> tuple[set[int], list[int]]:
    """Match findings, first those at equal cells; return the numbers of those found again and of those gone."""
    found: set[int] = set()
    left = dict.fromkeys(range(len(before)))
    keys: tuple[Callable[[Known], Iterable[Hashable]], ...] = (_exact_keys, _keys)
    for keys_of in keys:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for number in left:
            for key in keys_of(before[number]):
                waiting[key].append(number)
        for number, finding in enumerate(now):
            if number not in found and (same := _first(waiting, keys_of(finding), left)) is not None:
                found.add(number)
                del left[same]
    return found, list(left)


def _first(waiting: dict[Hashable, deque[int]], keys: Iterable[Hashable], left: dict[int, None]) -> int | None:
    for key in keys:
        queue = waiting.get(key)
        while queue:
            if (number := queue.popleft()) in left:
                return number
    return None


def _keys(finding: Known) -> Iterator[Hashable]:
    """Yield what identifies a finding, in each language and by each owner that is known of it."""
    place = finding.place
    owners: list[Hashable] = [(place.file, place.sheet)]
    if finding.project is not None:
        owners.insert(0, finding.project)
    for owner in owners:
        for text in finding.texts:
            yield finding.code, owner, place.field, text


def _exact_keys(finding: Known) -> Iterator[Hashable]:
    return ((finding.place.file, finding.place.cell, key) for key in _keys(finding))


def _squeezed(text: str) -> str:
    """Leave out white space: how message and hint are joined differs between languages and files."""
    return "".join(text.split())


# --- files of earlier checks --------------------------------------------------------------------


def _report(data: dict[str, Any]) -> Iterator[Known]:
    """Read the findings of `kpixl check --json`; with --since, those it knew as well."""
    for entry in [*data["problems"], *data.get("since", {}).get("known", ())]:
        file, sheet, cell, field = (_text(entry[key]) for key in ("file", "sheet", "cell", "field"))
        place = Location(file, sheet, parse_place(cell) if cell else None, field)
        text = _squeezed(str(entry["message"]) + str(entry["hint"]))
        yield Known(str(entry["code"]), _text(entry.get("project")), place, (text,), str(entry["severity"]))


_SEVERITIES = {"error": "error", "warning": "warning", "note": "info"}


def _sarif(data: dict[str, Any]) -> Iterator[Known]:
    """Read the results of a SARIF log; those that are suppressed, or gone since its own baseline, are no findings."""
    for run in data["runs"]:
        for result in run["results"]:
            if result.get("suppressions") or result.get("baselineState") == "absent":
                continue
            project = _text(result.get("properties", {}).get("project"))
            text = _squeezed(str(result["message"]["text"]))
            severity = _SEVERITIES.get(result.get("level"), "warning")
            yield Known(str(result["ruleId"]), project, _sarif_place(result), (text,), severity)


def _sarif_place(result: dict[str, Any]) -> Location:
    location: dict[str, Any] = next(iter(result.get("locations", ())), {})
    uri = _text(location.get("physicalLocation", {}).get("artifactLocation", {}).get("uri"))
    logical: dict[str, Any] = next(iter(location.get("logicalLocations", ())), {})
    name, full = str(logical.get("name", "")), str(logical.get("fullyQualifiedName", ""))
    sheet = full.removesuffix(f"!{name}") or None
    cell = None if full == name else parse_place(name)
    return Location(uri and unquote(uri), sheet, cell, _text(location.get("message", {}).get("text")))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
