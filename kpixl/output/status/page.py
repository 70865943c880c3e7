"""The status as a self-contained HTML page, to be mailed round; how it looks is said by shared/status.html.j2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kpixl.output.pages import choose_template, page_environment, render, show
from kpixl.output.status import words
from kpixl.output.status.model import Counts, ProjectStatus, Status, Unread
from kpixl.output.status.tell import (
    count_columns,
    label,
    label_numbers,
    moment_text,
    notes,
    numbers,
    place,
    probably,
    remarks,
    state_text,
    title_text,
    unit_heading,
    unit_name,
)
from kpixl.output.status.words import State
from kpixl.texts import Text, say

TEMPLATE = "status.html.j2"
SHARED = f"shared/{TEMPLATE}"
LOOKS = {
    State.RETURNED: "good",
    State.ERRORS: "error",
    State.BLANK: "warning",
    State.NOTHING: "plain",
    State.MISSING: "warning",
}

OPEN = ("error", "warning")  # looks of what is to be settled

WORDS: dict[str, Text] = {
    "skip": ("跳到正文", "Skip to the content"),
    "back": ("返回顶部", "Back to the top"),
    "made": ("由 kpixl 生成", "Made with kpixl"),
    "units": words.UNITS_SHEET,
    "total": words.TOTAL,
    "unread": words.UNREAD_LIST,
    "problems": words.NOTES_LIST,
    "late": words.LATE,
    "only": ("只看需要处理的", "Only what is to be settled"),
    "none_open": ("没有需要处理的项目。", "Nothing is left to be settled."),
}


def render_status(status: Status, *, lang: str = "zh", extra: Sequence[Path] = ()) -> str:
    """Render the page. Equal statuses give equal pages."""
    form = status.form
    anchors = [f"unit-{number}" for number in range(1, len(status.units) + 1)]
    units = list(zip(anchors, status.units, strict=True))
    name = form.fields[form.key_fields[0]].heading
    project_words = (words.STATE, words.ERRORS, words.WARNINGS, words.FILE, words.TIME, words.REMARK)
    unread_words = (words.FILE, words.TIME, words.REASON, words.REMEDY, words.PROBABLY)
    return render(
        choose_template(page_environment(form, extra), TEMPLATE, SHARED),
        len(status.projects) + len(status.unread) + len(status.problems),
        lang=lang,
        words={key: say(text, lang) for key, text in WORDS.items()},
        title=title_text(status, lang),
        notes=notes(status, lang),
        unit_heading=unit_heading(status, lang),
        headings=[say(text, lang) for _, text in count_columns(status)],
        overview=[(anchor, show(unit_name(u, lang)), _numbers(u.counts, status)) for anchor, u in units],
        totals=numbers(status.counts, status),
        open_units={anchor for anchor, unit in units if any(LOOKS[p.state] in OPEN for p in unit.projects)},
        late=[
            (show(label(p)), moment_text(p.returns[0].time)) for unit in status.units for p in unit.projects if p.late
        ],
        unread_headings=[say(text, lang) for text in unread_words],
        unread=[_unread(item, status, lang) for item in status.unread],
        problems=[show(f"{p.location} {p.text(lang)}".strip()) for p in status.problems],
        project_headings=[form.id_field.heading, name, *(say(text, lang) for text in project_words)],
        units=[
            (
                anchor,
                show(unit_name(u, lang)),
                label_numbers(u.counts, status, lang),
                [_row(p, lang) for p in u.projects],
            )
            for anchor, u in units
        ],
    )


def _numbers(counts: Counts, status: Status) -> list[tuple[int, str]]:
    """Pair each count with its look: none is dimmed, what is to be chased is marked."""
    looks = {"errors": "hit error", "blank": "hit warning", "missing": "hit warning"}
    names = (name for name, _ in count_columns(status))
    return [
        (number, looks.get(name, "") if number else "zero")
        for name, number in zip(names, numbers(counts, status), strict=True)
    ]


def _unread(item: Unread, status: Status, lang: str) -> tuple[str, ...]:
    problem = item.problem
    texts = (problem.message(lang), problem.hint(lang), probably(item, status, lang))
    return (show(str(problem.location)), moment_text(item.time), *map(show, texts))


def _row(project: ProjectStatus, lang: str) -> tuple[str, ...]:
    taken = project.returns[0] if project.returns else None
    counts = (str(project.errors), str(project.warnings)) if taken else ("", "")
    where = (place(taken), moment_text(taken.time)) if taken else ("", "")
    texts = (project.id, project.name, state_text(project, lang), LOOKS[project.state], *counts, *where)
    return (*map(show, (*texts, remarks(project, lang, late=False))), "late" if project.late else "")
