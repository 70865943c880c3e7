"""What checking gave as one self-contained HTML page; how it looks is said by shared/problems.html.j2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kpixl.checks.registry import ENTRIES
from kpixl.checks.rule import CATEGORIES
from kpixl.collection.model import Collection, Waived
from kpixl.disk import Output
from kpixl.forms.names import unit_field
from kpixl.forms.values import fold, text_of
from kpixl.output.pages import choose_template, page_environment, render, show
from kpixl.problems import Location, Problem, Severity
from kpixl.problems.words import SEVERITY_COUNTS, SEVERITY_HEADINGS
from kpixl.texts import Text, say

TEMPLATE = "problems.html.j2"
SHARED = f"shared/{TEMPLATE}"

TITLE: Text = ("{organization}{year}“{title}”检查结果", "{organization}{year}{title}: what was found")
YEAR: Text = (" {year} 年度", " {year} ")
WORDS: dict[str, Text] = {
    "skip": ("跳到正文", "Skip to the content"),
    "back": ("返回目录", "Back to contents"),
    "made": ("由 kpixl 生成", "Made with kpixl"),
    "contents": ("目录", "Contents"),
    "missing": ("未交回的项目", "Projects that have not come back"),
    "all_in": ("项目名册中需要申报的项目全部交回。", "Everything that the roster asks for has come back."),
    "declared": ("无需申报", "Nothing to report"),
    "rules": ("按规则统计", "By rule"),
    "waived": ("已豁免的问题及理由", "Waived, with the reason"),
    "clean": ("没有发现问题。", "Nothing was found."),
    "only": ("只看错误", "Errors only"),
    "no_errors": ("没有错误。", "There are no errors."),
}
FILES: Text = ("文件", "Files")
PROJECTS: Text = ("项目", "Projects")
HEADINGS: tuple[Text, ...] = (
    ("级别", "Severity"),
    ("位置", "Place"),
    ("发现的问题", "What was found"),
    ("处理办法", "What to do"),
    ("代码", "Code"),
)
RULE_HEADINGS: tuple[Text, ...] = (
    ("级别", "Severity"), ("规则", "Rule"), ("类别", "Category"), ("代码", "Code"), ("数量", "Number"),
)  # fmt: skip
WAIVED_HEADINGS: tuple[Text, ...] = (
    ("项目", "Project"), ("位置", "Place"), ("发现的问题", "What was found"), ("代码", "Code"), ("理由", "Reason"),
)  # fmt: skip
BLANK_UNIT: Text = ("（未填单位）", "(no unit given)")
OTHERS: Text = ("文件及其他问题", "Files and other problems")
GENERAL: Text = ("（总体）", "(in general)")
MOST_LISTED = 400  # places in the table of contents; beyond, it lists units alone
ABSENT = ("not-returned", "nothing-to-report")

Row = tuple[str, ...]  # the texts of one row of a table, ready for the page
Place = tuple[str, str, str, str, list[Row]]  # anchor, title, what is said beside it, counts, rows
Group = tuple[str, str, str, list[Place]]  # anchor, name, counts, places


def report_output(result: Collection, path: Path, lang: str, extra: Sequence[Path] = ()) -> Output:
    """Render the page for `path`; it is still to be written."""
    return Output(path, render_report(result, lang=lang, extra=extra).encode(), "report")


def render_report(result: Collection, *, lang: str = "zh", extra: Sequence[Path] = ()) -> str:
    """Render the page; `extra` are the folders of definitions given by the user. Equal results give equal pages."""
    template = choose_template(page_environment(result.form, extra), TEMPLATE, SHARED)
    items = len(result.problems) + len(result.portfolio.projects)
    return render(template, items, lang=lang, **_Report(result, lang).content())


class _Report:
    """Puts a result into the words and the order of the page."""

    def __init__(self, result: Collection, lang: str) -> None:
        self.result, self.lang = result, lang
        self.unit_field = unit_field(result.form)
        roster = result.roster.projects if result.roster is not None else ()
        # What the office calls a project and its unit goes before what somebody typed.
        self.projects = {p.id: p for p in (*result.portfolio.projects, *roster)}
        self.categories = {check.code: check.category for check in result.checks}
        self.places = 0
        self.with_errors: set[str] = set()  # anchors of groups and places

    def content(self) -> dict[str, object]:
        """Compute everything that the template shows."""
        result, problems = self.result, self.result.problems
        absent = [p for p in problems if p.code in ABSENT]
        missing = [p for p in absent if p.code == "not-returned"]
        return {
            "words": {key: self.say(text) for key, text in WORDS.items()},
            "title": self.title(),
            "totals": self.totals(),
            "headings": [self.say(text) for text in HEADINGS],
            "rule_headings": [self.say(text) for text in RULE_HEADINGS],
            "waived_headings": [self.say(text) for text in WAIVED_HEADINGS],
            "missing": self.by_unit(missing) if result.roster is not None else None,
            "missing_count": len(missing),
            "declared": [show(p.message(self.lang)) for p in absent if p.code == "nothing-to-report"],
            "rules": self.rules(),
            "groups": self.groups(p for p in problems if p.code not in ABSENT),
            "with_errors": self.with_errors,
            "all_listed": self.places <= MOST_LISTED,
            "waived": [self.waived(waived) for waived in result.waived],
        }

    def say(self, text: Text) -> str:
        return say(text, self.lang)

    def title(self) -> str:
        portfolio = self.result.portfolio
        year = say(YEAR, self.lang, year=portfolio.year) if portfolio.year is not None else ""
        organization = portfolio.organization or ""
        return say(TITLE, self.lang, organization=organization, year=year, title=self.result.form.title).strip()

    def totals(self) -> list[tuple[str, int]]:
        numbers = [(self.say(FILES), len(self.result.files))] if self.result.files else []
        numbers.append((self.say(PROJECTS), len(self.result.portfolio.projects)))
        found = [problem.severity for problem in self.result.problems]
        return numbers + [(self.say(text), found.count(severity)) for severity, text in SEVERITY_COUNTS.items()]

    def counts(self, problems: Iterable[Problem]) -> str:
        found = [problem.severity for problem in problems]
        named = ((self.say(text), found.count(severity)) for severity, text in SEVERITY_COUNTS.items())
        return " · ".join(f"{text} {number}" for text, number in named if number)

    # --- who, and where -----------------------------------------------------------------------

    def unit(self, project: str) -> str:
        if self.unit_field is None or project not in self.projects:
            return ""
        return " ".join(text_of(self.projects[project].values[self.unit_field.key]).split())

    def project(self, project: str) -> str:
        """Call a project by its id and name."""
        if project not in self.projects:
            return project
        return f"{project} {text_of(self.projects[project].values[self.result.form.key_fields[0]])}".strip()

    def by_unit(self, problems: Sequence[Problem]) -> list[tuple[str, list[str]]]:
        units: dict[str, list[str]] = {}
        for problem in problems:
            if problem.project is not None:
                units.setdefault(self.unit(problem.project), []).append(show(self.project(problem.project)))
        return [(show(unit) or self.say(BLANK_UNIT), projects) for unit, projects in units.items()]

    def groups(self, problems: Iterable[Problem]) -> list[Group]:
        """Group problems by unit, in the order of the projects; what belongs to no project comes first."""
        ranks = {project: rank for rank, project in enumerate(self.projects)}
        if self.result.roster is not None:
            ranks = {p.id: rank for rank, p in enumerate(self.result.roster.projects)} | ranks
        units: dict[str, list[Problem]] = {}
        names: dict[str, str] = {}
        loose: list[Problem] = []
        by_project = sorted(problems, key=lambda p: ranks.get(p.project or "", len(ranks)))
        for problem in by_project:
            if problem.project is None:
                loose.append(problem)
                continue
            unit = self.unit(problem.project)
            names.setdefault(fold(unit), unit)
            units.setdefault(fold(unit), []).append(problem)
        found = [self.group("others", self.say(OTHERS), loose)] if loose else []
        for number, (key, members) in enumerate(units.items(), 1):
            found.append(self.group(f"unit-{number}", names[key] or self.say(BLANK_UNIT), members))
        return found

    def group(self, anchor: str, name: str, problems: Sequence[Problem]) -> Group:
        places: dict[tuple[str | None, str | None, str | None], list[Problem]] = {}
        for problem in problems:
            key = (problem.location.file, problem.location.sheet, problem.project)
            places.setdefault(key, []).append(problem)
        self.mark(anchor, problems)
        return anchor, show(name), self.counts(problems), list(self.place(places.values()))

    def place(self, places: Iterable[Sequence[Problem]]) -> Iterator[Place]:
        ranks = list(Severity)
        for problems in places:
            self.places += 1
            first = problems[0]
            where = str(Location(first.location.file, first.location.sheet))
            project = self.project(first.project) if first.project is not None else ""
            title = where or project or self.say(GENERAL)
            rows = [self.row(p) for p in sorted(problems, key=lambda p: ranks.index(p.severity))]
            about = project if title != project else ""
            self.mark(f"place-{self.places}", problems)
            yield f"place-{self.places}", show(title), show(about), self.counts(problems), rows

    def mark(self, anchor: str, problems: Sequence[Problem]) -> None:
        """Remember where errors are, for the view that shows them alone."""
        if any(problem.severity is Severity.ERROR for problem in problems):
            self.with_errors.add(anchor)

    # --- rows ---------------------------------------------------------------------------------

    def row(self, problem: Problem) -> Row:
        texts = (_cell(problem), problem.message(self.lang), problem.hint(self.lang), problem.code)
        return (self.say(SEVERITY_HEADINGS[problem.severity]), str(problem.severity), *map(show, texts))

    def waived(self, waived: Waived) -> Row:
        finding = waived.finding
        where = " › ".join(filter(None, (finding.location.file, finding.location.sheet, _cell(finding))))
        texts = (self.project(waived.project), where, finding.message(self.lang), finding.code, waived.reason)
        return tuple(map(show, texts))

    def rules(self) -> list[Row]:
        """Count by code and severity, the weightiest and then the most frequent first."""
        numbers: dict[tuple[Severity, str], int] = {}
        for problem in self.result.problems:
            key = (problem.severity, problem.code)
            numbers[key] = numbers.get(key, 0) + 1
        ranks = list(Severity)
        ordered = sorted(numbers.items(), key=lambda item: (ranks.index(item[0][0]), -item[1], item[0][1]))
        return [
            (
                self.say(SEVERITY_HEADINGS[severity]),
                str(severity),
                ENTRIES[code.partition(".")[0]].heading(self.lang),
                self.category(code),
                code,
                str(number),
            )
            for (severity, code), number in ordered
        ]

    def category(self, code: str) -> str:
        category = self.categories.get(code) or ENTRIES[code.partition(".")[0]].category
        return self.say(CATEGORIES[category]) if category else ""


def _cell(problem: Problem) -> str:
    return " ".join(part for part in (problem.location.address, problem.location.field) if part)
