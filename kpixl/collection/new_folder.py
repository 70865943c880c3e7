"""`kpixl init`: make the collection folder of a round from the office's own list of projects; overwrite nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from kpixl.checks.configuration import CONFIG
from kpixl.checks.folder_settings import PATHS
from kpixl.collection.roster import roster_from
from kpixl.disk import Output, Written, commit
from kpixl.forms.definition import Form
from kpixl.forms.names import field_called, unit_field
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location, Problem, failure
from kpixl.readers import DEFAULT_LIMITS, Limits
from kpixl.texts import Text, say
from kpixl.yaml_text import scalar

_HEAD: Text = (
    "# 一次收表的全部设置，见 docs/round.md。在本文件夹中，kpixl 的命令不用再写路径和选项。\n",
    "# All settings of one round, see docs/round.md. In this folder, commands of kpixl need no paths or options.\n",
)
_DUE: Text = ("  # 截止日期，也可写时间：2026-11-20 17:00", "  # the due date, or with a time: 2026-11-20 17:00")
_BY: Text = ("  # 按此项分发和统计：每个值一个工作簿", "  # a workbook is sent to each value of this field")
_RULES: Text = (
    "\n# 检查规则（kpixl rules 列出全部），去掉 # 即生效：\n"
    "# ignore: [benefit-qualitative]\n"
    "# severity: {required-blank: error}\n"
    "# waivers:            # 豁免\n"
    '# - {project: "07", code: level-missing.satisfaction, reason: 理由}\n'
    "# nothing_to_report:  # 无需申报\n"
    "# - {unit: 企业服务部, reason: 本年度没有项目}\n",
    "\n# Rules of the checks (kpixl rules lists them); remove the # to use a line:\n"
    "# ignore: [benefit-qualitative]\n"
    "# severity: {required-blank: error}\n"
    "# waivers:\n"
    '# - {project: "07", code: level-missing.satisfaction, reason: why}\n'
    "# nothing_to_report:\n"
    "# - {unit: 企业服务部, reason: no project this year}\n",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the folder is made for. `due`: local time; `by`: a field by key or label, by default the unit."""

    form: Form
    project_list: Path
    year: int | None = None
    organization: str | None = None
    due: datetime | None = None
    by: str | None = None


def make_folder(
    root: Path, plan: Plan, *, limits: Limits = DEFAULT_LIMITS, lang: str = "zh", today: date
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Make the folder; returns what was written, and the problems of the list. Raises KpixlError.

    Nothing is written where the folder has a kpixl.yaml or a roster already, or where the list cannot be read.
    """
    if not root.absolute().parent.is_dir():
        raise failure("folder-missing", path=str(root.absolute().parent))
    if root.exists() and not root.is_dir():
        raise failure("init-no-folder", path=str(root))
    for name in (CONFIG, PATHS["roster"]):
        if (root / name).exists() or (root / name).is_symlink():
            raise failure("init-exists", path=str(root), name=name)
    by = field_called(plan.form, plan.by) if plan.by is not None else unit_field(plan.form)
    roster, problems = roster_from(
        plan.form, plan.project_list, year=plan.year, organization=plan.organization, limits=limits
    )
    settings = settings_text(plan, roster, by.key if by else None, lang)
    for folder in (root, root / PATHS["sent"], root / PATHS["returned"]):
        folder.mkdir(exist_ok=True)
    outputs = [
        Output(root / PATHS["roster"], canonical.dumps(plan.form, roster).encode(), "roster"),
        Output(root / CONFIG, settings.encode(), "settings"),
    ]
    written, refused = commit(outputs, lang=lang, today=today)
    if roster.year is None:
        problems = (*problems, Problem("roster-no-year", Location(PATHS["roster"])))
    return written, (*problems, *refused)


def settings_text(plan: Plan, roster: Portfolio, by: str | None, lang: str) -> str:
    """Write a kpixl.yaml; what is not known is a comment that shows how to write it."""
    lines = [say(_HEAD, lang), f"form: {scalar(plan.form.id, '  ')}\n"]
    lines.append(f"year: {roster.year}\n" if roster.year is not None else "# year: 2026\n")
    if roster.organization is not None:
        lines.append(f"organization: {scalar(roster.organization, '  ')}\n")
    lines.append(f"due: {_due_text(plan.due)}" if plan.due is not None else "# due: 2026-11-20")
    lines.append(f"{say(_DUE, lang)}\n")
    if by is not None:
        lines.append(f"by: {scalar(by, '  ')}{say(_BY, lang)}\n")
    return "".join([*lines, say(_RULES, lang)])


def _due_text(due: datetime) -> str:
    return due.date().isoformat() if due.time() == time() else f'"{due:%Y-%m-%d %H:%M}"'
